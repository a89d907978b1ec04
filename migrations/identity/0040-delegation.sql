-- Delegation: what a user leaves to programs (application credentials) and to other users (trusts).
CREATE TABLE application_credential (
    id text PRIMARY KEY,
    name text NOT NULL,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    project_id text NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    description text,
    secret_hash text NOT NULL,
    expires_at timestamptz,
    unrestricted boolean NOT NULL DEFAULT false,
    CONSTRAINT application_credential_name_key UNIQUE (user_id, name)
);
CREATE INDEX application_credential_project ON application_credential (project_id);
CREATE TABLE application_credential_role (
    application_credential_id text NOT NULL REFERENCES application_credential (id) ON DELETE CASCADE,
    role_id text NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (application_credential_id, role_id)
);
CREATE INDEX application_credential_role_role ON application_credential_role (role_id);

CREATE TABLE access_rule (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    service text NOT NULL,
    path text NOT NULL,
    method text NOT NULL,
    CONSTRAINT access_rule_key UNIQUE (user_id, service, path, method)
);
CREATE TABLE application_credential_access_rule (
    application_credential_id text NOT NULL REFERENCES application_credential (id) ON DELETE CASCADE,
    access_rule_id text NOT NULL CONSTRAINT access_rule_in_use REFERENCES access_rule (id),
    number integer NOT NULL, -- As the client ordered them.
    PRIMARY KEY (application_credential_id, access_rule_id)
);
CREATE INDEX application_credential_access_rule_rule ON application_credential_access_rule (access_rule_id);

CREATE TABLE trust (
    id text PRIMARY KEY,
    trustor_user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    trustee_user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    project_id text REFERENCES project (id) ON DELETE CASCADE,
    impersonation boolean NOT NULL,
    expires_at timestamptz,
    remaining_uses bigint, -- null: any number
    redelegated_trust_id text REFERENCES trust (id) ON DELETE CASCADE,
    redelegation_count bigint NOT NULL,
    CONSTRAINT trust_key UNIQUE (trustor_user_id, trustee_user_id, project_id, impersonation, expires_at)
);
CREATE INDEX trust_trustee ON trust (trustee_user_id);
CREATE INDEX trust_project ON trust (project_id);
CREATE INDEX trust_parent ON trust (redelegated_trust_id);
CREATE INDEX trust_expires ON trust (expires_at);
CREATE TABLE trust_role (
    trust_id text NOT NULL REFERENCES trust (id) ON DELETE CASCADE,
    role_id text NOT NULL, -- May be gone: then the trust cannot be used, rather than with less.
    PRIMARY KEY (trust_id, role_id)
);
