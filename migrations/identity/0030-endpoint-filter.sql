-- Which endpoints the tokens of a project name: single ones, and those that a group's filters match.
CREATE TABLE project_endpoint (
    project_id text NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    endpoint_id text NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, endpoint_id)
);
CREATE INDEX project_endpoint_endpoint ON project_endpoint (endpoint_id);

CREATE TABLE endpoint_group (
    id text PRIMARY KEY,
    name text NOT NULL,
    description text,
    filters jsonb NOT NULL -- service_id, region_id, interface: what its endpoints have in common
);
CREATE INDEX endpoint_group_name ON endpoint_group (name);
CREATE TABLE project_endpoint_group (
    project_id text NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    endpoint_group_id text NOT NULL REFERENCES endpoint_group (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, endpoint_group_id)
);
CREATE INDEX project_endpoint_group_group ON project_endpoint_group (endpoint_group_id);

CREATE VIEW endpoint_group_endpoint AS
SELECT g.id AS endpoint_group_id, e.id AS endpoint_id FROM endpoint_group g
JOIN endpoint e ON jsonb_build_object('service_id', e.service_id, 'region_id', e.region_id, 'interface', e.interface) @> g.filters;

-- A project that stands here has a catalogue of its own.
CREATE VIEW project_catalog AS
SELECT project_id, endpoint_id FROM project_endpoint
UNION
SELECT m.project_id, g.endpoint_id FROM project_endpoint_group m JOIN endpoint_group_endpoint g USING (endpoint_group_id);

CREATE INDEX endpoint_region ON endpoint (region_id);
CREATE INDEX region_parent ON region (parent_region_id);
CREATE INDEX service_type ON service (type);
-- A service always has a name, if an empty one.
UPDATE service SET name = '' WHERE name IS NULL;
ALTER TABLE service ALTER COLUMN name SET DEFAULT '', ALTER COLUMN name SET NOT NULL;
UPDATE region SET description = '' WHERE description IS NULL;
ALTER TABLE region ALTER COLUMN description SET DEFAULT '', ALTER COLUMN description SET NOT NULL;
