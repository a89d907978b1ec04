-- boot_domain(id text, name text) :exec
INSERT INTO domain (id, name, description) VALUES ($1, $2, 'The default domain') ON CONFLICT DO NOTHING;

-- boot_role(id text, name text) :exec
INSERT INTO role (id, name, options) SELECT $1, $2, '{"immutable": true}' WHERE NOT EXISTS (SELECT 1 FROM role WHERE name = $2 AND domain_id IS NULL);

-- boot_imply(prior_name text, implied_name text) :exec
INSERT INTO implied_role (prior_role_id, implied_role_id)
SELECT p.id, i.id FROM role p, role i WHERE p.name = $1 AND p.domain_id IS NULL AND i.name = $2 AND i.domain_id IS NULL ON CONFLICT DO NOTHING;

-- boot_project(id text, name text) :exec
INSERT INTO project (id, name, domain_id, parent_id, description) VALUES ($1, $2, 'default', 'default', '') ON CONFLICT DO NOTHING;

-- boot_user(id text, name text, password_hash text) :exec
INSERT INTO account (id, name, domain_id, password_hash, password_changed_at) VALUES ($1, $2, 'default', $3, clock_timestamp())
ON CONFLICT (domain_id, name) WHERE NOT shadow DO UPDATE SET password_hash = excluded.password_hash, password_changed_at = excluded.password_changed_at,
    password_expires_at = NULL, password_self_service = false, failed_logins = 0, failed_login_at = NULL, enabled = true;

-- boot_assign(role_name text, user_name text, project_name text) :exec
INSERT INTO assignment (role_id, actor_type, actor_id, target_type, target_id)
SELECT r.id, 'user', a.id, 'project', p.id FROM role r, account a, project p
WHERE r.name = $1 AND r.domain_id IS NULL AND a.name = $2 AND a.domain_id = 'default' AND NOT a.shadow AND p.name = $3 AND p.domain_id = 'default'
ON CONFLICT DO NOTHING;

-- boot_assign_system(role_name text, user_name text) :exec
INSERT INTO assignment (role_id, actor_type, actor_id, target_type, target_id)
SELECT r.id, 'user', a.id, 'system', 'all' FROM role r, account a
WHERE r.name = $1 AND r.domain_id IS NULL AND a.name = $2 AND a.domain_id = 'default' AND NOT a.shadow ON CONFLICT DO NOTHING;

-- boot_region(id text) :exec
INSERT INTO region (id, description) VALUES ($1, '') ON CONFLICT DO NOTHING;

-- boot_service(id text, type text, name text) :exec
INSERT INTO service (id, type, name) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM service WHERE type = $2);

-- boot_endpoint(id text, type text, interface text, region_id text, url text) :exec
WITH s AS (SELECT id FROM service WHERE type = $2 LIMIT 1), changed AS (
    UPDATE endpoint SET url = $5 WHERE service_id = (SELECT id FROM s) AND interface = $3 AND region_id = $4 RETURNING id
)
INSERT INTO endpoint (id, service_id, region_id, interface, url)
SELECT $1, s.id, $4, $3, $5 FROM s WHERE NOT EXISTS (SELECT 1 FROM changed);
