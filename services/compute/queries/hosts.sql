-- host_seen(name text, id text, interval_s int8) :one -> (changed bool)
INSERT INTO host (name, id, interval_s) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET reported_at = clock_timestamp(), interval_s = $3 RETURNING (xmax = 0) AS changed;

-- host_set_inventory(name text, provider_id text, inventory jsonb) :one -> (changed bool)
WITH old AS (SELECT inventory AS was FROM host WHERE name = $1)
UPDATE host SET provider_id = $2, inventory = $3, updated_at = clock_timestamp() WHERE name = $1
RETURNING (SELECT was FROM old) IS DISTINCT FROM $3 AS changed;

-- host_set_usage(name text, usage jsonb?, pressure jsonb?) :exec
UPDATE host SET usage = COALESCE($2, usage), pressure = COALESCE($3, pressure) WHERE name = $1;

-- hosts_all() :many -> host_row (name text, id text, number int8, provider_id text?, inventory jsonb, usage jsonb, disabled bool, disabled_reason text?, forced_down bool, availability_zone text, reported_at timestamptz, updated_at timestamptz, up bool)
SELECT name, id, number, provider_id, inventory, usage, disabled, disabled_reason, forced_down, availability_zone, reported_at, updated_at,
    NOT forced_down AND reported_at > clock_timestamp() - make_interval(secs => interval_s * 2.5) AS up
FROM host ORDER BY name;

-- host_by_name(name text) :opt -> host_row
SELECT name, id, number, provider_id, inventory, usage, disabled, disabled_reason, forced_down, availability_zone, reported_at, updated_at,
    NOT forced_down AND reported_at > clock_timestamp() - make_interval(secs => interval_s * 2.5) AS up
FROM host WHERE name = $1;

-- host_by_id(id text) :opt -> host_row
SELECT name, id, number, provider_id, inventory, usage, disabled, disabled_reason, forced_down, availability_zone, reported_at, updated_at,
    NOT forced_down AND reported_at > clock_timestamp() - make_interval(secs => interval_s * 2.5) AS up
FROM host WHERE id = $1 OR provider_id = $1 OR number::text = $1;

-- host_set_enabled(name text, disabled bool, reason text?) :exec
UPDATE host SET disabled = $2, disabled_reason = $3, updated_at = clock_timestamp() WHERE name = $1;

-- host_set_forced_down(name text, forced_down bool) :exec
UPDATE host SET forced_down = $2, updated_at = clock_timestamp() WHERE name = $1;

-- hosts_committed() :many -> (host text, vcpus int8, memory_mb int8, disk_gb int8, servers int8)
SELECT host, sum(vcpus)::bigint, sum(memory_mb)::bigint, sum(disk_gb)::bigint, count(*) FROM server WHERE host IS NOT NULL GROUP BY host ORDER BY host;

-- host_server_states(host text) :many -> (id text, vm_state text, power_state int4)
SELECT id, vm_state, power_state FROM server WHERE host = $1 ORDER BY id;
