-- Statements of the saga runner. Who works on a saga holds the session lock of its id and the row's epoch; a write under
-- another epoch or in another session than the one that took the row touches nothing.

-- saga_insert(id text, name text, version int8, object_id text, params jsonb?, request_id text, project_id text, user_id text,
--     step_name text) :exec
INSERT INTO saga (id, name, version, object_id, params, request_id, project_id, user_id, step_name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- saga_open_of(object_id text) :one -> (open int8)
SELECT count(*) AS open FROM saga WHERE object_id = $1 AND status = 'open';

-- saga_cancel(object_id text) :exec
UPDATE saga SET cancel = true, next_run_at = now() WHERE object_id = $1 AND status = 'open' AND direction = 'forward';

-- A saga that is due, is the first of its object, and that nobody works on: its lock is ours now. A next run that is far
-- away was written before the clock was moved.
-- saga_find_due(known text[]) :opt -> (id text)
WITH due AS MATERIALIZED (
    SELECT id
      FROM saga AS s
     WHERE status = 'open'
       AND (next_run_at <= now() OR next_run_at > now() + interval '10 minutes')
       AND name || '/' || version = ANY ($1::text[])
       AND NOT EXISTS (SELECT FROM saga AS o WHERE o.object_id = s.object_id AND o.status = 'open' AND o.seq < s.seq)
     ORDER BY next_run_at
     LIMIT 256)
SELECT id FROM due WHERE pg_try_advisory_lock(hashtextextended('saga ' || id, 0)) LIMIT 1;

-- How long until one that waits for its retry is due. Those that are due already are in work, or wait for their object.
-- saga_next_due(known text[]) :one -> (wait_ms int8?)
SELECT ceil(extract(epoch FROM min(next_run_at) - now()) * 1000)::bigint AS wait_ms
  FROM saga
 WHERE status = 'open' AND next_run_at > now() AND name || '/' || version = ANY ($1::text[]);

-- It may have run, or ended, between being found and being locked.
-- saga_take(id text) :opt -> saga_row (
--     id text, name text, version int8, object_id text, params jsonb?, request_id text, project_id text, user_id text,
--     direction text, step int8, state jsonb, reason jsonb?, cancel bool, attempt int8, spent_ms int8, epoch int8)
UPDATE saga
   SET epoch = epoch + 1, backend = pg_backend_pid()
 WHERE id = $1 AND status = 'open' AND (next_run_at <= now() OR next_run_at > now() + interval '10 minutes')
RETURNING id, name, version, object_id, params, request_id, project_id, user_id,
          direction, step, state, reason, cancel, attempt, spent_ms, epoch;

-- saga_unlock(id text) :one -> (unlocked bool)
SELECT pg_advisory_unlock(hashtextextended('saga ' || $1::text, 0)) AS unlocked;

-- The next step begins, in either direction.
-- saga_go_on(id text, epoch int8, direction text, step int8, step_name text, state jsonb, reason jsonb?) :opt -> (cancel bool)
UPDATE saga
   SET direction = $3, step = $4, step_name = $5, state = $6, reason = $7, attempt = 0, spent_ms = 0
 WHERE id = $1 AND epoch = $2 AND backend = pg_backend_pid() AND status = 'open'
RETURNING cancel;

-- saga_retry(id text, epoch int8, state jsonb, attempt int8, spent_ms int8, delay_ms int8) :exec
UPDATE saga
   SET state = $3, attempt = $4, spent_ms = $5,
       next_run_at = CASE WHEN cancel AND direction = 'forward' THEN now()
                          ELSE now() + $6::bigint * interval '1 millisecond' END
 WHERE id = $1 AND epoch = $2 AND backend = pg_backend_pid() AND status = 'open';

-- saga_end(id text, epoch int8, status text, state jsonb) :exec
UPDATE saga
   SET status = $3, state = $4, ended_at = now()
 WHERE id = $1 AND epoch = $2 AND backend = pg_backend_pid() AND status = 'open';

-- Which of these were asked to stop?
-- saga_cancelled_of(ids text[]) :many -> (id text)
SELECT id FROM saga WHERE id = ANY ($1::text[]) AND cancel;

-- saga_open_total() :one -> (open int8)
SELECT count(*) AS open FROM saga WHERE status = 'open';

-- saga_purge() :exec
DELETE FROM saga
 WHERE id IN (SELECT id FROM saga WHERE status <> 'open' AND ended_at < now() - interval '1 hour' LIMIT 1000);
