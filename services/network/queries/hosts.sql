-- Hosts with a port on one of the networks, in one of the groups (or in one whose rules name it), or one of the routers.
-- hosts_concerned(networks text[], groups text[], routers text[]) :many -> (name text)
SELECT binding_host_id FROM port WHERE network_id = ANY($1) AND binding_host_id <> ''
UNION SELECT p.binding_host_id FROM port p JOIN port_security_group g ON g.port_id = p.id
    WHERE p.binding_host_id <> '' AND g.security_group_id IN (
        SELECT unnest($2::text[]) UNION SELECT security_group_id FROM security_group_rule WHERE remote_group_id = ANY($2))
UNION SELECT host FROM router WHERE id = ANY($3) AND host <> '';

-- hosts_count_up(names text[]) :many -> (name text, generation int8)
INSERT INTO host (name) SELECT DISTINCT x FROM unnest($1::text[]) x ORDER BY x
ON CONFLICT (name) DO UPDATE SET generation = host.generation + 1 RETURNING name, generation;

-- host_generation(name text) :opt -> (generation int8)
SELECT generation FROM host WHERE name = $1;

-- host_known(name text) :exec
INSERT INTO host (name) VALUES ($1) ON CONFLICT DO NOTHING;
