-- Networks that have a port on the host, and the DHCP port if that is on it.
-- host_networks(host text) :many -> (id text, segmentation_id int4?, physical_network text?, mtu int4, dns_domain text, dhcp_port_id text?, dhcp_mac text?)
SELECT n.id, n.segmentation_id, n.physical_network, n.mtu, n.dns_domain, d.id AS dhcp_port_id, d.mac_address AS dhcp_mac
FROM network n LEFT JOIN port d ON d.network_id = n.id AND d.device_owner = 'network:dhcp' AND d.binding_host_id = $1
WHERE n.id IN (SELECT p.network_id FROM port p WHERE p.binding_host_id = $1) ORDER BY n.id;

-- host_subnets(networks text[]) :many -> (id text, network_id text, ip_version int4, cidr text, gateway_ip text?, enable_dhcp bool, ipv6_address_mode text?, ipv6_ra_mode text?,
--     dns_nameservers jsonb, host_routes jsonb)
SELECT id, network_id, ip_version, cidr, gateway_ip, enable_dhcp, ipv6_address_mode, ipv6_ra_mode, dns_nameservers, host_routes
FROM subnet WHERE network_id = ANY($1) ORDER BY network_id, created_at, id;

-- Ports of the networks that are on the host, can be reached through a tunnel, or get their addresses from it.
-- host_ports(networks text[], host text, served text[]) :many -> (id text, network_id text, mac_address text, device_id text, device_owner text, binding_host_id text, admin_state_up bool,
--     port_security_enabled bool, allowed_address_pairs jsonb, extra_dhcp_opts jsonb, dns_name text, tunnel_ip text?)
SELECT p.id, p.network_id, p.mac_address, p.device_id, p.device_owner, p.binding_host_id, p.admin_state_up AND n.admin_state_up, p.port_security_enabled,
    p.allowed_address_pairs, p.extra_dhcp_opts, p.dns_name, a.tunnel_ip
FROM port p JOIN network n ON n.id = p.network_id LEFT JOIN agent a ON a.host = p.binding_host_id
WHERE p.network_id = ANY($1) AND p.device_owner <> 'network:floatingip'
    AND (p.binding_host_id = $2 OR p.network_id = ANY($3) OR (a.tunnel_ip IS NOT NULL AND n.network_type = 'vxlan'))
ORDER BY p.id;

-- host_port_ips(networks text[]) :many -> (port_id text, subnet_id text, ip text)
SELECT i.port_id, i.subnet_id, host(i.ip) FROM port_ip i JOIN port p ON p.id = i.port_id WHERE p.network_id = ANY($1) ORDER BY i.port_id COLLATE "C", i.position;

-- host_port_groups(host text) :many -> (port_id text, security_group_id text)
SELECT g.port_id, g.security_group_id FROM port_security_group g JOIN port p ON p.id = g.port_id WHERE p.binding_host_id = $1
ORDER BY g.port_id, g.security_group_id;

-- host_rules(host text) :many -> (security_group_id text, id text?, direction text?, ethertype text?, protocol text?, port_range_min int4?, port_range_max int4?, remote_ip_prefix text?, remote_group_id text?)
SELECT s.id AS security_group_id, r.id, r.direction, r.ethertype, r.protocol, r.port_range_min, r.port_range_max, r.remote_ip_prefix, r.remote_group_id
FROM security_group s LEFT JOIN security_group_rule r ON r.security_group_id = s.id
WHERE s.id IN (SELECT g.security_group_id FROM port_security_group g JOIN port p ON p.id = g.port_id WHERE p.binding_host_id = $1)
ORDER BY s.id, r.id;

-- host_members(groups text[]) :many -> (security_group_id text, member text)
SELECT DISTINCT g.security_group_id, m.member FROM port_security_group g
JOIN LATERAL (SELECT host(i.ip) AS member FROM port_ip i WHERE i.port_id = g.port_id
    UNION ALL SELECT x ->> 'ip_address' FROM port p, jsonb_array_elements(p.allowed_address_pairs) x WHERE p.id = g.port_id) m ON true
WHERE g.security_group_id = ANY($1) ORDER BY 1, 2;

-- host_routers(host text) :many -> (id text, admin_state_up bool, enable_snat bool, routes jsonb)
SELECT id, admin_state_up, enable_snat, routes FROM router WHERE host = $1 ORDER BY id;

-- host_floating(host text) :many -> (id text, router_id text, floating_ip text, fixed_ip text)
SELECT f.id, f.router_id, f.floating_ip_address, f.fixed_ip_address FROM floatingip f JOIN router r ON r.id = f.router_id
WHERE r.host = $1 AND f.port_id IS NOT NULL AND f.fixed_ip_address IS NOT NULL ORDER BY f.router_id, f.id;

-- host_peers(host text) :many -> (host text, tunnel_ip text)
SELECT host, tunnel_ip FROM agent WHERE host <> $1 AND tunnel_ip IS NOT NULL ORDER BY host;

-- ports_up(ids text[], host text) :many -> (id text, device_owner text, device_id text)
UPDATE port SET status = 'ACTIVE', failure = NULL WHERE id = ANY($1) AND binding_host_id = $2 AND (status <> 'ACTIVE' OR failure IS NOT NULL)
RETURNING id, device_owner, device_id;

-- ports_down(ids text[], host text) :many -> (id text, device_owner text, device_id text)
UPDATE port SET status = 'DOWN' WHERE id = ANY($1) AND binding_host_id = $2 AND status <> 'DOWN' RETURNING id, device_owner, device_id;

-- ports_failed(ids text[], reasons text[], host text) :many -> (id text, device_owner text, device_id text)
UPDATE port p SET failure = x.reason FROM unnest($1::text[], $2::text[]) AS x (id, reason)
WHERE p.id = x.id AND p.binding_host_id = $3 AND p.failure IS DISTINCT FROM x.reason RETURNING p.id, p.device_owner, p.device_id;

-- What the host's agent has applied works, but for those that failed.
-- floating_settled(host text, failed text[]) :exec
UPDATE floatingip f SET status = CASE WHEN f.id = ANY($2) THEN 'ERROR' ELSE 'ACTIVE' END FROM router r
WHERE r.id = f.router_id AND r.host = $1 AND f.port_id IS NOT NULL
    AND f.status <> CASE WHEN f.id = ANY($2) THEN 'ERROR' ELSE 'ACTIVE' END;
