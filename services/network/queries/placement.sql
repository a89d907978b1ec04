-- dhcp_subnets(network_id text) :many -> (id text, ip_version int4, cidr text, ipv6_address_mode text?)
SELECT id, ip_version, cidr, ipv6_address_mode FROM subnet WHERE network_id = $1 AND enable_dhcp ORDER BY created_at, id;

-- dhcp_port(network_id text) :opt -> (id text, mac_address text, binding_host_id text)
SELECT id, mac_address, binding_host_id FROM port WHERE network_id = $1 AND device_owner = 'network:dhcp' ORDER BY created_at LIMIT 1;

-- dhcp_network(id text) :opt -> (project_id text, physical_network text?)
SELECT project_id, physical_network FROM network WHERE id = $1 FOR NO KEY UPDATE;

-- port_move(id text, host text) :exec
UPDATE port SET binding_host_id = $2, binding_vif_type = 'tap', status = 'DOWN', failure = NULL, updated_at = clock_timestamp() WHERE id = $1;

-- Networks that have a subnet with DHCP and no live agent that serves it.
-- networks_unserved(seconds int4) :many -> (id text)
SELECT n.id FROM network n
WHERE EXISTS (SELECT 1 FROM subnet s WHERE s.network_id = n.id AND s.enable_dhcp)
    AND NOT EXISTS (SELECT 1 FROM port p JOIN agent a ON a.host = p.binding_host_id
        WHERE p.network_id = n.id AND p.device_owner = 'network:dhcp'
            AND a.heartbeat_at > clock_timestamp() - make_interval(secs => $1::integer))
ORDER BY n.id LIMIT 500;

-- Routers with something to do whose host is none, or dead.
-- routers_unplaced(seconds int4) :many -> (id text)
SELECT r.id FROM router r
WHERE NOT EXISTS (SELECT 1 FROM agent a WHERE a.host = r.host AND a.heartbeat_at > clock_timestamp() - make_interval(secs => $1::integer))
    AND EXISTS (SELECT 1 FROM port p WHERE p.device_id = r.id AND p.device_owner IN ('network:router_interface', 'network:router_gateway'))
ORDER BY r.id LIMIT 500;

-- router_place_look(id text) :opt -> (host text, external_network_id text?, physical_network text?, ports int8)
SELECT r.host, n.id, n.physical_network,
    (SELECT count(*) FROM port p WHERE p.device_id = r.id AND p.device_owner IN ('network:router_interface', 'network:router_gateway'))
FROM router r
LEFT JOIN port g ON g.device_id = r.id AND g.device_owner = 'network:router_gateway'
LEFT JOIN network n ON n.id = g.network_id
WHERE r.id = $1 FOR NO KEY UPDATE OF r;

-- host_fits(host text, physical text?, seconds int4) :opt -> (host text)
SELECT host FROM agent WHERE host = $1 AND ($2::text IS NULL OR bridge_mappings ? $2::text)
    AND heartbeat_at > clock_timestamp() - make_interval(secs => $3::integer);

-- router_set_host(id text, host text) :exec
UPDATE router SET host = $2 WHERE id = $1;

-- router_ports_move(router_id text, host text) :many -> (network_id text)
UPDATE port SET binding_host_id = $2, binding_vif_type = CASE WHEN $2 = '' THEN 'unbound' ELSE 'tap' END, status = 'DOWN', failure = NULL
WHERE device_id = $1 AND device_owner IN ('network:router_interface', 'network:router_gateway') AND binding_host_id <> $2
RETURNING network_id;
