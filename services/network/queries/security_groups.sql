-- default_group_find(project_id text) :opt -> (id text)
SELECT id FROM security_group WHERE project_id = $1 AND name = 'default';

-- default_group_add(id text, project_id text) :exec
INSERT INTO security_group (id, project_id, name, description) VALUES ($1, $2, 'default', 'Default security group') ON CONFLICT DO NOTHING;

-- Of a new group: all may go out; 'from_itself': and members may reach each other.
-- group_first_rules(security_group_id text, project_id text, from_itself bool) :exec
INSERT INTO security_group_rule (id, project_id, security_group_id, direction, ethertype, remote_group_id)
SELECT gen_random_uuid()::text, $2, $1, d.direction, e.ethertype, CASE WHEN d.direction = 'ingress' THEN $1 END
FROM (VALUES ('egress'), ('ingress')) d (direction), (VALUES ('IPv4'), ('IPv6')) e (ethertype)
WHERE d.direction = 'egress' OR $3;

-- group_rules(ids text[]) :many -> (id text, project_id text, security_group_id text, direction text, ethertype text, protocol text?, port_range_min int4?, port_range_max int4?,
--     remote_ip_prefix text?, remote_group_id text?, description text, revision_number int8, created_at timestamptz, updated_at timestamptz)
SELECT id, project_id, security_group_id, direction, ethertype, protocol, port_range_min, port_range_max, remote_ip_prefix, remote_group_id, description,
    revision_number, created_at, updated_at
FROM security_group_rule WHERE security_group_id = ANY($1) ORDER BY created_at, id;

-- group_user(id text) :opt -> (port_id text)
SELECT port_id FROM port_security_group WHERE security_group_id = $1 LIMIT 1;

-- rule_twin(security_group_id text, direction text, ethertype text, protocol text?, port_range_min int4?, port_range_max int4?, remote_ip_prefix text?, remote_group_id text?) :opt -> (id text)
SELECT id FROM security_group_rule WHERE security_group_id = $1 AND direction = $2 AND ethertype = $3
    AND protocol IS NOT DISTINCT FROM $4 AND port_range_min IS NOT DISTINCT FROM $5 AND port_range_max IS NOT DISTINCT FROM $6
    AND remote_ip_prefix IS NOT DISTINCT FROM $7 AND remote_group_id IS NOT DISTINCT FROM $8 LIMIT 1;

-- group_lock(id text) :opt -> (id text)
SELECT id FROM security_group WHERE id = $1 FOR NO KEY UPDATE;
