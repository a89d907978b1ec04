-- scope_project_by_id(id text) :opt -> scope_project_row (id text, name text, domain_id text, domain_name text, enabled bool)
SELECT p.id, p.name, p.domain_id, d.name AS domain_name, p.enabled AND d.enabled AS enabled FROM project p JOIN domain d ON d.id = p.domain_id WHERE p.id = $1;

-- scope_project_by_name(name text, domain_id text?, domain_name text?) :opt -> scope_project_row
SELECT p.id, p.name, p.domain_id, d.name AS domain_name, p.enabled AND d.enabled AS enabled FROM project p JOIN domain d ON d.id = p.domain_id
WHERE p.name = $1 AND ($2::text IS NULL OR d.id = $2) AND ($3::text IS NULL OR d.name = $3) LIMIT 1;

-- scope_domain(id text?, name text?) :opt -> (id text, name text, enabled bool)
SELECT id, name, enabled FROM domain WHERE ($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR name = $2) LIMIT 1;

-- Beside the groups that we know of, here and below: those that his token says he is in.
-- effective_roles(user_id text, target_type text, target_id text, domain_id text?, groups text[]) :many -> (id text, name text)
WITH RECURSIVE actors AS (
    SELECT 'user'::text AS type, $1::text AS id
    UNION SELECT 'group', group_id FROM membership WHERE user_id = $1
    UNION SELECT 'group', unnest($5::text[])
), ancestors AS (
    SELECT parent_id AS id FROM project WHERE id = $3 AND $2 = 'project' AND parent_id IS NOT NULL
    UNION SELECT p.parent_id FROM project p JOIN ancestors a ON p.id = a.id WHERE p.parent_id IS NOT NULL
), held AS (
    SELECT s.role_id FROM assignment s JOIN actors a ON a.type = s.actor_type AND a.id = s.actor_id
    WHERE (s.target_type = $2 AND s.target_id = $3 AND NOT s.inherited)
       OR ($2 = 'project' AND s.inherited AND ((s.target_type = 'domain' AND s.target_id = $4)
           OR (s.target_type = 'project' AND s.target_id IN (SELECT id FROM ancestors))))
), closure AS (
    SELECT role_id AS id FROM held
    UNION SELECT i.implied_role_id FROM implied_role i JOIN closure c ON i.prior_role_id = c.id
)
SELECT r.id, r.name FROM role r JOIN closure c ON c.id = r.id WHERE r.domain_id IS NULL ORDER BY r.name; -- Roles of a domain only imply others.

-- A row per endpoint, or one without for a service that has none. With a filter for the project ('filtered') only what it lets through.
-- catalog_rows(project_id text?) :many -> (service_id text, service_type text, service_name text, filtered bool, endpoint_id text?, interface text?, region_id text?, url text?)
SELECT s.id AS service_id, s.type AS service_type, s.name AS service_name, f.filtered, e.id AS endpoint_id, e.interface, e.region_id, e.url
FROM (SELECT EXISTS (SELECT 1 FROM project_catalog WHERE project_id = $1) AS filtered) f CROSS JOIN service s LEFT JOIN endpoint e ON e.service_id = s.id AND e.enabled
    AND (NOT f.filtered OR e.id IN (SELECT endpoint_id FROM project_catalog WHERE project_id = $1))
WHERE s.enabled AND (e.id IS NOT NULL OR NOT f.filtered) ORDER BY s.type, s.id, e.interface, e.id;

-- own_project_ids(user_id text, groups text[], disabled_too bool) :many -> (id text)
WITH RECURSIVE actors AS (
    SELECT 'user'::text AS type, $1::text AS id
    UNION SELECT 'group', group_id FROM membership WHERE user_id = $1
    UNION SELECT 'group', unnest($2::text[])
), usable AS ( -- Roles that come to one that a token can carry.
    SELECT id FROM role WHERE domain_id IS NULL
    UNION SELECT i.prior_role_id FROM implied_role i JOIN usable u ON u.id = i.implied_role_id
), held AS (
    SELECT s.* FROM assignment s JOIN actors a ON a.type = s.actor_type AND a.id = s.actor_id WHERE s.role_id IN (SELECT id FROM usable)
), below AS (
    SELECT p.id FROM project p JOIN held h ON h.target_type = 'project' AND h.inherited AND h.target_id = p.parent_id
    UNION SELECT p.id FROM project p JOIN below b ON p.parent_id = b.id
)
SELECT p.id FROM project p JOIN domain d ON d.id = p.domain_id
WHERE ($3 OR (p.enabled AND d.enabled)) AND (p.id IN (SELECT id FROM below) OR EXISTS (SELECT 1 FROM held h
    WHERE (h.target_type = 'project' AND h.target_id = p.id AND NOT h.inherited)
       OR (h.target_type = 'domain' AND h.inherited AND h.target_id = p.domain_id))) ORDER BY p.id;

-- own_domain_ids(user_id text, groups text[]) :many -> (id text)
SELECT DISTINCT d.id FROM domain d JOIN assignment s ON s.target_type = 'domain' AND s.target_id = d.id AND NOT s.inherited
WHERE d.enabled AND ((s.actor_type = 'user' AND s.actor_id = $1)
    OR (s.actor_type = 'group' AND (s.actor_id IN (SELECT group_id FROM membership WHERE user_id = $1) OR s.actor_id = ANY($2::text[])))) ORDER BY d.id;

-- The first row is the moment; the others are what has ended tokens since then.
-- login_moment(since timestamptz) :many -> (moment timestamptz, ends jsonb?)
SELECT moment, ends FROM login_moment($1);

-- Until this transaction's end no login begins, and it ends soon also if this daemon is stopped.
-- revocation_moment() :one moment -> (moment timestamptz)
SELECT clock_timestamp() AS moment FROM pg_advisory_xact_lock(7598539152637002), set_config('idle_in_transaction_session_timeout', '5000', true);

-- revocation_add(body jsonb, expires_at timestamptz) :later
INSERT INTO revocation (body, expires_at) VALUES ($1, $2);

-- revocations_forget(now timestamptz) :exec
DELETE FROM revocation WHERE expires_at < $1;

-- revocations_since(since timestamptz, most int8) :many -> (body jsonb, created_at timestamptz)
SELECT body, created_at FROM revocation WHERE created_at >= $1 ORDER BY number LIMIT $2;
