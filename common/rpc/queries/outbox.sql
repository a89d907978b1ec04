-- Statements of the transactional outbox. Advisory locks are named by sender.

-- outbox_insert(sender text, target text, method text, collapse text?, operation_id text, params jsonb?, request_id text) :later
INSERT INTO outbox (sender, target, method, collapse, operation_id, params, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- outbox_read(sender text, without text[], maximum int8) :many -> outbox_row (
--     id int8, target text, method text, collapse text?, operation_id text, params jsonb?, request_id text)
SELECT id, target, method, collapse, operation_id, params, request_id
  FROM outbox
 WHERE sender = $1 AND target <> ALL ($2::text[])
 ORDER BY id
 LIMIT $3;

-- outbox_delete(ids text[]) :exec
DELETE FROM outbox WHERE id = ANY ($1::text[]::bigint[]);

-- Holds the sender's lock as long as the session.
-- outbox_lock(sender text) :one -> (locked bool)
SELECT pg_try_advisory_lock(hashtextextended('outbox ' || $1::text, 0)) AS locked;

-- outbox_unlock(sender text) :one -> (unlocked bool)
SELECT pg_advisory_unlock(hashtextextended('outbox ' || $1::text, 0)) AS unlocked;

-- Another sender's name that has rows and whose lock was free: now it is ours.
-- outbox_orphan(without text[]) :opt -> (sender text)
WITH others AS MATERIALIZED (SELECT DISTINCT sender FROM outbox WHERE sender <> ALL ($1::text[]))
SELECT sender FROM others WHERE pg_try_advisory_lock(hashtextextended('outbox ' || sender, 0)) LIMIT 1;

-- outbox_count() :one -> (waiting int8)
SELECT count(*) AS waiting FROM outbox;
