-- What a project's own catalogue is made of, for the memory of other daemons (see 0050).
-- works-with-older-builds
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON project_endpoint FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON endpoint_group FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON project_endpoint_group FOR EACH STATEMENT EXECUTE FUNCTION tell_change('catalog');
