-- Users and groups of a domain whose people are in an LDAP directory: rows that follow it, so that roles, groups and lists
-- know them like any others. A row with a directory_id is written by nobody else.
ALTER TABLE account ADD COLUMN directory_id text, ADD COLUMN directory_dn text;
CREATE INDEX account_directory_dn ON account (domain_id, directory_dn) WHERE directory_id IS NOT NULL;
ALTER TABLE user_group ADD COLUMN directory_id text, ADD COLUMN directory_dn text;
CREATE INDEX user_group_directory_dn ON user_group (domain_id, directory_dn) WHERE directory_id IS NOT NULL;

-- When a directory was last read as a whole; no row: not since its configuration changed.
CREATE TABLE directory_sync (
    domain_id text PRIMARY KEY REFERENCES domain (id) ON DELETE CASCADE,
    begun_at timestamptz NOT NULL,
    synced_at timestamptz,
    fault text,
    users bigint NOT NULL DEFAULT 0,
    groups bigint NOT NULL DEFAULT 0
);
