-- One at a time may change who is above whom, so that two who each are right don't make a circle together.
-- region_lock_tree() :many -> (locked int4)
SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(hashtext('virga identity regions'))) AS l;

-- region_is_above(id text, region_id text) :opt -> (found int4)
WITH RECURSIVE up AS (
    SELECT $2::text AS id
    UNION SELECT r.parent_region_id FROM region r JOIN up ON r.id = up.id WHERE r.parent_region_id IS NOT NULL
)
SELECT 1 AS found FROM up WHERE id = $1;

-- region_tree_endpoint(id text) :opt -> (found int4)
WITH RECURSIVE below AS (
    SELECT $1::text AS id
    UNION SELECT r.id FROM region r JOIN below b ON r.parent_region_id = b.id
)
SELECT 1 AS found FROM endpoint WHERE region_id IN (SELECT id FROM below) LIMIT 1;

-- region_remove_below(id text) :exec
WITH RECURSIVE below AS (
    SELECT id FROM region WHERE parent_region_id = $1
    UNION SELECT r.id FROM region r JOIN below b ON r.parent_region_id = b.id
)
DELETE FROM region WHERE id IN (SELECT id FROM below);

-- project_endpoint_add(project_id text, endpoint_id text) :exec
INSERT INTO project_endpoint (project_id, endpoint_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- project_endpoint_remove(project_id text, endpoint_id text) :exec
DELETE FROM project_endpoint WHERE project_id = $1 AND endpoint_id = $2;

-- project_endpoint_find(project_id text, endpoint_id text) :opt -> (found int4)
SELECT 1 AS found FROM project_endpoint WHERE project_id = $1 AND endpoint_id = $2;

-- endpoint_project_ids(endpoint_id text) :many -> catalog_id_row (id text)
SELECT project_id AS id FROM project_endpoint WHERE endpoint_id = $1;

-- project_catalog_ids(project_id text) :many -> catalog_id_row
SELECT endpoint_id AS id FROM project_catalog WHERE project_id = $1;

-- endpoint_group_add_project(endpoint_group_id text, project_id text) :exec
INSERT INTO project_endpoint_group (endpoint_group_id, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- endpoint_group_remove_project(endpoint_group_id text, project_id text) :exec
DELETE FROM project_endpoint_group WHERE endpoint_group_id = $1 AND project_id = $2;

-- endpoint_group_find_project(endpoint_group_id text, project_id text) :opt -> (found int4)
SELECT 1 AS found FROM project_endpoint_group WHERE endpoint_group_id = $1 AND project_id = $2;

-- endpoint_group_project_ids(endpoint_group_id text) :many -> catalog_id_row
SELECT project_id AS id FROM project_endpoint_group WHERE endpoint_group_id = $1;

-- endpoint_group_endpoint_ids(endpoint_group_id text) :many -> catalog_id_row
SELECT endpoint_id AS id FROM endpoint_group_endpoint WHERE endpoint_group_id = $1;

-- project_endpoint_group_ids(project_id text) :many -> catalog_id_row
SELECT endpoint_group_id AS id FROM project_endpoint_group WHERE project_id = $1;

-- policy_association_put(policy_id text, endpoint_id text?, service_id text?, region_id text?) :exec
INSERT INTO policy_association (policy_id, endpoint_id, service_id, region_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (COALESCE(endpoint_id, ''), COALESCE(service_id, ''), COALESCE(region_id, '')) DO UPDATE SET policy_id = excluded.policy_id;

-- policy_association_remove(policy_id text, endpoint_id text?, service_id text?, region_id text?) :exec
DELETE FROM policy_association WHERE policy_id = $1 AND endpoint_id IS NOT DISTINCT FROM $2
AND service_id IS NOT DISTINCT FROM $3 AND region_id IS NOT DISTINCT FROM $4;

-- policy_association_find(policy_id text, endpoint_id text?, service_id text?, region_id text?) :opt -> (found int4)
SELECT 1 AS found FROM policy_association WHERE policy_id = $1 AND endpoint_id IS NOT DISTINCT FROM $2
AND service_id IS NOT DISTINCT FROM $3 AND region_id IS NOT DISTINCT FROM $4;

-- The nearest: the endpoint's own, then that of its service in its region, in the region above..., anywhere.
-- policy_of_endpoint(endpoint_id text) :opt -> (policy_id text)
WITH RECURSIVE up AS (
    SELECT region_id AS id, ARRAY[region_id] AS seen FROM endpoint WHERE id = $1 AND region_id IS NOT NULL
    UNION ALL SELECT r.parent_region_id, u.seen || r.parent_region_id FROM region r JOIN up u ON r.id = u.id
    WHERE r.parent_region_id IS NOT NULL AND r.parent_region_id <> ALL (u.seen)
)
SELECT a.policy_id FROM endpoint e JOIN policy_association a ON a.endpoint_id = e.id OR a.service_id = e.service_id
LEFT JOIN up ON up.id = a.region_id
WHERE e.id = $1 AND (a.region_id IS NULL OR up.id IS NOT NULL)
ORDER BY a.endpoint_id IS NULL, a.region_id IS NULL, array_length(up.seen, 1) LIMIT 1;

-- endpoints_of_policy(policy_id text) :many -> catalog_id_row
WITH RECURSIVE held AS (
    SELECT endpoint_id, service_id, region_id FROM policy_association WHERE policy_id = $1
), below AS (
    SELECT service_id, region_id FROM held WHERE region_id IS NOT NULL
    UNION SELECT b.service_id, r.id FROM region r JOIN below b ON r.parent_region_id = b.region_id
)
SELECT e.id FROM endpoint e
WHERE e.id IN (SELECT endpoint_id FROM held) OR e.service_id IN (SELECT service_id FROM held WHERE region_id IS NULL)
OR (e.service_id, e.region_id) IN (SELECT service_id, region_id FROM below);
