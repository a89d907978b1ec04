-- Inventories. Who writes here has locked the provider's row first.

-- inventory_list(provider_id int8) :many -> inventory_row (class_name text, total int8, reserved int8, min_unit int8, max_unit int8, step_size int8, allocation_ratio float8, used int8, updated_at timestamptz)
SELECT c.name AS class_name, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size, i.allocation_ratio, i.used, i.updated_at
FROM inventory i JOIN resource_class c ON c.id = i.class_id WHERE i.provider_id = $1 ORDER BY i.class_id;

-- inventory_find(provider_id int8, class_name text) :opt -> inventory_row
SELECT c.name AS class_name, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size, i.allocation_ratio, i.used, i.updated_at
FROM inventory i JOIN resource_class c ON c.id = i.class_id WHERE i.provider_id = $1 AND c.name = $2;

-- inventory_insert(provider_id int8, class_name text, total int8, reserved int8, min_unit int8, max_unit int8, step_size int8, allocation_ratio float8) :exec
INSERT INTO inventory (provider_id, class_id, total, reserved, min_unit, max_unit, step_size, allocation_ratio)
SELECT $1, id, $3, $4, $5, $6, $7, $8 FROM resource_class WHERE name = $2;

-- inventory_change(provider_id int8, class_name text, total int8, reserved int8, min_unit int8, max_unit int8, step_size int8, allocation_ratio float8) :exec
UPDATE inventory i SET total = $3, reserved = $4, min_unit = $5, max_unit = $6, step_size = $7, allocation_ratio = $8, updated_at = clock_timestamp()
FROM resource_class c WHERE i.provider_id = $1 AND c.id = i.class_id AND c.name = $2;

-- inventory_remove(provider_id int8, class_name text) :exec
DELETE FROM inventory i USING resource_class c WHERE i.provider_id = $1 AND c.id = i.class_id AND c.name = $2;
