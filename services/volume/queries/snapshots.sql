-- snapshot_lock(id text) :opt -> (id text)
SELECT id FROM snapshot WHERE id = $1 FOR UPDATE;

-- snapshot_set_state(id text, state text) :exec
UPDATE snapshot SET state = $2, updated_at = clock_timestamp() WHERE id = $1;

-- snapshot_set_metadata(id text, metadata jsonb) :exec
UPDATE snapshot SET metadata = $2, updated_at = clock_timestamp() WHERE id = $1;

-- snapshot_forget(id text) :exec
DELETE FROM snapshot WHERE id = $1;

-- snapshot_copies(id text) :one -> (copies int8)
SELECT count(*) FROM volume v JOIN saga s ON s.object_id = v.id AND s.status = 'open' AND s.name = 'volume.create' WHERE v.snapshot_id = $1;

-- snapshots_of(volume_id text) :many -> (id text, status text)
SELECT id, status FROM snapshot_seen WHERE volume_id = $1 ORDER BY id;
