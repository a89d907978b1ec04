-- What [security_compliance] counts: failed logins, when a user was last seen, which passwords he had.
ALTER TABLE account
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN last_active_at timestamptz,
    ADD COLUMN failed_logins integer NOT NULL DEFAULT 0,
    ADD COLUMN failed_login_at timestamptz,
    ADD COLUMN password_self_service boolean NOT NULL DEFAULT false; -- The user set it, not an administrator.

-- Passwords before the present one.
CREATE TABLE old_password (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    password_hash text NOT NULL
);
CREATE INDEX old_password_user ON old_password (user_id, number);

-- Where a failed login is written that counts for nobody, so that it costs what one costs that does.
CREATE TABLE login_decoy (
    number integer PRIMARY KEY,
    spent_at timestamptz
);
INSERT INTO login_decoy (number) SELECT * FROM generate_series(0, 63);
