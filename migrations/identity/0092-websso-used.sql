-- A login in a browser carries its own state (services/identity/websso_state.h). What is kept is which of them have led to a token, so that none does twice.
DROP TABLE websso_login;

CREATE TABLE websso_used (
    state text PRIMARY KEY, -- Its digest.
    expires_at timestamptz NOT NULL
);
CREATE INDEX websso_used_expires ON websso_used (expires_at);
