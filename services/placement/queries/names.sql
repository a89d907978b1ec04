-- Names that providers, inventories and requests share: resource classes (standard below 10000) and traits.

-- class_list() :many -> class_row (id int4, name text, updated_at timestamptz)
SELECT id, name, updated_at FROM resource_class ORDER BY id;

-- class_find(name text) :opt -> class_row
SELECT id, name, updated_at FROM resource_class WHERE name = $1;

-- class_insert(name text) :exec
INSERT INTO resource_class (name) VALUES ($1) ON CONFLICT DO NOTHING;

-- class_rename(name text, new_name text) :exec
UPDATE resource_class SET name = $2, updated_at = clock_timestamp() WHERE name = $1;

-- class_remove(name text) :exec
DELETE FROM resource_class WHERE name = $1;

-- Those of 'names' that are no class.
-- class_unknown(names text[]) :many -> (name text)
SELECT n AS name FROM unnest($1::text[]) AS n WHERE NOT EXISTS (SELECT FROM resource_class c WHERE c.name = n) ORDER BY n;

-- 'names' and 'prefix' narrow where they are given; 'associated': only those that some provider has (true) or none has (false).
-- trait_filter(names text[]?, prefix text?, associated bool?) :many -> trait_row
SELECT name, created_at FROM trait t
WHERE ($1::text[] IS NULL OR name = ANY ($1)) AND ($2::text IS NULL OR starts_with(name, $2))
  AND ($3::bool IS NULL OR EXISTS (SELECT FROM provider_trait x WHERE x.trait_id = t.id) = $3)
ORDER BY name;

-- trait_find(name text) :opt -> trait_row
SELECT name, created_at FROM trait WHERE name = $1;

-- trait_insert(name text) :exec
INSERT INTO trait (name) VALUES ($1) ON CONFLICT DO NOTHING;

-- trait_remove(name text) :exec
DELETE FROM trait WHERE name = $1;

-- Those of 'names' that are no trait.
-- trait_unknown(names text[]) :many -> (name text)
SELECT DISTINCT n AS name FROM unnest($1::text[]) AS n WHERE NOT EXISTS (SELECT FROM trait t WHERE t.name = n) ORDER BY n;
