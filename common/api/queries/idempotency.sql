-- Requests with an Idempotency-Key. Who works on one holds the session lock of its id; rows live for 24 hours.

-- idempotency_try_lock(id text) :one -> (locked bool)
SELECT pg_try_advisory_lock(hashtextextended('idempotency ' || $1::text, 0)) AS locked;

-- idempotency_unlock(id text) :one -> (unlocked bool)
SELECT pg_advisory_unlock(hashtextextended('idempotency ' || $1::text, 0)) AS unlocked;

-- idempotency_find(id text) :opt -> (request text, object_id text?, status int4?, answer text?)
SELECT request, object_id, status, answer
  FROM idempotency
 WHERE id = $1 AND created_at > now() - interval '24 hours';

-- In the transaction of the effect. Touches nothing when another request with the key has committed.
-- idempotency_claim(id text, request text, operation text, object_id text?) :exec
INSERT INTO idempotency AS old (id, request, operation, object_id)
VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE
   SET request = excluded.request, operation = excluded.operation, object_id = excluded.object_id,
       status = NULL, answer = NULL, created_at = now()
 WHERE old.created_at <= now() - interval '24 hours';

-- idempotency_store(id text, status int4, sealed text?) :exec
UPDATE idempotency SET status = $2, answer = $3 WHERE id = $1 AND status IS NULL;

-- idempotency_purge() :exec
DELETE FROM idempotency
 WHERE id IN (SELECT id FROM idempotency WHERE created_at <= now() - interval '24 hours' LIMIT 1000 FOR UPDATE SKIP LOCKED);
