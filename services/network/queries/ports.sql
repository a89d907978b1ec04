-- All in one order, so that two transactions that both need them don't wait for each other in a circle.
-- network_subnets_lock(network_id text) :many -> (id text, ip_version int4, cidr text, gateway_ip text?, ipv6_address_mode text?, service_types jsonb)
SELECT id, ip_version, cidr, gateway_ip, ipv6_address_mode, service_types FROM subnet WHERE network_id = $1
ORDER BY created_at, id FOR NO KEY UPDATE;

-- The lowest address of the pools that nobody has: a pool's first, or one behind an address in use.
-- subnet_next_ip(subnet_id text) :opt -> (ip text)
WITH pool AS (
    SELECT (p ->> 'start')::inet AS first, (p ->> 'end')::inet AS last
    FROM subnet s, jsonb_array_elements(s.allocation_pools) p WHERE s.id = $1
), candidate AS (
    SELECT first AS ip FROM pool UNION ALL
    SELECT i.ip + 1 FROM port_ip i JOIN pool ON i.ip >= pool.first AND i.ip < pool.last WHERE i.subnet_id = $1
)
SELECT host(c.ip) FROM candidate c WHERE NOT EXISTS (SELECT 1 FROM port_ip u WHERE u.subnet_id = $1 AND u.ip = c.ip)
ORDER BY c.ip LIMIT 1;

-- port_ip_add(port_id text, subnet_id text, ip text, position int4) :exec
INSERT INTO port_ip (port_id, subnet_id, ip, position) VALUES ($1, $2, ($3::text)::inet, $4);

-- port_ip_append(port_id text, subnet_id text, ip text) :exec
INSERT INTO port_ip (port_id, subnet_id, ip, position)
SELECT $1, $2, ($3::text)::inet, (SELECT coalesce(max(position) + 1, 0) FROM port_ip WHERE port_id = $1)
ON CONFLICT DO NOTHING;

-- port_ips_clear(port_id text) :exec
DELETE FROM port_ip WHERE port_id = $1;

-- port_ip_drop(port_id text, subnet_id text) :exec
DELETE FROM port_ip WHERE port_id = $1 AND subnet_id = $2;

-- port_ips(port_ids text[]) :many -> (port_id text, subnet_id text, ip text)
SELECT port_id, subnet_id, host(ip) FROM port_ip WHERE port_id = ANY($1) ORDER BY port_id, position;

-- port_groups(port_ids text[]) :many -> (port_id text, security_group_id text)
SELECT port_id, security_group_id FROM port_security_group WHERE port_id = ANY($1) ORDER BY port_id, security_group_id;

-- port_groups_clear(port_id text) :exec
DELETE FROM port_security_group WHERE port_id = $1;

-- port_groups_add(port_id text, groups text[]) :exec
INSERT INTO port_security_group (port_id, security_group_id) SELECT $1, unnest($2::text[]);

-- Which of the groups there are, of the project (null: of any).
-- groups_known(ids text[], project_id text?) :many -> (id text)
SELECT id FROM security_group WHERE id = ANY($1) AND ($2::text IS NULL OR project_id = $2);

-- mac_holder(network_id text, mac_address text) :opt -> (id text)
SELECT id FROM port WHERE network_id = $1 AND mac_address = $2;

-- router_owner(id text) :opt -> (project_id text)
SELECT project_id FROM router WHERE id = $1;

-- floatingip_of_port(id text) :opt -> (id text)
SELECT id FROM floatingip WHERE floating_port_id = $1;

-- floatingips_release(port_id text) :many -> (id text, router_id text?)
UPDATE floatingip f SET port_id = NULL, fixed_ip_address = NULL, router_id = NULL, status = 'DOWN', updated_at = clock_timestamp()
FROM floatingip o WHERE o.id = f.id AND f.port_id = $1 RETURNING f.id, o.router_id;

-- Floating IPs of addresses that the port has no more.
-- floatingips_release_gone(port_id text) :many -> (id text, router_id text?)
UPDATE floatingip f SET port_id = NULL, fixed_ip_address = NULL, router_id = NULL, status = 'DOWN', updated_at = clock_timestamp()
FROM floatingip o WHERE o.id = f.id AND f.port_id = $1
    AND NOT EXISTS (SELECT 1 FROM port_ip i WHERE i.port_id = $1 AND host(i.ip) = f.fixed_ip_address)
RETURNING f.id, o.router_id;

-- port_set_status(id text, status text) :exec
UPDATE port SET status = $2 WHERE id = $1 AND status <> $2;

-- port_remove(id text) :exec
DELETE FROM port WHERE id = $1;

-- dns_domains(network_ids text[]) :many -> (id text, dns_domain text)
SELECT id, dns_domain FROM network WHERE id = ANY($1);
