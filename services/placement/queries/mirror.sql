-- What the mirror of providers reads: see mirror.h.

-- Which providers a transaction outside 'snapshot' changed (their numbers, separated by blanks), and the snapshot that says so.
-- mirror_changes(snapshot text) :one -> (taken text, ids text)
SELECT pg_current_snapshot()::text AS taken, array_to_string(ARRAY(
    SELECT provider_id FROM provider_change
    WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)), ' ') AS ids;

-- The state of these providers, all of one snapshot. One without a uuid is gone. Inventories are "class total reserved min max step
-- ratio used", separated by ';'. Text and not an array, because then the planner guesses the same number of them each time
-- and keeps its plan; and a look-up for each, because no plan may read whole tables for a few.
-- mirror_state(ids text) :many -> (id int8, uuid text?, name text?, generation int8?, parent_id int8?, root_id int8?, updated_at timestamptz?, inventories text?, traits text?, aggregates text?)
SELECT c.id, p.uuid, p.name, p.generation, p.parent_id, p.root_id, p.updated_at,
       (SELECT string_agg(concat_ws(' ', i.class_id, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size, i.allocation_ratio, i.used), ';'
                          ORDER BY i.class_id) FROM inventory i WHERE i.provider_id = p.id) AS inventories,
       (SELECT string_agg(t.trait_id::text, ' ' ORDER BY t.trait_id) FROM provider_trait t WHERE t.provider_id = p.id) AS traits,
       (SELECT string_agg(g.aggregate, ' ' ORDER BY g.aggregate) FROM provider_aggregate g WHERE g.provider_id = p.id) AS aggregates
FROM (SELECT x::int8 AS id FROM string_to_table($1::text, ' ') AS x) AS c LEFT JOIN LATERAL (
    SELECT * FROM provider WHERE id = c.id OFFSET 0
) AS p ON true
ORDER BY c.id;

-- mirror_classes() :many -> mirror_name (id int4, name text)
SELECT id, name FROM resource_class ORDER BY id;

-- mirror_traits() :many -> mirror_name
SELECT id, name FROM trait ORDER BY id;
