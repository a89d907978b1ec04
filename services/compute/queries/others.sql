-- flavor_for_project(id text, project_id text?) :opt -> (id text)
SELECT id FROM flavor WHERE id = $1 AND (is_public OR $2::text IS NULL
    OR EXISTS (SELECT 1 FROM flavor_access a WHERE a.flavor_id = flavor.id AND a.project_id = $2));

-- flavor_set_specs(id text, extra_specs jsonb) :exec
UPDATE flavor SET extra_specs = $2 WHERE id = $1;

-- flavor_access_ids(flavor_id text) :many -> (project_id text)
SELECT project_id FROM flavor_access WHERE flavor_id = $1 ORDER BY project_id;

-- flavor_access_insert(flavor_id text, project_id text) :exec
INSERT INTO flavor_access (flavor_id, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- flavor_access_delete(flavor_id text, project_id text) :exec
DELETE FROM flavor_access WHERE flavor_id = $1 AND project_id = $2;

-- keypairs_of(user_id text, marker text?, page_size int8) :many -> keypair_row (user_id text, name text, type text, fingerprint text, public_key text, number int8, created_at timestamptz)
SELECT user_id, name, type, fingerprint, public_key, number, created_at FROM keypair
WHERE user_id = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3;

-- keypair_get(user_id text, name text) :opt -> keypair_row
SELECT user_id, name, type, fingerprint, public_key, number, created_at FROM keypair WHERE user_id = $1 AND name = $2;

-- keypair_insert(user_id text, name text, type text, fingerprint text, public_key text) :exec
INSERT INTO keypair (user_id, name, type, fingerprint, public_key) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- keypair_remove(user_id text, name text) :exec
DELETE FROM keypair WHERE user_id = $1 AND name = $2;

-- keypairs_count(user_id text) :one -> (count int8)
SELECT count(*) FROM keypair WHERE user_id = $1;

-- action_begin(server_id text, request_id text, action text, user_id text, project_id text) :exec
INSERT INTO action (server_id, request_id, action, user_id, project_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- action_failed(server_id text, request_id text, message text) :exec
UPDATE action SET message = $3, updated_at = clock_timestamp() WHERE server_id = $1 AND request_id = $2;

-- action_touch(server_id text, request_id text) :exec
UPDATE action SET updated_at = clock_timestamp() WHERE server_id = $1 AND request_id = $2;

-- event_begin(server_id text, request_id text, event text) :exec
INSERT INTO action_event (server_id, request_id, event) VALUES ($1, $2, $3)
ON CONFLICT (server_id, request_id, event) DO UPDATE SET started_at = clock_timestamp(), finished_at = NULL, result = NULL;

-- event_end(server_id text, request_id text, event text, result text) :exec
UPDATE action_event SET result = $4, finished_at = clock_timestamp() WHERE server_id = $1 AND request_id = $2 AND event = $3;

-- actions_of(server_id text) :many -> action_row (request_id text, action text, user_id text, project_id text, message text?, started_at timestamptz, updated_at timestamptz)
SELECT request_id, action, user_id, project_id, message, started_at, updated_at FROM action WHERE server_id = $1 ORDER BY started_at DESC, request_id;

-- action_get(server_id text, request_id text) :opt -> action_row
SELECT request_id, action, user_id, project_id, message, started_at, updated_at FROM action WHERE server_id = $1 AND request_id = $2;

-- events_of(server_id text, request_id text) :many -> (event text, result text?, started_at timestamptz, finished_at timestamptz?)
SELECT event, result, started_at, finished_at FROM action_event WHERE server_id = $1 AND request_id = $2 ORDER BY started_at, event;

-- quota_rows(project_id text) :many -> (name text, value int8)
SELECT name, value FROM quota WHERE project_id = $1 ORDER BY name;

-- quota_set_row(project_id text, name text, value int8) :exec
INSERT INTO quota (project_id, name, value) VALUES ($1, $2, $3) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value;

-- quota_forget(project_id text) :exec
DELETE FROM quota WHERE project_id = $1;
