-- domain_config_rows(domain_id text, section text?, name text?) :many -> domain_option_row (section text, name text, value jsonb)
SELECT section, name, value FROM domain_config
WHERE domain_id = $1 AND ($2::text IS NULL OR section = $2) AND ($3::text IS NULL OR name = $3) ORDER BY section, name;

-- domain_secret_rows(domain_id text, section text?, name text?) :many -> domain_option_row
SELECT section, name, value FROM domain_secret
WHERE domain_id = $1 AND ($2::text IS NULL OR section = $2) AND ($3::text IS NULL OR name = $3) ORDER BY section, name;

-- domain_config_put(domain_id text, section text, name text, value jsonb) :exec
INSERT INTO domain_config (domain_id, section, name, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (domain_id, section, name) DO UPDATE SET value = excluded.value;

-- domain_secret_put(domain_id text, section text, name text, value jsonb) :exec
INSERT INTO domain_secret (domain_id, section, name, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (domain_id, section, name) DO UPDATE SET value = excluded.value;

-- domain_config_forget(domain_id text, section text?, name text?) :exec
DELETE FROM domain_config WHERE domain_id = $1 AND ($2::text IS NULL OR section = $2) AND ($3::text IS NULL OR name = $3);

-- domain_secret_forget(domain_id text, section text?, name text?) :exec
DELETE FROM domain_secret WHERE domain_id = $1 AND ($2::text IS NULL OR section = $2) AND ($3::text IS NULL OR name = $3);
