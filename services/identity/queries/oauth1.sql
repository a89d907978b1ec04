-- oauth_consumer_secret(id text) :opt -> (secret text)
SELECT secret FROM oauth_consumer WHERE id = $1;

-- oauth_nonce_take(consumer_id text, nonce text, signed_at timestamptz) :exec
INSERT INTO oauth_nonce (consumer_id, nonce, signed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- oauth_forget(before timestamptz) :exec
WITH gone AS (DELETE FROM oauth_request_token WHERE expires_at < $1)
DELETE FROM oauth_nonce WHERE signed_at < $1;

-- oauth_request_add(id text, secret text, consumer_id text, project_id text, expires_at timestamptz) :exec
INSERT INTO oauth_request_token (id, secret, consumer_id, project_id, expires_at) VALUES ($1, $2, $3, $4, $5);

-- oauth_request_find(id text) :opt -> (secret text, consumer_id text, project_id text, user_id text?, verifier text?, expires_at timestamptz)
SELECT secret, consumer_id, project_id, user_id, verifier, expires_at FROM oauth_request_token WHERE id = $1 FOR UPDATE;

-- oauth_request_authorize(id text, user_id text, verifier text, role_ids text[]) :exec
UPDATE oauth_request_token SET user_id = $2, verifier = $3, role_ids = to_jsonb($4::text[]) WHERE id = $1;

-- What was authorized becomes an access token, once.
-- oauth_access_make(request_id text, id text, secret text, expires_at timestamptz?) :exec
WITH used AS (DELETE FROM oauth_request_token WHERE id = $1 AND user_id IS NOT NULL RETURNING *)
INSERT INTO oauth_access_token (id, secret, consumer_id, project_id, user_id, role_ids, expires_at)
SELECT $2, $3, consumer_id, project_id, user_id, role_ids, $4 FROM used;

-- oauth_access_find(id text) :opt -> (secret text, consumer_id text, project_id text, user_id text, expires_at timestamptz?)
SELECT secret, consumer_id, project_id, user_id, expires_at FROM oauth_access_token WHERE id = $1;

-- oauth_access_roles(id text) :many -> (id text)
SELECT r.value AS id FROM oauth_access_token t, jsonb_array_elements_text(t.role_ids) r WHERE t.id = $1;

-- oauth_effective_roles(id text) :many -> effective_role_row
WITH RECURSIVE closure AS (
    SELECT r.value AS id FROM oauth_access_token t, jsonb_array_elements_text(t.role_ids) r WHERE t.id = $1
    UNION SELECT i.implied_role_id FROM implied_role i JOIN closure c ON i.prior_role_id = c.id
)
SELECT id FROM closure;
