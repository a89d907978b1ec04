-- registered_limit_find(service_id text, resource_name text, region_id text?) :opt -> (id text)
SELECT id FROM registered_limit WHERE service_id = $1 AND resource_name = $2 AND region_id IS NOT DISTINCT FROM $3 FOR KEY SHARE;

-- registered_limit_is_used(id text) :opt -> (limit_id text)
SELECT id AS limit_id FROM project_limit WHERE registered_limit_id = $1 LIMIT 1;

-- Of the limits that are said, one of a project above its domain's, or of a domain below one of its projects'. -1 is above all.
-- limit_misfit(ids text[]) :opt -> (level text, object_id text, resource_name text, resource_limit int8, service_id text, region_id text?)
WITH pair AS (
    SELECT p AS project, d AS domain, COALESCE(d.resource_limit, r.default_limit) AS above
    FROM project_limit p JOIN registered_limit r ON r.id = p.registered_limit_id
    LEFT JOIN project_limit d ON d.registered_limit_id = r.id AND d.domain_id = p.project_domain_id
    WHERE p.registered_limit_id IN (SELECT registered_limit_id FROM project_limit WHERE id = ANY ($1)) AND p.project_id IS NOT NULL
), wrong AS (
    SELECT (CASE WHEN (project).id = ANY ($1) THEN project ELSE domain END) AS l FROM pair
    WHERE ((project).id = ANY ($1) OR (domain).id = ANY ($1)) AND above >= 0
    AND ((project).resource_limit > above OR (project).resource_limit < 0)
)
SELECT CASE WHEN (l).project_id IS NULL THEN 'domain_id' ELSE 'project_id' END AS level, COALESCE((l).project_id, (l).domain_id) AS object_id,
       (l).resource_name, (l).resource_limit, (l).service_id, (l).region_id FROM wrong LIMIT 1;
