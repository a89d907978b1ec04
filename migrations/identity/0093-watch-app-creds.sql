-- What a token's body says of its application credential is kept in memory: each daemon hears when one is gone (see 0050).
-- works-with-older-builds
CREATE TRIGGER tell AFTER UPDATE OR DELETE ON application_credential FOR EACH ROW EXECUTE FUNCTION tell_change('app_cred');
