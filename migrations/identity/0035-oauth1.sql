-- OAuth 1.0a: programs (consumers) that users let act for them in a project. The secrets are keys of signatures, so they are stored as they are.
CREATE TABLE oauth_consumer (
    id text PRIMARY KEY,
    secret text NOT NULL,
    description text,
    extra jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE oauth_request_token (
    id text PRIMARY KEY,
    secret text NOT NULL,
    consumer_id text NOT NULL REFERENCES oauth_consumer (id) ON DELETE CASCADE,
    project_id text NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id text REFERENCES account (id) ON DELETE CASCADE, -- Who authorized it, with the verifier and the roles.
    verifier text,
    role_ids jsonb NOT NULL DEFAULT '[]',
    expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_request_token_consumer ON oauth_request_token (consumer_id);
CREATE INDEX oauth_request_token_expires ON oauth_request_token (expires_at);
CREATE TABLE oauth_access_token (
    id text PRIMARY KEY,
    secret text NOT NULL,
    consumer_id text NOT NULL REFERENCES oauth_consumer (id) ON DELETE CASCADE,
    project_id text NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role_ids jsonb NOT NULL,
    expires_at timestamptz
);
CREATE INDEX oauth_access_token_user ON oauth_access_token (user_id);
CREATE INDEX oauth_access_token_consumer ON oauth_access_token (consumer_id);
-- Each signed request counts once.
CREATE TABLE oauth_nonce (
    consumer_id text NOT NULL REFERENCES oauth_consumer (id) ON DELETE CASCADE,
    nonce text NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (consumer_id, signed_at, nonce)
);
CREATE INDEX oauth_nonce_signed ON oauth_nonce (signed_at);
