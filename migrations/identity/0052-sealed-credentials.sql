-- Credentials are secrets: at rest they are sealed, with the key that stands beside. What still lies open is sealed when a daemon starts.
ALTER TABLE credential
    ALTER COLUMN blob DROP NOT NULL,
    ADD COLUMN sealed text,
    ADD COLUMN sealed_by text,
    ADD COLUMN last_step bigint, -- Of a TOTP secret: the time step whose passcode was used last.
    ADD CONSTRAINT credential_blob_or_sealed CHECK ((blob IS NULL) <> (sealed IS NULL) AND (sealed IS NULL) = (sealed_by IS NULL));
CREATE INDEX credential_project ON credential (project_id);
CREATE INDEX credential_sealed_by ON credential (sealed_by);
