-- Daemons keep in memory what every token's body needs; each hears on this channel when another one has changed it.
-- works-with-older-builds
--
-- A table that the catalogue is made of has a trigger like those below: CREATE TRIGGER tell ... tell_change('catalog').

CREATE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('virga_identity', TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON service FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON endpoint FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');
CREATE TRIGGER tell AFTER INSERT ON revocation FOR EACH STATEMENT EXECUTE FUNCTION tell_change('revocation');
