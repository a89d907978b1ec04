-- Unified limits: what a service registers as its resources' defaults, and what projects and domains have instead.
CREATE TABLE registered_limit (
    id text PRIMARY KEY,
    service_id text NOT NULL CONSTRAINT registered_limit_service_id_fkey REFERENCES service (id),
    region_id text CONSTRAINT registered_limit_region_id_fkey REFERENCES region (id),
    resource_name text NOT NULL,
    default_limit bigint NOT NULL,
    description text
);
CREATE UNIQUE INDEX registered_limit_key ON registered_limit (service_id, resource_name, COALESCE(region_id, ''));
CREATE INDEX registered_limit_region ON registered_limit (region_id);

-- Service, region and resource are those of the registered limit, which does not change while a limit refers to it.
CREATE TABLE project_limit (
    id text PRIMARY KEY,
    registered_limit_id text NOT NULL CONSTRAINT project_limit_registered_limit_id_fkey REFERENCES registered_limit (id),
    project_id text REFERENCES project (id) ON DELETE CASCADE,
    project_domain_id text, -- The project's: a project never changes it.
    domain_id text REFERENCES domain (id) ON DELETE CASCADE,
    service_id text NOT NULL,
    region_id text,
    resource_name text NOT NULL,
    resource_limit bigint NOT NULL,
    description text,
    CHECK ((project_id IS NULL) <> (domain_id IS NULL))
);
CREATE UNIQUE INDEX project_limit_key
ON project_limit (registered_limit_id, COALESCE(project_id, ''), COALESCE(domain_id, ''));
CREATE INDEX project_limit_project ON project_limit (project_id);
CREATE INDEX project_limit_domain ON project_limit (domain_id);
CREATE INDEX project_limit_project_domain ON project_limit (project_domain_id);
CREATE INDEX project_limit_service ON project_limit (service_id, resource_name);
