-- In the order of 'ids'.
-- network_parts(ids text[]) :many -> (id text, subnets text[], served bool, scope4 text?, scope6 text?)
SELECT w.id, ARRAY(SELECT s.id FROM subnet s WHERE s.network_id = w.id ORDER BY s.created_at, s.id),
    EXISTS (SELECT 1 FROM port p WHERE p.network_id = w.id AND p.device_owner = 'network:dhcp' AND p.binding_host_id <> ''),
    NULL::text, NULL::text
FROM unnest($1::text[]) WITH ORDINALITY AS w (id, n) ORDER BY w.n;

-- The lowest number in the range that no network has.
-- network_free_vni(first int4, last int4) :one -> (vni int4?)
SELECT min(c.vni) FROM (
    SELECT $1::integer AS vni UNION ALL
    SELECT segmentation_id + 1 FROM network WHERE network_type = 'vxlan' AND segmentation_id >= $1::integer
) c WHERE c.vni <= $2::integer
    AND NOT EXISTS (SELECT 1 FROM network n WHERE n.network_type = 'vxlan' AND n.segmentation_id = c.vni);

-- network_vni_used(vni int4) :opt -> (id text)
SELECT id FROM network WHERE network_type = 'vxlan' AND segmentation_id = $1;

-- network_flat_used(physical_network text) :opt -> (id text)
SELECT id FROM network WHERE network_type = 'flat' AND physical_network = $1;

-- Ports that keep the network from being deleted; those of DHCP go with it.
-- network_ports_in_use(network_id text) :many -> (id text)
SELECT id FROM port WHERE network_id = $1 AND device_owner <> 'network:dhcp' ORDER BY id LIMIT 20;

-- network_clear_ports(network_id text) :exec
DELETE FROM port WHERE network_id = $1 AND device_owner = 'network:dhcp';

-- Floating IPs of the network that nobody uses go with it.
-- network_clear_floating(network_id text) :many -> (floating_port_id text)
DELETE FROM floatingip WHERE floating_network_id = $1 AND port_id IS NULL RETURNING floating_port_id;

-- network_clear_subnets(network_id text) :exec
DELETE FROM subnet WHERE network_id = $1;

-- Somebody but the owner has something on it.
-- network_others(network_id text, project_id text) :opt -> (id text)
SELECT id FROM port WHERE network_id = $1 AND project_id NOT IN ($2, '') AND device_owner <> 'network:dhcp'
UNION ALL SELECT id FROM subnet WHERE network_id = $1 AND project_id <> $2 LIMIT 1;

-- network_gateways(network_id text) :opt -> (id text)
SELECT id FROM port WHERE network_id = $1 AND device_owner IN ('network:router_gateway', 'network:floatingip') LIMIT 1;

-- network_lock(id text) :opt -> (id text)
SELECT id FROM network WHERE id = $1 FOR NO KEY UPDATE;
