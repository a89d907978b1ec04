-- credential_find(id text) :opt -> credential_row (id text, user_id text, project_id text?, type text, blob text?, sealed text?, sealed_by text?)
SELECT id, user_id, project_id, type, blob, sealed, sealed_by FROM credential WHERE id = $1;

-- credentials_of_user(user_id text?, type text) :many -> credential_row
SELECT id, user_id, project_id, type, blob, sealed, sealed_by FROM credential WHERE user_id = $1 AND type = $2 ORDER BY id;

-- credential_count(user_id text) :one credential -> (count int8)
SELECT count(*) FROM credential WHERE user_id = $1;

-- credentials_not_sealed_by(key text, count int8) :many -> credential_row
SELECT id, user_id, project_id, type, blob, sealed, sealed_by FROM credential WHERE sealed_by IS DISTINCT FROM $1 ORDER BY id LIMIT $2 FOR UPDATE;

-- credentials_open(count int8) :many -> credential_row
SELECT id, user_id, project_id, type, blob, sealed, sealed_by FROM credential WHERE sealed IS NULL ORDER BY id LIMIT $1 FOR UPDATE;

-- credential_reseal(id text, sealed text, sealed_by text) :exec
UPDATE credential SET sealed = $2, sealed_by = $3, blob = NULL WHERE id = $1;

-- credential_keys_used() :many -> (key text)
SELECT DISTINCT sealed_by AS key FROM credential WHERE sealed_by IS NOT NULL;

-- credential_use_step(id text, step int8) :exec
UPDATE credential SET last_step = $2 WHERE id = $1 AND (last_step IS NULL OR last_step < $2);
