-- member_rows(image_id text, member_id text?) :many -> (member_id text, status text, created_at timestamptz, updated_at timestamptz)
SELECT member_id, status, created_at, updated_at FROM image_member
WHERE image_id = $1 AND ($2::text IS NULL OR member_id = $2) ORDER BY created_at, member_id;

-- member_add(image_id text, member_id text) :exec
INSERT INTO image_member (image_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- member_count(image_id text) :one image -> (members int8)
SELECT count(*) AS members FROM image_member WHERE image_id = $1;

-- member_set_status(image_id text, member_id text, status text) :exec
UPDATE image_member SET status = $3, updated_at = clock_timestamp() WHERE image_id = $1 AND member_id = $2;

-- member_remove(image_id text, member_id text) :exec
DELETE FROM image_member WHERE image_id = $1 AND member_id = $2;
