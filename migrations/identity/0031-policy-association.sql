-- Which policy an endpoint follows: its own, that of its service in its region (or one above), or that of its service.
CREATE TABLE policy_association (
    policy_id text NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    endpoint_id text REFERENCES endpoint (id) ON DELETE CASCADE,
    service_id text REFERENCES service (id) ON DELETE CASCADE,
    region_id text REFERENCES region (id) ON DELETE CASCADE,
    CHECK ((endpoint_id IS NULL) <> (service_id IS NULL) AND (region_id IS NULL OR service_id IS NOT NULL))
);
CREATE UNIQUE INDEX policy_association_key
ON policy_association (COALESCE(endpoint_id, ''), COALESCE(service_id, ''), COALESCE(region_id, ''));
CREATE INDEX policy_association_policy ON policy_association (policy_id);
CREATE INDEX policy_association_service ON policy_association (service_id);
CREATE INDEX policy_association_region ON policy_association (region_id);
