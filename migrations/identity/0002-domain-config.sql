-- What a domain has set for itself (its LDAP directory); what is secret of it stands apart, where no list reads.
CREATE TABLE domain_config (
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    section text NOT NULL,
    name text NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (domain_id, section, name)
);
CREATE TABLE domain_secret (
    domain_id text NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    section text NOT NULL,
    name text NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (domain_id, section, name)
);
