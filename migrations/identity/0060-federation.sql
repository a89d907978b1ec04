-- Federation: who vouches for users from elsewhere, what their attributes mean here, and the users that came of it.
CREATE TABLE identity_provider (
    id text PRIMARY KEY,
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    enabled boolean NOT NULL DEFAULT false,
    description text,
    authorization_ttl integer -- Minutes; null: the daemon's.
);
CREATE INDEX identity_provider_domain ON identity_provider (domain_id);
CREATE TABLE idp_remote_id (
    remote_id text CONSTRAINT idp_remote_id_pkey PRIMARY KEY,
    idp_id text NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    number integer NOT NULL -- As the client ordered them.
);
CREATE INDEX idp_remote_id_idp ON idp_remote_id (idp_id);
CREATE TABLE mapping (
    id text PRIMARY KEY,
    rules jsonb NOT NULL,
    schema_version text NOT NULL DEFAULT '1.0'
);
CREATE TABLE federation_protocol (
    id text NOT NULL,
    idp_id text NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    mapping_id text NOT NULL, -- May outlive its mapping.
    remote_id_attribute text,
    CONSTRAINT federation_protocol_pkey PRIMARY KEY (idp_id, id)
);
CREATE TABLE service_provider (
    id text PRIMARY KEY,
    auth_url text NOT NULL,
    sp_url text NOT NULL,
    description text,
    enabled boolean NOT NULL DEFAULT false,
    relay_state_prefix text DEFAULT 'ss:mem:'
);
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON service_provider FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');

-- An account that an identity provider's word made. Its name is what that provider calls him: unique there, not in our domain.
ALTER TABLE account ADD COLUMN shadow boolean NOT NULL DEFAULT false;
ALTER TABLE account DROP CONSTRAINT account_name_key;
CREATE UNIQUE INDEX account_name_key ON account (domain_id, name) WHERE NOT shadow;
CREATE TABLE federated_user (
    idp_id text NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    protocol_id text NOT NULL,
    unique_id text NOT NULL,
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (idp_id, protocol_id, unique_id),
    FOREIGN KEY (idp_id, protocol_id) REFERENCES federation_protocol (idp_id, id) ON DELETE CASCADE
);
CREATE INDEX federated_user_user ON federated_user (user_id);

-- Membership on a provider's word, for as long as its authorization_ttl after the last login.
CREATE TABLE federated_member (
    user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    group_id text NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    idp_id text NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, group_id, idp_id)
);
CREATE INDEX federated_member_group ON federated_member (group_id);
CREATE VIEW membership AS
    SELECT group_id, user_id, NULL::timestamptz AS expires_at FROM group_member
    UNION ALL SELECT group_id, user_id, expires_at FROM federated_member WHERE expires_at > clock_timestamp();

-- Logins that are at the provider now: what we must find again when the browser comes back. Digests only.
CREATE TABLE websso_login (
    state text PRIMARY KEY,
    idp_id text NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
    protocol_id text NOT NULL,
    origin text NOT NULL,
    browser text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX websso_login_expires ON websso_login (expires_at);
