-- subnet_cidrs(network_id text) :many -> (id text, cidr text)
SELECT id, cidr FROM subnet WHERE network_id = $1 ORDER BY id;

-- A port other than DHCP's, or one with an address it gave itself, keeps the subnet from being deleted.
-- subnet_user(subnet_id text, is_auto bool) :opt -> (port_id text)
SELECT i.port_id FROM port_ip i JOIN port p ON p.id = i.port_id
WHERE i.subnet_id = $1 AND p.device_owner <> 'network:dhcp' AND (NOT $2 OR p.device_owner LIKE 'network:router%') LIMIT 1;

-- subnet_clear_ips(subnet_id text) :exec
DELETE FROM port_ip WHERE subnet_id = $1;

-- subnet_ip_holder(subnet_id text, ip text) :opt -> (port_id text, device_owner text)
SELECT i.port_id, p.device_owner FROM port_ip i JOIN port p ON p.id = i.port_id WHERE i.subnet_id = $1 AND i.ip = ($2::text)::inet;

-- Ports of a network that give themselves addresses.
-- network_auto_ports(network_id text) :many -> (id text, mac_address text, device_owner text, device_id text)
SELECT id, mac_address, device_owner, device_id FROM port WHERE network_id = $1
    AND device_owner NOT LIKE 'network:router%' AND device_owner <> 'network:floatingip' ORDER BY id;

-- Routers that have an interface on the network.
-- network_routers(network_id text) :many -> (id text)
SELECT DISTINCT device_id FROM port WHERE network_id = $1 AND device_owner = 'network:router_interface';
