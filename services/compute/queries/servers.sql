-- servers_busy(ids text[]) :many -> (object_id text, name text, step_name text, direction text)
SELECT DISTINCT ON (object_id) object_id, name, step_name, direction FROM saga
WHERE status = 'open' AND object_id = ANY($1) ORDER BY object_id, seq;

-- servers_attachments(ids text[]) :many -> (server_id text, volume_id text, delete_on_termination bool)
SELECT server_id, volume_id, delete_on_termination FROM attachment WHERE server_id = ANY($1) ORDER BY server_id, created_at, volume_id;

-- server_set_state(id text, vm_state text, power_state int4) :exec
UPDATE server SET vm_state = $2, power_state = $3, updated_at = clock_timestamp() WHERE id = $1;

-- server_set_launched(id text, power_state int4) :exec
UPDATE server SET vm_state = 'active', power_state = $2, launched_at = COALESCE(launched_at, clock_timestamp()), fault = NULL,
    updated_at = clock_timestamp() WHERE id = $1;

-- server_set_host(id text, host text?, node text?, zone text?) :exec
UPDATE server SET host = $2, node = $3, availability_zone = COALESCE($4, availability_zone), updated_at = clock_timestamp() WHERE id = $1;

-- server_set_network_info(id text, network_info jsonb) :exec
UPDATE server SET network_info = $2, updated_at = clock_timestamp() WHERE id = $1;

-- server_set_fault(id text, fault jsonb) :exec
UPDATE server SET vm_state = 'error', fault = $2, updated_at = clock_timestamp() WHERE id = $1;

-- server_note_fault(id text, fault jsonb) :exec
UPDATE server SET fault = $2, updated_at = clock_timestamp() WHERE id = $1;

-- server_set_lock(id text, locked bool, reason text?, locked_by text?) :exec
UPDATE server SET locked = $2, locked_reason = $3, locked_by = $4, updated_at = clock_timestamp() WHERE id = $1;

-- server_set_metadata(id text, metadata jsonb) :exec
UPDATE server SET metadata = $2, updated_at = clock_timestamp() WHERE id = $1;

-- server_forget(id text) :exec
DELETE FROM server WHERE id = $1;

-- server_power_seen(id text, host text, power_state int4, vm_state text) :exec
UPDATE server SET power_state = $3, vm_state = $4, updated_at = clock_timestamp()
WHERE id = $1 AND host = $2 AND vm_state IN ('active', 'stopped') AND (power_state <> $3 OR vm_state <> $4)
  AND NOT EXISTS (SELECT 1 FROM saga WHERE object_id = $1 AND status = 'open');

-- servers_used(project_id text) :one -> (instances int8, cores int8, ram int8)
SELECT count(*), COALESCE(sum(vcpus), 0)::bigint, COALESCE(sum(memory_mb), 0)::bigint FROM server WHERE project_id = $1;

-- port_wanted(port_id text) :opt -> (object_id text)
SELECT object_id FROM saga WHERE status = 'open' AND name IN ('compute.server-create', 'compute.interface-attach')
    AND (params->>'port_id' = $1 OR params->'networks' @> jsonb_build_array(jsonb_build_object('port', $1))) LIMIT 1;
