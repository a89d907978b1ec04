-- backend_seen(host text, name text, driver text, capacity_bytes int8, free_bytes int8, provisioned_bytes int8, volume_count int8, state text, capabilities jsonb, interval_s int8, zone text) :exec
INSERT INTO backend (host, name, driver, capacity_bytes, free_bytes, provisioned_bytes, volume_count, state, capabilities, interval_s, availability_zone)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (host) DO UPDATE SET name = excluded.name, driver = excluded.driver, capacity_bytes = excluded.capacity_bytes,
    free_bytes = excluded.free_bytes, provisioned_bytes = excluded.provisioned_bytes, volume_count = excluded.volume_count,
    state = excluded.state, capabilities = excluded.capabilities, interval_s = excluded.interval_s, reported_at = clock_timestamp();

-- backends_all() :many -> backend_row (host text, id text, name text, driver text, capacity_bytes int8, free_bytes int8, state text, capabilities jsonb, disabled bool, disabled_reason text?, availability_zone text, reported_at timestamptz, up bool, promised_gb int8, volumes int8)
SELECT b.host, b.id, b.name, b.driver, b.capacity_bytes, b.free_bytes, b.state, b.capabilities, b.disabled, b.disabled_reason, b.availability_zone, b.reported_at,
    b.state = 'up' AND b.reported_at > clock_timestamp() - make_interval(secs => b.interval_s * 2.5) AS up, used.promised_gb, used.volumes
FROM backend b, LATERAL (SELECT COALESCE(sum(GREATEST(v.size_gb, v.growing_to_gb)), 0)::bigint AS promised_gb, count(*) AS volumes
                         FROM volume v WHERE v.host = b.host) AS used ORDER BY b.host;

-- backend_set_enabled(host text, disabled bool, reason text?) :exec
UPDATE backend SET disabled = $2, disabled_reason = $3 WHERE host = $1;

-- quota_rows(project_id text) :many -> (name text, value int8)
SELECT name, value FROM quota WHERE project_id = $1 ORDER BY name;

-- quota_set_row(project_id text, name text, value int8) :exec
INSERT INTO quota (project_id, name, value) VALUES ($1, $2, $3) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value;

-- quota_forget(project_id text) :exec
DELETE FROM quota WHERE project_id = $1;
