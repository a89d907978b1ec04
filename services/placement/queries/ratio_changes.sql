-- Changes of allocation ratios, and who made them. Triggers write them: migrations/placement/0002-ratio-changes.sql.

-- As provider_lock; and from here to the commit, what changes is recorded as the actor's doing.
-- provider_lock_as(uuid text, actor jsonb) :opt -> (id int8, generation int8)
SELECT id, generation FROM provider WHERE uuid = $1 AND set_config('virga.actor', $2::jsonb::text, true) IS NOT NULL FOR NO KEY UPDATE;

-- Without a provider's lock: from here to the commit the actor is recorded.
-- ratio_actor_set(actor jsonb) :one -> (actor text)
SELECT set_config('virga.actor', $1::jsonb::text, true) AS actor;

-- The newest first, those before 'marker' (a number).
-- ratio_change_list(provider text?, class text?, marker int8?, count int8) :many -> (id int8, changed_at timestamptz, provider_uuid text, provider_name text, class_name text, old_ratio float8?, new_ratio float8?, user_id text?, user_name text?, request_id text?)
SELECT id, changed_at, provider_uuid, provider_name, class_name, old_ratio, new_ratio, user_id, user_name, request_id FROM ratio_change
WHERE ($1::text IS NULL OR provider_uuid = $1) AND ($2::text IS NULL OR class_name = $2) AND ($3::int8 IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4;
