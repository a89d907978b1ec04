-- A router that has an interface on the subnet and its gateway on the external network.
-- floatingip_router(subnet_id text, external_network_id text) :opt -> (id text)
SELECT p.device_id FROM port p JOIN port_ip i ON i.port_id = p.id
    JOIN port g ON g.device_id = p.device_id AND g.device_owner = 'network:router_gateway' AND g.network_id = $2
WHERE i.subnet_id = $1 AND p.device_owner = 'network:router_interface' ORDER BY p.created_at LIMIT 1;

-- floatingip_twin(port_id text, fixed_ip text, network_id text, id text) :opt -> (id text)
SELECT id FROM floatingip WHERE port_id = $1 AND fixed_ip_address = $2 AND floating_network_id = $3 AND id <> $4;

-- floatingip_details(port_ids text[]) :many -> (id text, name text, network_id text, mac_address text, admin_state_up bool, status text, device_id text, device_owner text)
SELECT id, name, network_id, mac_address, admin_state_up, status, device_id, device_owner FROM port WHERE id = ANY($1);
