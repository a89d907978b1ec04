-- Members that clients add of their own; the tree of projects and who is assigned what as references that the database keeps, so
-- that no row outlives what it points to, whoever deletes what at the same time.

ALTER TABLE domain ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE project ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE account ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE user_group ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE role ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';

-- A domain is shown as a project too.
CREATE VIEW domain_project AS
    SELECT id, name, description, enabled, options, tags, extra, true AS is_domain, NULL::text AS domain_id, NULL::text AS parent_id
    FROM domain;

UPDATE project p SET parent_id = domain_id
WHERE parent_id IS NULL OR (parent_id <> domain_id AND NOT EXISTS (SELECT 1 FROM project o WHERE o.id = p.parent_id));
ALTER TABLE project
    ALTER COLUMN parent_id SET NOT NULL,
    -- NULL for the top of the tree, whose parent is the domain.
    ADD COLUMN parent_project_id text GENERATED ALWAYS AS (NULLIF(parent_id, domain_id)) STORED
        CONSTRAINT project_parent_fkey REFERENCES project (id);

DELETE FROM assignment s
WHERE (actor_type = 'user' AND NOT EXISTS (SELECT 1 FROM account x WHERE x.id = s.actor_id))
   OR (actor_type = 'group' AND NOT EXISTS (SELECT 1 FROM user_group x WHERE x.id = s.actor_id))
   OR (target_type = 'project' AND NOT EXISTS (SELECT 1 FROM project x WHERE x.id = s.target_id))
   OR (target_type = 'domain' AND NOT EXISTS (SELECT 1 FROM domain x WHERE x.id = s.target_id));
ALTER TABLE assignment
    ADD COLUMN user_id text GENERATED ALWAYS AS (CASE WHEN actor_type = 'user' THEN actor_id END) STORED
        CONSTRAINT assignment_user_fkey REFERENCES account (id) ON DELETE CASCADE,
    ADD COLUMN group_id text GENERATED ALWAYS AS (CASE WHEN actor_type = 'group' THEN actor_id END) STORED
        CONSTRAINT assignment_group_fkey REFERENCES user_group (id) ON DELETE CASCADE,
    ADD COLUMN project_id text GENERATED ALWAYS AS (CASE WHEN target_type = 'project' THEN target_id END) STORED
        CONSTRAINT assignment_project_fkey REFERENCES project (id) ON DELETE CASCADE,
    ADD COLUMN domain_id text GENERATED ALWAYS AS (CASE WHEN target_type = 'domain' THEN target_id END) STORED
        CONSTRAINT assignment_domain_fkey REFERENCES domain (id) ON DELETE CASCADE;
CREATE INDEX assignment_user ON assignment (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX assignment_group ON assignment (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX assignment_project ON assignment (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX assignment_domain ON assignment (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX implied_role_implied ON implied_role (implied_role_id);
CREATE INDEX project_tags ON project USING gin (tags);
