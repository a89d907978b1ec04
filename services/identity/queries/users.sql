-- account_by_id(id text) :opt -> account_login_row (id text, name text, domain_id text, domain_name text, enabled bool, domain_enabled bool, password_hash text?, password_expires_at timestamptz?, default_project_id text?, options jsonb, active_at timestamptz)
SELECT a.id, a.name, a.domain_id, d.name AS domain_name, a.enabled, d.enabled AS domain_enabled, a.password_hash, a.password_expires_at, a.default_project_id, a.options, COALESCE(a.last_active_at, a.created_at) AS active_at
FROM account a JOIN domain d ON d.id = a.domain_id WHERE a.id = $1;

-- account_by_name(name text, domain_id text?, domain_name text?) :opt -> account_login_row
SELECT a.id, a.name, a.domain_id, d.name AS domain_name, a.enabled, d.enabled AS domain_enabled, a.password_hash, a.password_expires_at, a.default_project_id, a.options, COALESCE(a.last_active_at, a.created_at) AS active_at
FROM account a JOIN domain d ON d.id = a.domain_id
WHERE a.name = $1 AND NOT a.shadow AND ($2::text IS NULL OR d.id = $2) AND ($3::text IS NULL OR d.name = $3) LIMIT 1;

-- account_password(id text) :opt -> (password_hash text?, password_changed_at timestamptz?, self_service bool)
SELECT password_hash, password_changed_at, password_self_service AS self_service FROM account WHERE id = $1 FOR UPDATE;

-- account_set_password(id text, password_hash text, now timestamptz, expires_at timestamptz?) :exec
UPDATE account SET password_hash = $2, password_changed_at = $3, password_expires_at = $4, password_self_service = true WHERE id = $1;

-- account_renew_hash(id text, old_hash text, password_hash text) :exec
UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2;

-- old_password_add(user_id text, password_hash text) :exec
INSERT INTO old_password (user_id, password_hash) VALUES ($1, $2);

-- old_passwords_forget(user_id text, keep int8) :exec
DELETE FROM old_password WHERE user_id = $1 AND number NOT IN (SELECT number FROM old_password WHERE user_id = $1 ORDER BY number DESC LIMIT $2);

-- old_passwords(user_id text, count int8) :many -> (password_hash text)
SELECT password_hash FROM old_password WHERE user_id = $1 ORDER BY number DESC LIMIT $2;

-- account_seen(id text, now timestamptz, since timestamptz) :exec
UPDATE account SET last_active_at = $2 WHERE id = $1 AND (last_active_at IS NULL OR last_active_at < $3);

-- account_unlock(id text) :exec
UPDATE account SET failed_logins = 0, failed_login_at = NULL WHERE id = $1 AND failed_logins > 0;

-- account_open(id text?, most int8, since timestamptz) :opt -> (failed int8)
SELECT failed_logins::bigint AS failed FROM account WHERE id = $1 AND NOT (failed_logins >= $2::bigint AND failed_login_at > $3);

-- account_attempt_failed(id text?, most int8, since timestamptz, decoy int8) :exec
WITH counted AS (
    UPDATE account SET failed_logins = CASE WHEN failed_logins >= $2::bigint THEN 1 ELSE failed_logins + 1 END, failed_login_at = clock_timestamp()
    WHERE id = $1 AND NOT (failed_logins >= $2::bigint AND failed_login_at > $3) RETURNING id
)
UPDATE login_decoy SET spent_at = clock_timestamp() WHERE number = $4::bigint AND NOT EXISTS (SELECT id FROM counted);
