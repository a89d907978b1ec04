-- grant_add_row(role_id text, actor_type text, actor_id text, target_type text, target_id text, inherited bool) :exec
INSERT INTO assignment (role_id, actor_type, actor_id, target_type, target_id, inherited)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- grant_remove_row(role_id text, actor_type text, actor_id text, target_type text, target_id text, inherited bool) :exec
DELETE FROM assignment WHERE role_id = $1 AND actor_type = $2 AND actor_id = $3 AND target_type = $4 AND target_id = $5 AND inherited = $6;

-- grant_exists(role_id text, actor_type text, actor_id text, target_type text, target_id text, inherited bool) :opt -> (role_id text)
SELECT role_id FROM assignment WHERE role_id = $1 AND actor_type = $2 AND actor_id = $3 AND target_type = $4 AND target_id = $5 AND inherited = $6;

-- grant_role_ids(actor_type text, actor_id text, target_type text, target_id text, inherited bool) :many -> (role_id text)
SELECT role_id FROM assignment WHERE actor_type = $1 AND actor_id = $2 AND target_type = $3 AND target_id = $4 AND inherited = $5 ORDER BY role_id;

-- grants_forget_actor(actor_type text, actor_id text) :exec
DELETE FROM assignment WHERE actor_type = $1 AND actor_id = $2;

-- grants_forget_target(target_type text, target_id text) :exec
DELETE FROM assignment WHERE target_type = $1 AND target_id = $2;

-- grants_forget_domain(domain_id text) :exec
DELETE FROM assignment WHERE (target_type = 'domain' AND target_id = $1)
    OR (target_type = 'project' AND target_id IN (SELECT id FROM project WHERE domain_id = $1))
    OR (actor_type = 'user' AND actor_id IN (SELECT id FROM account WHERE domain_id = $1))
    OR (actor_type = 'group' AND actor_id IN (SELECT id FROM user_group WHERE domain_id = $1));

-- grant_names(role_id text?, user_id text?, group_id text?, project_id text?, domain_id text?, system bool, effective bool, inherited text?) :many -> (role_id text, role_name text, role_domain_id text?, role_domain_name text?, actor_type text, actor_id text, actor_name text, actor_domain_id text, actor_domain_name text, target_type text, target_id text, target_name text?, target_domain_id text?, target_domain_name text?, inherited bool)
WITH RECURSIVE below AS (
    SELECT parent_id AS top, id FROM project WHERE $7 AND parent_id IS NOT NULL
    UNION SELECT b.top, p.id FROM below b JOIN project p ON p.parent_id = b.id
), expanded AS (
    SELECT role_id, actor_type, actor_id, target_type, target_id, inherited FROM assignment WHERE NOT $7
    UNION
    SELECT s.role_id, 'user', COALESCE(m.user_id, s.actor_id), s.target_type, s.target_id, false
    FROM assignment s LEFT JOIN group_member m ON s.actor_type = 'group' AND m.group_id = s.actor_id
    WHERE $7 AND NOT s.inherited AND (s.actor_type = 'user' OR m.user_id IS NOT NULL)
    UNION
    SELECT s.role_id, 'user', COALESCE(m.user_id, s.actor_id), 'project', p.id, false
    FROM assignment s LEFT JOIN group_member m ON s.actor_type = 'group' AND m.group_id = s.actor_id
    JOIN project p ON (s.target_type = 'domain' AND p.domain_id = s.target_id)
        OR (s.target_type = 'project' AND p.id IN (SELECT id FROM below WHERE top = s.target_id))
    WHERE $7 AND s.inherited AND (s.actor_type = 'user' OR m.user_id IS NOT NULL)
), held AS (
    SELECT * FROM expanded
    UNION
    SELECT i.implied_role_id, h.actor_type, h.actor_id, h.target_type, h.target_id, h.inherited
    FROM held h JOIN implied_role i ON i.prior_role_id = h.role_id WHERE $7
)
SELECT r.id AS role_id, r.name AS role_name, r.domain_id AS role_domain_id, rd.name AS role_domain_name, h.actor_type, h.actor_id,
       COALESCE(u.name, g.name, '') AS actor_name, COALESCE(u.domain_id, g.domain_id, '') AS actor_domain_id,
       COALESCE(ad.name, '') AS actor_domain_name, h.target_type, h.target_id, COALESCE(p.name, d.name) AS target_name,
       p.domain_id AS target_domain_id, pd.name AS target_domain_name, h.inherited
FROM held h JOIN role r ON r.id = h.role_id LEFT JOIN domain rd ON rd.id = r.domain_id
LEFT JOIN account u ON h.actor_type = 'user' AND u.id = h.actor_id
LEFT JOIN user_group g ON h.actor_type = 'group' AND g.id = h.actor_id
LEFT JOIN domain ad ON ad.id = COALESCE(u.domain_id, g.domain_id)
LEFT JOIN project p ON h.target_type = 'project' AND p.id = h.target_id
LEFT JOIN domain pd ON pd.id = p.domain_id
LEFT JOIN domain d ON h.target_type = 'domain' AND d.id = h.target_id
WHERE ($1::text IS NULL OR r.id = $1) AND ($2::text IS NULL OR (h.actor_type = 'user' AND h.actor_id = $2))
  AND ($3::text IS NULL OR (h.actor_type = 'group' AND h.actor_id = $3))
  AND ($4::text IS NULL OR (h.target_type = 'project' AND h.target_id = $4))
  AND ($5::text IS NULL OR (h.target_type = 'domain' AND h.target_id = $5))
  AND (NOT $6 OR h.target_type = 'system') AND ($8::text IS NULL OR h.inherited)
ORDER BY h.target_type, h.target_id, h.actor_id, r.name;
