-- Operations of several steps that end, whatever dies on the way: common/saga/saga.h.
--
-- What an object is busy with is the name and step of its oldest open saga:
--   LEFT JOIN LATERAL (SELECT name, step_name, direction FROM saga
--                       WHERE object_id = server.id AND status = 'open' ORDER BY seq LIMIT 1) AS busy ON true
CREATE TABLE saga (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,          -- Order of the sagas of one object.
    name text NOT NULL,
    version bigint NOT NULL,
    object_id text NOT NULL,
    params jsonb,
    request_id text NOT NULL,
    project_id text NOT NULL,
    user_id text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    direction text NOT NULL DEFAULT 'forward' CHECK (direction IN ('forward', 'undo')),
    step bigint NOT NULL DEFAULT 0,                   -- Begun, or about to be; -1: all is undone.
    step_name text NOT NULL,
    state jsonb NOT NULL DEFAULT '{}',
    reason jsonb,                                     -- The fault that started the undo.
    cancel boolean NOT NULL DEFAULT false,            -- Somebody asked it to stop.
    attempt bigint NOT NULL DEFAULT 0,                -- Tries of this step that failed.
    spent_ms bigint NOT NULL DEFAULT 0,               -- By them, waits between included.
    epoch bigint NOT NULL DEFAULT 0,                  -- How often a runner has taken it; 0: not begun.
    backend integer,                                  -- The session of the runner that took it last.
    next_run_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX saga_object ON saga (object_id, seq) WHERE status = 'open';
CREATE INDEX saga_due ON saga (next_run_at) WHERE status = 'open';
CREATE INDEX saga_ended ON saga (ended_at) WHERE status <> 'open';
