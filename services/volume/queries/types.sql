-- type_find(name_or_id text, project_id text?) :opt -> type_row (id text, name text, extra_specs jsonb)
SELECT id, name, extra_specs FROM volume_type t WHERE (id = $1 OR name = $1) AND (is_public OR $2::text IS NULL
    OR EXISTS (SELECT 1 FROM volume_type_access a WHERE a.type_id = t.id AND a.project_id = $2)) ORDER BY id = $1 DESC LIMIT 1;

-- type_default(project_id text, name text) :opt -> type_row
SELECT t.id, t.name, t.extra_specs FROM volume_type t LEFT JOIN default_type d ON d.type_id = t.id AND d.project_id = $1
WHERE d.project_id IS NOT NULL OR t.name = $2 ORDER BY d.project_id IS NULL LIMIT 1;

-- type_by_id(id text) :opt -> type_row
SELECT id, name, extra_specs FROM volume_type WHERE id = $1;

-- types_names() :many -> (name text)
SELECT name FROM volume_type ORDER BY name;

-- type_set_specs(id text, extra_specs jsonb) :exec
UPDATE volume_type SET extra_specs = $2, updated_at = clock_timestamp() WHERE id = $1;

-- type_volumes(id text) :one -> (count int8)
SELECT count(*) FROM volume WHERE type_id = $1;

-- type_access_ids(type_id text) :many -> (project_id text)
SELECT project_id FROM volume_type_access WHERE type_id = $1 ORDER BY project_id;

-- type_access_insert(type_id text, project_id text) :exec
INSERT INTO volume_type_access (type_id, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- type_access_delete(type_id text, project_id text) :exec
DELETE FROM volume_type_access WHERE type_id = $1 AND project_id = $2;

-- default_types() :many -> (project_id text, type_id text)
SELECT project_id, type_id FROM default_type ORDER BY project_id;

-- default_type_get(project_id text) :opt -> (type_id text)
SELECT type_id FROM default_type WHERE project_id = $1;

-- default_type_put(project_id text, type_id text) :exec
INSERT INTO default_type (project_id, type_id) VALUES ($1, $2) ON CONFLICT (project_id) DO UPDATE SET type_id = excluded.type_id;

-- default_type_remove(project_id text) :exec
DELETE FROM default_type WHERE project_id = $1;
