-- volume_lock(id text) :opt -> (id text)
SELECT id FROM volume WHERE id = $1 FOR UPDATE;

-- volume_place(id text, host text?, backend_name text?) :exec
UPDATE volume SET host = $2, backend_name = $3, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_state(id text, state text) :exec
UPDATE volume SET state = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_fault(id text, state text, fault text) :exec
UPDATE volume SET state = $2, fault = $3, updated_at = clock_timestamp() WHERE id = $1;

-- volume_ready(id text) :exec
UPDATE volume SET state = 'ready', fault = NULL, launched_at = COALESCE(launched_at, clock_timestamp()), updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_growing(id text, size_gb int8?) :exec
UPDATE volume SET growing_to_gb = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_grown(id text, size_gb int8) :exec
UPDATE volume SET size_gb = $2, growing_to_gb = NULL, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_bootable(id text, bootable bool) :exec
UPDATE volume SET bootable = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_read_only(id text, read_only bool) :exec
UPDATE volume SET read_only = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_metadata(id text, metadata jsonb) :exec
UPDATE volume SET metadata = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_set_image_metadata(id text, image_metadata jsonb) :exec
UPDATE volume SET image_metadata = $2, updated_at = clock_timestamp() WHERE id = $1;

-- volume_forget(id text) :exec
DELETE FROM volume WHERE id = $1;

-- volume_dependents(id text) :one -> (snapshots int8, attachments int8, copies int8)
SELECT (SELECT count(*) FROM snapshot WHERE volume_id = $1), (SELECT count(*) FROM attachment WHERE volume_id = $1),
    (SELECT count(*) FROM volume v JOIN saga s ON s.object_id = v.id AND s.status = 'open' AND s.name = 'volume.create' WHERE v.source_volume_id = $1);

-- volumes_summed(project_id text?) :one -> (count int8, size_gb int8)
SELECT count(*), COALESCE(sum(size_gb), 0)::bigint FROM volume WHERE $1::text IS NULL OR project_id = $1;

-- volumes_used(project_id text) :many -> (type_name text?, volumes int8, gigabytes int8, snapshots int8)
SELECT t.name, sum(u.volumes)::bigint, sum(u.size_gb)::bigint, sum(u.snapshots)::bigint
FROM (SELECT type_id, 1 AS volumes, 0 AS snapshots, GREATEST(size_gb, growing_to_gb) AS size_gb FROM volume WHERE project_id = $1
      UNION ALL
      SELECT v.type_id, 0, 1, s.size_gb FROM snapshot s JOIN volume v ON v.id = s.volume_id WHERE s.project_id = $1) AS u
LEFT JOIN volume_type t ON t.id = u.type_id GROUP BY t.name ORDER BY t.name;
