-- A router's ports with their addresses; one without an address has one row too.
-- router_ports(router_ids text[]) :many -> (router_id text, port_id text, device_owner text, network_id text, mac_address text, subnet_id text?, ip text?, cidr text?)
SELECT p.device_id, p.id, p.device_owner, p.network_id, p.mac_address, i.subnet_id, host(i.ip), s.cidr
FROM port p LEFT JOIN port_ip i ON i.port_id = p.id LEFT JOIN subnet s ON s.id = i.subnet_id
WHERE p.device_id = ANY($1) AND p.device_owner IN ('network:router_interface', 'network:router_gateway')
ORDER BY p.device_id, p.id, i.position;

-- router_floating(router_id text) :opt -> (id text)
SELECT id FROM floatingip WHERE router_id = $1 LIMIT 1;

-- Floating IPs that reach an address of the subnet through the router.
-- router_floating_on(router_id text, subnet_id text) :opt -> (id text)
SELECT f.id FROM floatingip f JOIN port_ip i ON i.port_id = f.port_id AND host(i.ip) = f.fixed_ip_address
WHERE f.router_id = $1 AND i.subnet_id = $2 LIMIT 1;

-- router_lock(id text) :opt -> (id text)
SELECT id FROM router WHERE id = $1 FOR NO KEY UPDATE;

-- port_attach(id text, device_id text, device_owner text) :exec
UPDATE port SET device_id = $2, device_owner = $3, port_security_enabled = false, updated_at = clock_timestamp() WHERE id = $1;

-- port_groups_drop(port_id text) :exec
DELETE FROM port_security_group WHERE port_id = $1;

-- subnet_cidrs_of(network_id text) :many -> (id text, cidr text)
SELECT id, cidr FROM subnet WHERE network_id = $1 ORDER BY id;

-- router_set_routes(id text, routes jsonb) :exec
UPDATE router SET routes = $2, updated_at = clock_timestamp() WHERE id = $1;
