-- Claims. The order of locks is the same everywhere: consumers by UUID, then providers with their inventories by number.

-- A claim's statements are short and always the same: planning them for their values each time costs as much as running them.
-- claim_plans() :later
SET LOCAL plan_cache_mode = force_generic_plan;

-- consumer_lock(uuid text) :opt -> (id int8, generation int8)
SELECT id, generation FROM consumer WHERE uuid = $1 FOR UPDATE;

-- 0 rows: there is one of that name already, perhaps since a moment ago.
-- consumer_insert(uuid text, generation int8, project_id text, user_id text, type text?) :opt -> (id int8)
INSERT INTO consumer (uuid, generation, project_id, user_id, type) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (uuid) DO NOTHING RETURNING id;

-- consumer_change(id int8, project_id text, user_id text, type text?) :later
UPDATE consumer SET generation = generation + 1, project_id = $2, user_id = $3, type = COALESCE($4, type), updated_at = clock_timestamp()
WHERE id = $1;

-- consumer_remove(id int8) :later
DELETE FROM consumer WHERE id = $1;

-- consumer_find(uuid text) :opt -> (generation int8, project_id text, user_id text, type text?)
SELECT generation, project_id, user_id, type FROM consumer WHERE uuid = $1;

-- allocation_held(consumer_id int8) :many -> (provider_id int8, provider_uuid text, class_id int4, used int8)
SELECT a.provider_id, p.uuid AS provider_uuid, a.class_id, a.used FROM allocation a JOIN provider p ON p.id = a.provider_id WHERE a.consumer_id = $1;

-- Providers with their inventories, all locked. Both are read in the version that the lock gave, not in the statement's
-- snapshot, because both are locked: what the check looks at is true until the commit.
-- claim_lock(providers text[]) :many -> claim_row (provider_id int8, provider_uuid text, class_id int4, class_name text, total int8, reserved int8, min_unit int8, max_unit int8, step_size int8, allocation_ratio float8, used int8)
SELECT p.id AS provider_id, p.uuid AS provider_uuid, i.class_id, c.name AS class_name, i.total, i.reserved, i.min_unit, i.max_unit,
       i.step_size, i.allocation_ratio, i.used
FROM provider p JOIN inventory i ON i.provider_id = p.id JOIN resource_class c ON c.id = i.class_id
WHERE p.uuid = ANY ($1::text[]) ORDER BY p.id, i.class_id FOR NO KEY UPDATE OF p, i;

-- Those of 'uuids' that are no provider.
-- provider_unknown(uuids text[]) :many -> (uuid text)
SELECT u AS uuid FROM unnest($1::text[]) AS u WHERE NOT EXISTS (SELECT FROM provider p WHERE p.uuid = u) ORDER BY u;

-- allocation_forget(consumers text[]) :later
DELETE FROM allocation WHERE consumer_id = ANY ($1::text[]::int8[]);

-- Everything a claim writes, in one go: allocations (four columns of the same length), what they add to each inventory (three),
-- and how far each provider's generation moves (two).
-- claim_write(consumers text[], providers text[], classes text[], amounts text[], stock_providers text[], stock_classes text[], stock_changes text[], touched text[], bumps text[]) :later
WITH fresh AS (
    INSERT INTO allocation (consumer_id, provider_id, class_id, used)
    SELECT a, b, c, d FROM unnest($1::text[]::int8[], $2::text[]::int8[], $3::text[]::int4[], $4::text[]::int8[]) AS x (a, b, c, d)
), stocks AS (
    UPDATE inventory i SET used = i.used + x.c FROM unnest($5::text[]::int8[], $6::text[]::int4[], $7::text[]::int8[]) AS x (a, b, c)
    WHERE i.provider_id = x.a AND i.class_id = x.b
)
UPDATE provider p SET generation = p.generation + x.b, updated_at = clock_timestamp()
FROM unnest($8::text[]::int8[], $9::text[]::int8[]) AS x (a, b) WHERE p.id = x.a;

-- allocations_of(uuid text) :many -> (provider_uuid text, provider_generation int8, class_name text, used int8, created_at timestamptz)
SELECT p.uuid AS provider_uuid, p.generation AS provider_generation, k.name AS class_name, a.used, a.created_at
FROM consumer c JOIN allocation a ON a.consumer_id = c.id JOIN provider p ON p.id = a.provider_id JOIN resource_class k ON k.id = a.class_id
WHERE c.uuid = $1 ORDER BY p.id, k.id;

-- allocations_on(provider_id int8) :many -> (consumer_uuid text, consumer_generation int8, class_name text, used int8, created_at timestamptz)
SELECT c.uuid AS consumer_uuid, c.generation AS consumer_generation, k.name AS class_name, a.used, a.created_at
FROM allocation a JOIN consumer c ON c.id = a.consumer_id JOIN resource_class k ON k.id = a.class_id
WHERE a.provider_id = $1 ORDER BY c.id, k.id;

-- usage_total(project_id text, user_id text?, untyped bool) :many -> (class_name text, used int8)
SELECT k.name AS class_name, sum(a.used)::int8 AS used
FROM consumer c JOIN allocation a ON a.consumer_id = c.id JOIN resource_class k ON k.id = a.class_id
WHERE c.project_id = $1 AND ($2::text IS NULL OR c.user_id = $2) AND (NOT $3::bool OR c.type IS NULL) GROUP BY k.id ORDER BY k.id;

-- usage_consumers(project_id text, user_id text?, untyped bool) :one -> (consumers int8)
SELECT count(*) AS consumers FROM consumer c
WHERE c.project_id = $1 AND ($2::text IS NULL OR c.user_id = $2) AND (NOT $3::bool OR c.type IS NULL)
  AND EXISTS (SELECT FROM allocation a WHERE a.consumer_id = c.id);

-- usage_by_type(project_id text, user_id text?, type text?) :many -> (type text, class_name text, used int8, consumers int8)
WITH mine AS (
    SELECT id, COALESCE(type, 'unknown') AS type FROM consumer
    WHERE project_id = $1 AND ($2::text IS NULL OR user_id = $2) AND ($3::text IS NULL OR consumer.type = $3)
), counts AS (
    SELECT type, count(*) AS consumers FROM mine WHERE EXISTS (SELECT FROM allocation a WHERE a.consumer_id = mine.id) GROUP BY type
)
SELECT m.type, k.name AS class_name, sum(a.used)::int8 AS used, min(n.consumers) AS consumers
FROM mine m JOIN counts n ON n.type = m.type JOIN allocation a ON a.consumer_id = m.id JOIN resource_class k ON k.id = a.class_id
GROUP BY m.type, k.id ORDER BY m.type, k.id;
