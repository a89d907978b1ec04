-- availability(network_id text?, name text?, project_id text?, ip_version int4?) :many -> (network_id text, network_name text, project_id text, subnet_id text?, subnet_name text?, cidr text?, ip_version int4?, pools jsonb?, used int8)
SELECT n.id, n.name, n.project_id, s.id, s.name, s.cidr, s.ip_version, s.allocation_pools,
    (SELECT count(*) FROM port_ip i WHERE i.subnet_id = s.id)
FROM network n LEFT JOIN subnet s ON s.network_id = n.id AND ($4::integer IS NULL OR s.ip_version = $4::integer)
WHERE ($1::text IS NULL OR n.id = $1) AND ($2::text IS NULL OR n.name = $2) AND ($3::text IS NULL OR n.project_id = $3)
ORDER BY n.id, s.created_at, s.id;
