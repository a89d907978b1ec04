-- attachment_add(server_id text, volume_id text, device text?, boot_index int8, delete_on_termination bool, tag text?) :exec
INSERT INTO attachment (server_id, volume_id, device, boot_index, delete_on_termination, tag) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (server_id, volume_id) DO NOTHING;

-- attachment_connected(server_id text, volume_id text, attachment_id text, connection jsonb) :exec
UPDATE attachment SET attachment_id = $3, connection = $4 WHERE server_id = $1 AND volume_id = $2;

-- attachment_disconnected(server_id text, volume_id text) :exec
UPDATE attachment SET attachment_id = NULL, connection = NULL, device = NULL WHERE server_id = $1 AND volume_id = $2;

-- attachment_set_device(server_id text, volume_id text, device text) :exec
UPDATE attachment SET device = $3 WHERE server_id = $1 AND volume_id = $2;

-- attachment_remove(server_id text, volume_id text) :exec
DELETE FROM attachment WHERE server_id = $1 AND volume_id = $2;

-- attachments_of(server_id text) :many -> attachment_row (server_id text, volume_id text, attachment_id text?, device text?, boot_index int8, delete_on_termination bool, tag text?, connection jsonb?)
SELECT server_id, volume_id, attachment_id, device, boot_index, delete_on_termination, tag, connection
FROM attachment WHERE server_id = $1 ORDER BY created_at, volume_id;

-- attachment_get(server_id text, volume_id text) :opt -> attachment_row
SELECT server_id, volume_id, attachment_id, device, boot_index, delete_on_termination, tag, connection
FROM attachment WHERE server_id = $1 AND volume_id = $2;
