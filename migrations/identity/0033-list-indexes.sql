-- What lists filter by without a domain; these find beginnings of names too.
-- works-with-older-builds
CREATE INDEX account_domain ON account (domain_id);
CREATE INDEX account_by_name ON account (name text_pattern_ops);
CREATE INDEX account_password_expires ON account (password_expires_at) WHERE password_expires_at IS NOT NULL;
CREATE INDEX project_by_name ON project (name text_pattern_ops);
CREATE INDEX user_group_by_name ON user_group (name text_pattern_ops);
CREATE INDEX credential_type ON credential (type);
