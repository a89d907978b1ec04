-- Who changed which allocation ratio from what to what, and when. Written by triggers, so that no way of changing a ratio goes
-- unnoticed; who it was is what the transaction left in the setting virga.actor (services/placement/ratio_changes.h). Nothing here refers to other
-- rows: the record outlives provider, class and user.

CREATE TABLE ratio_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    provider_uuid text NOT NULL,
    provider_name text NOT NULL,
    class_name text NOT NULL,
    old_ratio double precision, -- Null: the inventory is new.
    new_ratio double precision, -- Null: it is gone.
    user_id text,               -- Null: not by a request.
    user_name text,
    request_id text
);
CREATE INDEX ratio_change_provider ON ratio_change (provider_uuid, id);

CREATE FUNCTION ratio_change_add(provider_id bigint, class_id integer, old_ratio double precision, new_ratio double precision)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO ratio_change (provider_uuid, provider_name, class_name, old_ratio, new_ratio, user_id, user_name, request_id)
    SELECT p.uuid, p.name, c.name, $3, $4, a ->> 'user_id', a ->> 'user_name', a ->> 'request_id'
    FROM provider p, resource_class c, (SELECT NULLIF(current_setting('virga.actor', true), '')::jsonb AS a) AS actor
    WHERE p.id = $1 AND c.id = $2
$$;

CREATE FUNCTION ratio_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ratio_change_add(NEW.provider_id, NEW.class_id, OLD.allocation_ratio, NEW.allocation_ratio);
    RETURN NULL;
END $$;

-- A claim changes 'used' alone and never comes here.
CREATE TRIGGER ratio_changed AFTER UPDATE OF allocation_ratio ON inventory
    FOR EACH ROW WHEN (OLD.allocation_ratio IS DISTINCT FROM NEW.allocation_ratio) EXECUTE FUNCTION ratio_changed();

CREATE FUNCTION ratio_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ratio_change_add(r.provider_id, r.class_id, NULL, r.allocation_ratio) FROM fresh r;
    RETURN NULL;
END $$;
CREATE TRIGGER ratio_came AFTER INSERT ON inventory REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ratio_came();

-- With its provider an inventory goes unrecorded: there is no provider to name any more.
CREATE FUNCTION ratio_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ratio_change_add(r.provider_id, r.class_id, r.allocation_ratio, NULL) FROM gone r;
    RETURN NULL;
END $$;
CREATE TRIGGER ratio_went AFTER DELETE ON inventory REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ratio_went();
