-- What the mirror of providers reads: see mirror.h.

-- The state of every provider that a transaction outside 'snapshot' changed, all of one snapshot, which comes with each row. A
-- provider without a uuid is gone. Row 0 is always there; 'changed' says there whether names of classes or traits did.
-- Inventories are "class total reserved min max step ratio used", separated by ';'.
-- mirror_changes(snapshot text) :many -> (id int8, changed bool, taken text, uuid text?, name text?, generation int8?, parent_id int8?, root_id int8?, updated_at timestamptz?, inventories text?, traits text?, aggregates text?)
SELECT c.id, c.changed, pg_current_snapshot()::text AS taken, p.uuid, p.name, p.generation, p.parent_id, p.root_id, p.updated_at,
       (SELECT string_agg(concat_ws(' ', i.class_id, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size, i.allocation_ratio, i.used), ';'
                          ORDER BY i.class_id) FROM inventory i WHERE i.provider_id = p.id) AS inventories,
       (SELECT string_agg(t.trait_id::text, ' ' ORDER BY t.trait_id) FROM provider_trait t WHERE t.provider_id = p.id) AS traits,
       (SELECT string_agg(g.aggregate, ' ' ORDER BY g.aggregate) FROM provider_aggregate g WHERE g.provider_id = p.id) AS aggregates
FROM (
    SELECT provider_id AS id, NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) AS changed FROM provider_change WHERE provider_id = 0
    UNION ALL
    SELECT provider_id, true FROM provider_change
    WHERE provider_id <> 0 AND xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
) AS c LEFT JOIN provider p ON p.id = c.id
ORDER BY c.id;

-- mirror_classes() :many -> mirror_name (id int4, name text)
SELECT id, name FROM resource_class ORDER BY id;

-- mirror_traits() :many -> mirror_name
SELECT id, name FROM trait ORDER BY id;
