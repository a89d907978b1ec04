-- Providers: their rows, trees, traits and aggregates. Who writes here has locked the provider's row first.

-- provider_find(uuid text) :opt -> provider_row (id int8, uuid text, name text, generation int8, parent_id int8?, parent_uuid text?, root_id int8, root_uuid text, updated_at timestamptz)
SELECT p.id, p.uuid, p.name, p.generation, p.parent_id, u.uuid AS parent_uuid, p.root_id, r.uuid AS root_uuid, p.updated_at
FROM provider p JOIN provider r ON r.id = p.root_id LEFT JOIN provider u ON u.id = p.parent_id WHERE p.uuid = $1;

-- The row of a provider, ours until the commit. Its parent and root cannot change either: that needs this lock.
-- provider_lock(uuid text) :opt -> (id int8, generation int8)
SELECT id, generation FROM provider WHERE uuid = $1 FOR NO KEY UPDATE;

-- providers_lock(uuids text[]) :many -> (id int8, uuid text, generation int8)
SELECT id, uuid, generation FROM provider WHERE uuid = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE;

-- provider_insert(uuid text, name text, parent_uuid text?) :one -> (id int8)
WITH fresh AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('provider', 'id')) AS id)
INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE
SELECT fresh.id, $1, $2, u.id, COALESCE(u.root_id, fresh.id) FROM fresh LEFT JOIN provider u ON u.uuid = $3::text
RETURNING id;

-- provider_rename(id int8, name text) :exec
UPDATE provider SET name = $2, updated_at = clock_timestamp() WHERE id = $1;

-- The provider and all below it, so that their new root is told to the mirrors.
-- provider_move(id int8, parent_id int8?, root_id int8) :exec
WITH RECURSIVE below AS (
    SELECT id FROM provider WHERE id = $1
    UNION ALL SELECT p.id FROM provider p JOIN below b ON p.parent_id = b.id
)
UPDATE provider p SET root_id = $3, parent_id = CASE WHEN p.id = $1 THEN $2::int8 ELSE p.parent_id END, updated_at = clock_timestamp()
FROM below b WHERE p.id = b.id;

-- provider_is_below(id int8, ancestor_id int8) :one -> (below bool)
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM provider WHERE id = $1
    UNION ALL SELECT p.id, p.parent_id FROM provider p JOIN above a ON p.id = a.parent_id
)
SELECT EXISTS (SELECT FROM above WHERE id = $2) AS below;

-- provider_has_children(id int8) :one -> (children bool)
SELECT EXISTS (SELECT FROM provider WHERE parent_id = $1) AS children;

-- provider_has_allocations(id int8) :one -> (allocated bool)
SELECT EXISTS (SELECT FROM allocation WHERE provider_id = $1) AS allocated;

-- provider_remove(id int8) :exec
DELETE FROM provider WHERE id = $1;

-- What hangs on the provider changed; 'bump': by a change that clients must know of.
-- provider_touch(id int8, bump int8) :one -> (generation int8, updated_at timestamptz)
UPDATE provider SET generation = generation + $2, updated_at = clock_timestamp() WHERE id = $1 RETURNING generation, updated_at;

-- provider_trait_list(id int8) :many -> trait_row (name text, created_at timestamptz)
SELECT t.name, t.created_at FROM provider_trait x JOIN trait t ON t.id = x.trait_id WHERE x.provider_id = $1 ORDER BY t.name;

-- Makes the traits of a provider these; how many rows that changed.
-- provider_trait_set(id int8, names text[]) :one -> (changed int8)
WITH gone AS (
    DELETE FROM provider_trait x USING trait t WHERE x.provider_id = $1 AND t.id = x.trait_id AND t.name <> ALL ($2::text[]) RETURNING 1
), fresh AS (
    INSERT INTO provider_trait (provider_id, trait_id) SELECT $1, id FROM trait WHERE name = ANY ($2::text[])
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM fresh) AS changed;

-- aggregate_list(id int8) :many -> (aggregate text)
SELECT aggregate FROM provider_aggregate WHERE provider_id = $1 ORDER BY aggregate;

-- aggregate_set(id int8, aggregates text[]) :exec
WITH gone AS (DELETE FROM provider_aggregate WHERE provider_id = $1 AND aggregate <> ALL ($2::text[]))
INSERT INTO provider_aggregate (provider_id, aggregate) SELECT DISTINCT $1, x FROM unnest($2::text[]) AS x ON CONFLICT DO NOTHING;
