-- quota_look(project_id text, resource text) :one -> (used int8, most int4?)
SELECT CASE $2
    WHEN 'network' THEN (SELECT count(*) FROM network WHERE project_id = $1)
    WHEN 'subnet' THEN (SELECT count(*) FROM subnet WHERE project_id = $1)
    WHEN 'subnetpool' THEN (SELECT count(*) FROM subnetpool WHERE project_id = $1)
    WHEN 'port' THEN (SELECT count(*) FROM port WHERE project_id = $1)
    WHEN 'router' THEN (SELECT count(*) FROM router WHERE project_id = $1)
    WHEN 'floatingip' THEN (SELECT count(*) FROM floatingip WHERE project_id = $1)
    WHEN 'security_group' THEN (SELECT count(*) FROM security_group WHERE project_id = $1)
    WHEN 'security_group_rule' THEN (SELECT count(*) FROM security_group_rule WHERE project_id = $1)
    ELSE 0 END,
    (SELECT most FROM quota WHERE project_id = $1 AND resource = $2);

-- quota_rows(project_id text?) :many -> (project_id text, resource text, most int4)
SELECT project_id, resource, most FROM quota WHERE $1::text IS NULL OR project_id = $1 ORDER BY project_id, resource;

-- quota_set(project_id text, resource text, most int4) :exec
INSERT INTO quota (project_id, resource, most) VALUES ($1, $2, $3) ON CONFLICT (project_id, resource) DO UPDATE SET most = excluded.most;

-- quota_forget(project_id text) :exec
DELETE FROM quota WHERE project_id = $1;
