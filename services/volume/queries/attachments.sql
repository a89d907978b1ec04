-- attachments_of(volume_ids text[]) :many -> attachment_row (id text, volume_id text, instance text?, host text?, device text?, status text, attached_at timestamptz?)
SELECT id, volume_id, instance, host, device, status, attached_at FROM attachment_seen WHERE volume_id = ANY($1) ORDER BY volume_id, created_at, id;

-- attachment_add(id text, volume_id text, project_id text, instance text?, host text?, attach_mode text, state text, connector jsonb?) :exec
INSERT INTO attachment (id, volume_id, project_id, instance, host, attach_mode, state, connector) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- attachment_set_connector(id text, host text?, connector jsonb) :exec
UPDATE attachment SET host = $2, connector = $3, state = 'attaching', updated_at = clock_timestamp() WHERE id = $1;

-- attachment_connected(id text, connection_info jsonb) :exec
UPDATE attachment SET connection_info = $2, state = CASE WHEN state = 'attached' THEN state ELSE 'attaching' END, updated_at = clock_timestamp() WHERE id = $1;

-- attachment_disconnected(id text, state text) :exec
UPDATE attachment SET connection_info = '{}', state = $2, updated_at = clock_timestamp() WHERE id = $1;

-- attachment_set_state(id text, state text) :exec
UPDATE attachment SET state = $2, updated_at = clock_timestamp() WHERE id = $1;

-- attachment_attached(id text) :exec
UPDATE attachment SET state = 'attached', attached_at = COALESCE(attached_at, clock_timestamp()), updated_at = clock_timestamp() WHERE id = $1;

-- attachment_forget(id text) :exec
DELETE FROM attachment WHERE id = $1;

-- attachment_set_device(id text, device text?) :exec
UPDATE attachment SET device = $2, attached_at = clock_timestamp() WHERE id = $1;

-- attachment_forget_plain(volume_id text, id text?) :exec
DELETE FROM attachment WHERE volume_id = $1 AND ($2::text IS NULL OR id = $2) AND connector IS NULL AND state = 'attached';
