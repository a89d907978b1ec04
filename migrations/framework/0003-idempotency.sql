-- Requests that came with an Idempotency-Key, and how they were answered: common/api/idempotency.h.
-- works-with-older-builds
--
-- A row is written in the transaction of the request's effect; the answer is added when it has been rendered. The key
-- itself is not here: 'id' is a digest of it (and of caller and operation), and the answer is sealed under it.
CREATE TABLE idempotency (
    id text PRIMARY KEY,
    request text NOT NULL,                  -- Digest of path, query, microversion and body.
    operation text NOT NULL,
    object_id text,                         -- What was made, where that was known beforehand.
    status integer,                         -- Of the answer; NULL: it was never stored.
    answer text,                            -- Sealed; NULL: too large to be kept.
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_age ON idempotency (created_at);
