-- What the consumers hold that have anything on some of these providers: there and elsewhere.
-- moves_of(providers text[]) :many -> (consumer_uuid text, project_id text, type text?, provider_id int8, class_id int4, class_name text, used int8)
SELECT c.uuid AS consumer_uuid, c.project_id, c.type, a.provider_id, a.class_id, k.name AS class_name, a.used
FROM consumer c JOIN allocation a ON a.consumer_id = c.id JOIN resource_class k ON k.id = a.class_id
WHERE c.id IN (SELECT consumer_id FROM allocation WHERE provider_id = ANY ($1::text[]::int8[]))
ORDER BY c.id, a.provider_id, a.class_id;
