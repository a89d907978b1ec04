-- Identity: who there is, what they may do where, and where the services are.
-- Ids are text: identity's own are 32 hex digits, but "default", region names and ids of other clouds stand here too.

CREATE TABLE domain (
    id text PRIMARY KEY,
    name text NOT NULL CONSTRAINT domain_name_key UNIQUE,
    description text,
    enabled boolean NOT NULL DEFAULT true,
    options jsonb NOT NULL DEFAULT '{}',
    tags jsonb NOT NULL DEFAULT '[]'
);

CREATE TABLE project (
    id text PRIMARY KEY,
    name text NOT NULL,
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    parent_id text, -- A project, or the domain
    is_domain boolean NOT NULL DEFAULT false,
    description text,
    enabled boolean NOT NULL DEFAULT true,
    options jsonb NOT NULL DEFAULT '{}',
    tags jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT project_name_key UNIQUE (domain_id, name)
);
CREATE INDEX project_parent ON project (parent_id);

CREATE TABLE account (
    id text PRIMARY KEY,
    name text NOT NULL,
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    enabled boolean NOT NULL DEFAULT true,
    default_project_id text,
    description text,
    email text,
    password_hash text, -- crypt(3); null: cannot log in by password
    password_changed_at timestamptz,
    password_expires_at timestamptz,
    options jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT account_name_key UNIQUE (domain_id, name)
);

CREATE TABLE user_group (
    id text PRIMARY KEY,
    name text NOT NULL,
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    description text,
    CONSTRAINT user_group_name_key UNIQUE (domain_id, name)
);
CREATE TABLE group_member (
    group_id text NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_member_user ON group_member (user_id);

CREATE TABLE role (
    id text PRIMARY KEY,
    name text NOT NULL,
    domain_id text REFERENCES domain (id) ON DELETE CASCADE, -- null: for all domains
    description text,
    options jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX role_name_key ON role (name, COALESCE(domain_id, ''));
CREATE TABLE implied_role (
    prior_role_id text NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    implied_role_id text NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    PRIMARY KEY (prior_role_id, implied_role_id)
);

CREATE TABLE assignment (
    role_id text NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    actor_type text NOT NULL CHECK (actor_type IN ('user', 'group')),
    actor_id text NOT NULL,
    target_type text NOT NULL CHECK (target_type IN ('project', 'domain', 'system')),
    target_id text NOT NULL, -- of the system: 'all'
    inherited boolean NOT NULL DEFAULT false, -- to the projects below, not on the target itself
    PRIMARY KEY (actor_id, target_id, role_id, actor_type, target_type, inherited)
);
CREATE INDEX assignment_target ON assignment (target_id);
CREATE INDEX assignment_role ON assignment (role_id);

CREATE TABLE region (
    id text PRIMARY KEY,
    description text,
    parent_region_id text CONSTRAINT region_parent_region_id_fkey REFERENCES region (id)
);
CREATE TABLE service (
    id text PRIMARY KEY,
    type text NOT NULL,
    name text,
    description text,
    enabled boolean NOT NULL DEFAULT true
);
CREATE TABLE endpoint (
    id text PRIMARY KEY,
    service_id text NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    region_id text CONSTRAINT endpoint_region_id_fkey REFERENCES region (id),
    interface text NOT NULL,
    url text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    name text,
    description text
);
CREATE INDEX endpoint_service ON endpoint (service_id);

CREATE TABLE credential (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    project_id text,
    type text NOT NULL,
    blob text NOT NULL
);
CREATE INDEX credential_user ON credential (user_id);
CREATE TABLE policy (
    id text PRIMARY KEY,
    type text NOT NULL,
    blob text NOT NULL
);

-- What ends tokens early. A row lives until every token it could match has expired by itself.
CREATE TABLE revocation (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX revocation_created ON revocation (created_at);
CREATE INDEX revocation_expires ON revocation (expires_at);
