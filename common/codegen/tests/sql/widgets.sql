-- Widgets, as the golden test of sql.py has them: each mode, each type, each kind of NULL.

-- Locks a widget; what the caller decides next stays true until the commit.
-- widget_lock(id text, scope text?) :one widget -> (status text, size_gb int8)
SELECT status, size_gb FROM widget WHERE id = $1 AND ($2::text IS NULL OR project_id = $2) FOR UPDATE;

-- widget_find(name text) :opt -> widget_row (
--     id text, name text?, size_gb int8, parts int4?, weight float8?, ready bool, broken bool?,
--     created_at timestamptz, deleted_at timestamptz?, extra jsonb, notes jsonb?, tags text[], hosts text[]?)
SELECT id, name, size_gb, parts, weight, ready, broken,
       created_at, deleted_at, extra, notes, tags, hosts
  FROM widget
 WHERE name = $1
 LIMIT 2;

-- widget_list() :many -> widget_row
SELECT id, name, size_gb, parts, weight, ready, broken, created_at, deleted_at, extra, notes, tags, hosts
  FROM widget -- "All" of them; a ';' in a comment ends nothing.
 WHERE name IS DISTINCT FROM 'a;b $7 \ ??/' ORDER BY id;

-- widget_put(id text, name text?, size_gb int8, parts int4?, weight float8?, ready bool, broken bool?,
--     created_at timestamptz, deleted_at timestamptz?, extra jsonb, notes jsonb?, tags text[], hosts text[]?) :exec
INSERT INTO widget (id, name, size_gb, parts, weight, ready, broken, created_at, deleted_at, extra, notes, tags, hosts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- widget_remove_all() :exec
DELETE FROM widget;

-- widget_by_owner(owner_id text) :one project widget -> (id text?)
SELECT id FROM widget WHERE project_id = $1;

-- widget_total() :one -> (total int8)
SELECT count(*) AS total FROM widget;

-- Goes along with the commit.
-- widget_rename(id text, name text?) :later
UPDATE widget SET name = $2 WHERE id = $1;

-- widget_settings() :later
SET LOCAL plan_cache_mode = force_generic_plan;
