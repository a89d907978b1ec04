-- app_cred_by_id(id text) :opt -> app_cred_login_row (id text, user_id text, project_id text, secret_hash text, expires_at timestamptz?, unrestricted bool)
SELECT id, user_id, project_id, secret_hash, expires_at, unrestricted FROM application_credential WHERE id = $1;

-- app_cred_by_name(user_id text, name text) :opt -> app_cred_login_row
SELECT id, user_id, project_id, secret_hash, expires_at, unrestricted FROM application_credential WHERE user_id = $1 AND name = $2;

-- app_cred_named(id text) :opt -> (name text)
SELECT name FROM application_credential WHERE id = $1;

-- app_cred_count(user_id text) :one credential -> (count int8)
SELECT count(*) AS count FROM application_credential WHERE user_id = $1;

-- app_cred_role_add(application_credential_id text, role_id text) :exec
INSERT INTO application_credential_role (application_credential_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- app_cred_rule_add(application_credential_id text, access_rule_id text, number int4) :exec
INSERT INTO application_credential_access_rule (application_credential_id, access_rule_id, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- app_cred_roles(ids text[]) :many -> (application_credential_id text, id text, name text, domain_id text?, description text?, options jsonb)
SELECT a.application_credential_id, r.id, r.name, r.domain_id, r.description, r.options
FROM application_credential_role a JOIN role r ON r.id = a.role_id WHERE a.application_credential_id = ANY($1::text[]) ORDER BY a.application_credential_id, r.name, r.id;

-- app_cred_rules(ids text[]) :many -> (application_credential_id text, id text, service text, method text, path text)
SELECT a.application_credential_id, r.id, r.service, r.method, r.path
FROM application_credential_access_rule a JOIN access_rule r ON r.id = a.access_rule_id
WHERE a.application_credential_id = ANY($1::text[]) ORDER BY a.application_credential_id, a.number;

-- What its roles are worth: with those they imply.
-- app_cred_effective_roles(id text) :many -> effective_role_row (id text)
WITH RECURSIVE closure AS (
    SELECT role_id AS id FROM application_credential_role WHERE application_credential_id = $1
    UNION SELECT i.implied_role_id FROM implied_role i JOIN closure c ON i.prior_role_id = c.id
)
SELECT id FROM closure;

-- Of one project, or of all. Their tokens end by a revocation of the caller's.
-- app_creds_forget(user_id text, project_id text?) :exec
DELETE FROM application_credential WHERE user_id = $1 AND ($2::text IS NULL OR project_id = $2);

-- Of those who were given the role itself: where it goes, what they left to programs goes.
-- app_creds_forget_role(role_id text) :exec
DELETE FROM application_credential c USING assignment a
WHERE a.role_id = $1 AND a.actor_type = 'user' AND a.target_type = 'project' AND a.actor_id = c.user_id AND a.target_id = c.project_id;

-- access_rule_ensure(id text, user_id text, service text, path text, method text) :one rule -> (id text)
INSERT INTO access_rule (id, user_id, service, path, method) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, service, path, method) DO UPDATE SET method = EXCLUDED.method RETURNING id;

-- access_rule_of(id text, user_id text) :opt -> (service text, path text, method text)
SELECT service, path, method FROM access_rule WHERE id = $1 AND user_id = $2;

-- access_rule_used(id text) :opt -> (id text)
SELECT access_rule_id AS id FROM application_credential_access_rule WHERE access_rule_id = $1 LIMIT 1;

-- role_id_by_name(name text) :opt -> (id text)
SELECT id FROM role WHERE name = $1 AND domain_id IS NULL;
