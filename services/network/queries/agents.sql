-- agents_known(seconds int4) :many -> (host text, bridge_mappings jsonb, alive bool)
SELECT host, bridge_mappings, admin_state_up AND heartbeat_at > clock_timestamp() - make_interval(secs => $1::integer) FROM agent ORDER BY host;

-- agent_alive(host text, seconds int4) :opt -> (host text)
SELECT host FROM agent WHERE host = $1 AND heartbeat_at > clock_timestamp() - make_interval(secs => $2::integer);

-- The live agent with the least to do, among those that have the physical network (null: any).
-- agent_idlest(physical text?, seconds int4) :opt -> (host text)
SELECT a.host FROM agent a
WHERE a.admin_state_up AND a.heartbeat_at > clock_timestamp() - make_interval(secs => $2::integer)
    AND ($1::text IS NULL OR a.bridge_mappings ? $1::text)
ORDER BY (SELECT count(*) FROM router r WHERE r.host = a.host)
    + (SELECT count(*) FROM port p WHERE p.binding_host_id = a.host AND p.device_owner = 'network:dhcp'), a.host LIMIT 1;

-- What was known of an agent before its report: nothing new in it concerns other hosts, unless it says so here.
-- agent_before(host text, seconds int4) :opt -> (tunnel_ip text?, bridge_mappings jsonb, alive bool)
SELECT tunnel_ip, bridge_mappings, heartbeat_at > clock_timestamp() - make_interval(secs => $2::integer) FROM agent WHERE host = $1 FOR UPDATE;

-- agent_report_store(id text, host text, agent_type text, version text, driver text, tunnel_ip text?, bridge_mappings jsonb, metadata bool, generation int8, started_at timestamptz?) :exec
INSERT INTO agent (id, host, agent_type, version, driver, tunnel_ip, bridge_mappings, metadata, generation, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10::timestamptz, clock_timestamp()))
ON CONFLICT (host) DO UPDATE SET agent_type = excluded.agent_type, version = excluded.version, driver = excluded.driver,
    tunnel_ip = excluded.tunnel_ip, bridge_mappings = excluded.bridge_mappings, metadata = excluded.metadata,
    generation = excluded.generation, started_at = coalesce($10::timestamptz, agent.started_at), heartbeat_at = clock_timestamp();

-- hosts_all() :many -> (name text)
SELECT name FROM host ORDER BY name;

-- agent_things(host text) :opt -> (id text)
SELECT id FROM port WHERE binding_host_id = $1 LIMIT 1;
