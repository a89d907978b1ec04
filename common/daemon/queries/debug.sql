-- What "virga debug" shows of the database.

-- debug_sagas(maximum int8) :many -> debug_saga (id text, name text, object_id text, direction text, step_name text,
--     attempt int8, age_s int8, fault text?)
SELECT id, name, object_id, direction, step_name, attempt::bigint AS attempt,
       extract(epoch FROM now() - created_at)::bigint AS age_s, reason ->> 'message' AS fault
  FROM saga
 WHERE status = 'open'
 ORDER BY seq
 LIMIT $1;

-- debug_outbox() :many -> debug_outbox_row (target text, method text, waiting int8, age_s int8)
SELECT target, method, count(*) AS waiting, extract(epoch FROM now() - min(created_at))::bigint AS age_s
  FROM outbox
 GROUP BY target, method
 ORDER BY target, method;
