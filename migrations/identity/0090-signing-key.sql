-- The public keys of all identity daemons: each verifies and serves what any of them signs.
-- works-with-older-builds
CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    jwk jsonb NOT NULL,
    verify_until timestamptz NOT NULL -- No token that it signed lives longer. Moved on as long as a daemon signs with it.
);
-- For each row: a statement that finds nothing to do tells nobody.
CREATE TRIGGER tell AFTER INSERT OR DELETE ON signing_key FOR EACH ROW EXECUTE FUNCTION tell_change('key');
