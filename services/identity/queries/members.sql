-- member_add(group_id text, user_id text) :exec
INSERT INTO group_member (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- member_remove(group_id text, user_id text) :exec
DELETE FROM group_member WHERE group_id = $1 AND user_id = $2;

-- member_exists(group_id text, user_id text) :opt -> (user_id text)
SELECT user_id FROM membership WHERE group_id = $1 AND user_id = $2 LIMIT 1;

-- member_ids(group_id text) :many -> (user_id text)
SELECT DISTINCT user_id FROM membership WHERE group_id = $1 ORDER BY user_id;

-- implied_add_row(prior_role_id text, implied_role_id text) :exec
INSERT INTO implied_role (prior_role_id, implied_role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- implied_remove_row(prior_role_id text, implied_role_id text) :exec
DELETE FROM implied_role WHERE prior_role_id = $1 AND implied_role_id = $2;

-- implied_rows(prior_role_id text?) :many -> (prior_id text, prior_name text, implied_id text, implied_name text)
SELECT p.id AS prior_id, p.name AS prior_name, r.id AS implied_id, r.name AS implied_name FROM implied_role i JOIN role p ON p.id = i.prior_role_id JOIN role r ON r.id = i.implied_role_id
WHERE $1::text IS NULL OR p.id = $1 ORDER BY p.name, r.name;

-- implied_exists(prior_role_id text, implied_role_id text) :opt -> (id text)
SELECT implied_role_id AS id FROM implied_role WHERE prior_role_id = $1 AND implied_role_id = $2;

-- implied_leads_to(from_role text, to_role text) :opt -> (id text)
WITH RECURSIVE reach AS (
    SELECT $1::text AS id UNION SELECT i.implied_role_id FROM implied_role i JOIN reach r ON i.prior_role_id = r.id
) SELECT id FROM reach WHERE id = $2;

-- project_has_children(id text) :opt -> (id text)
SELECT id FROM project WHERE parent_id = $1 LIMIT 1;

-- project_ancestors(id text) :many -> (id text, parent_id text, enabled bool)
WITH RECURSIVE up AS (
    SELECT id, parent_id, enabled, 1 AS height FROM project WHERE id = $1
    UNION ALL SELECT p.id, p.parent_id, p.enabled, u.height + 1 FROM up u JOIN project p ON p.id = u.parent_id
) SELECT id, parent_id, enabled FROM up ORDER BY height;

-- project_descendants(id text) :many -> (id text, parent_id text, enabled bool)
WITH RECURSIVE down AS (
    SELECT id, parent_id, enabled, 1 AS depth FROM project WHERE parent_id = $1
    UNION ALL SELECT p.id, p.parent_id, p.enabled, d.depth + 1 FROM down d JOIN project p ON p.parent_id = d.id
) SELECT id, parent_id, enabled FROM down ORDER BY depth, id;

-- project_forget_credentials(id text) :exec
DELETE FROM credential WHERE project_id = $1;

-- project_forget_default(id text) :exec
UPDATE account SET default_project_id = NULL WHERE default_project_id = $1;

-- domain_immutable_project(domain_id text) :opt -> (id text)
SELECT id FROM project WHERE domain_id = $1 AND options @> '{"immutable": true}' LIMIT 1;

-- domain_forget_credentials(domain_id text) :exec
DELETE FROM credential WHERE project_id IN (SELECT id FROM project WHERE domain_id = $1);

-- domain_forget_defaults(domain_id text) :exec
UPDATE account SET default_project_id = NULL WHERE default_project_id IN (SELECT id FROM project WHERE domain_id = $1);
