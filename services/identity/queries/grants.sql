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

-- Grants that match, or ('effective') what they come to. 'system': of the system only; 'subtree': of all below the project too; 'seen_domain_id':
-- the only domain to be seen.
-- assignments(role_id text?, user_id text?, group_id text?, project_id text?, domain_id text?, system bool, effective bool,
--   inherited bool?, subtree bool, seen_domain_id text?) :many -> (role_id text, role_name text, role_domain_id text?, role_domain_name text?,
--   user_id text?, group_id text?, actor_name text, actor_domain_id text, actor_domain_name text,
--   project_id text?, project_name text?, project_domain_id text?, project_domain_name text?,
--   domain_id text?, domain_name text?, inherited bool, via_group_id text?, via_project_id text?, via_domain_id text?, prior_role_id text?)
WITH RECURSIVE wanted AS (
    SELECT id FROM project WHERE id = $4
    UNION SELECT p.id FROM wanted w JOIN project p ON p.parent_id = w.id WHERE $9
), near AS ( -- Each of them with all that it may inherit from.
    SELECT p.id, p.parent_id AS top FROM wanted w JOIN project p ON p.id = w.id WHERE $7
    UNION ALL SELECT n.id, p.parent_id FROM near n JOIN project p ON p.id = n.top
), targets AS (
    SELECT id FROM wanted UNION SELECT top FROM near
), sources AS ( -- What may matter, by who has it, or by where it is.
    SELECT s.* FROM assignment s
    WHERE $2::text IS NULL AND $3::text IS NULL AND ($4::text IS NULL OR s.target_id IN (SELECT id FROM targets)) AND ($5::text IS NULL OR s.target_id = $5)
      AND (NOT $6 OR s.target_type = 'system') AND ($7 OR $1::text IS NULL OR s.role_id = $1) AND ($8::boolean IS NULL OR s.inherited = $8)
    UNION ALL SELECT s.* FROM assignment s WHERE s.user_id = $2 AND ($8::boolean IS NULL OR s.inherited = $8)
    UNION ALL SELECT s.* FROM assignment s WHERE s.group_id = $3 AND ($8::boolean IS NULL OR s.inherited = $8)
    UNION ALL SELECT s.* FROM membership m JOIN assignment s ON s.group_id = m.group_id
    WHERE $7 AND m.user_id = $2 AND ($8::boolean IS NULL OR s.inherited = $8)
), above AS ( -- As near, of all projects.
    SELECT id, parent_id AS top FROM project WHERE $7 AND $4::text IS NULL AND EXISTS (SELECT 1 FROM sources WHERE inherited)
    UNION ALL SELECT a.id, p.parent_id FROM above a JOIN project p ON p.id = a.top
), users AS ( -- Each source with those it is for.
    SELECT s.*, s.user_id AS holder_id FROM sources s WHERE $7 AND s.user_id IS NOT NULL
    UNION ALL SELECT s.*, m.user_id FROM sources s JOIN membership m ON m.group_id = s.group_id
    WHERE $7 AND ($2::text IS NULL OR m.user_id = $2)
), held AS (
    SELECT role_id, user_id, group_id, project_id, domain_id, inherited, NULL::text AS via_group_id, NULL::text AS via_project_id,
           NULL::text AS via_domain_id, NULL::text AS prior_role_id
    FROM sources WHERE NOT $7
    UNION SELECT role_id, holder_id, NULL, project_id, domain_id, false, group_id, NULL, NULL, NULL FROM users WHERE NOT inherited
    UNION SELECT u.role_id, u.holder_id, NULL, a.id, NULL, false, u.group_id, u.project_id, u.domain_id, NULL
    FROM users u JOIN (SELECT * FROM near UNION ALL SELECT * FROM above) a ON a.top = u.target_id WHERE u.inherited
), shown AS (
    SELECT * FROM held
    UNION SELECT i.implied_role_id, s.user_id, s.group_id, s.project_id, s.domain_id, s.inherited, s.via_group_id, s.via_project_id, s.via_domain_id, s.role_id
    FROM shown s JOIN implied_role i ON i.prior_role_id = s.role_id WHERE $7
)
SELECT r.id AS role_id, r.name AS role_name, r.domain_id AS role_domain_id, rd.name AS role_domain_name, s.user_id, s.group_id,
       COALESCE(u.name, g.name, '') AS actor_name, COALESCE(u.domain_id, g.domain_id, '') AS actor_domain_id, COALESCE(ad.name, '') AS actor_domain_name,
       s.project_id, p.name AS project_name, p.domain_id AS project_domain_id, pd.name AS project_domain_name, s.domain_id, d.name AS domain_name,
       s.inherited, s.via_group_id, s.via_project_id, s.via_domain_id, s.prior_role_id
FROM shown s JOIN role r ON r.id = s.role_id LEFT JOIN domain rd ON rd.id = r.domain_id
LEFT JOIN account u ON u.id = s.user_id LEFT JOIN user_group g ON g.id = s.group_id LEFT JOIN domain ad ON ad.id = COALESCE(u.domain_id, g.domain_id)
LEFT JOIN project p ON p.id = s.project_id LEFT JOIN domain pd ON pd.id = p.domain_id LEFT JOIN domain d ON d.id = s.domain_id
WHERE ($1::text IS NULL OR s.role_id = $1) AND ($4::text IS NULL OR s.project_id IN (SELECT id FROM wanted)) AND ($5::text IS NULL OR s.domain_id = $5)
  AND (s.project_id IS NOT NULL OR s.domain_id IS NOT NULL OR $6 OR NOT $7) -- Effective lists have the system only if it is asked for.
  AND (NOT $6 OR (s.project_id IS NULL AND s.domain_id IS NULL)) AND (NOT $7 OR r.domain_id IS NULL)
  AND ($10::text IS NULL OR s.domain_id = $10 OR p.domain_id = $10)
ORDER BY s.project_id, s.domain_id, COALESCE(s.user_id, s.group_id), r.name, s.prior_role_id;
