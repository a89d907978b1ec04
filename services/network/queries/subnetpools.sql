-- subnetpool_default(ip_version int4, project_id text?) :opt -> (id text)
SELECT id FROM subnetpool WHERE is_default AND ip_version = $1 AND ($2::text IS NULL OR shared OR project_id = $2) ORDER BY created_at LIMIT 1;

-- subnetpool_other_default(ip_version int4, id text) :opt -> (id text)
SELECT id FROM subnetpool WHERE is_default AND ip_version = $1 AND id <> $2 LIMIT 1;

-- subnetpool_subnets(subnetpool_id text) :many -> (cidr text, project_id text)
SELECT cidr, project_id FROM subnet WHERE subnetpool_id = $1 ORDER BY cidr;
