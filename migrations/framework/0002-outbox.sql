-- Messages that were written with the change they tell of; common/rpc/outbox.c sends and deletes them.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender text NOT NULL,                   -- The process that wrote it, which also sends it while it lives.
    target text NOT NULL,                   -- A queue, or "exchange:<name>".
    method text NOT NULL,
    collapse text,                          -- Of those with the same target, method and collapse the newest is sent.
    operation_id text NOT NULL,
    params jsonb,
    request_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_sender ON outbox (sender, id);
