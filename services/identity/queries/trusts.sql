-- A trust and those it came from, itself first. Whether those in it may still act, and the roles of each.
-- trust_chain(id text) :many -> trust_link_row (id text, trustor_user_id text, trustee_user_id text, project_id text?, impersonation bool, expires_at timestamptz?, remaining_uses int8?, redelegation_count int8, trustor_enabled bool, trustee_enabled bool, roles text[])
WITH RECURSIVE chain AS (
    SELECT t.*, 0 AS depth FROM trust t WHERE t.id = $1
    UNION ALL SELECT p.*, c.depth + 1 FROM trust p JOIN chain c ON p.id = c.redelegated_trust_id
)
SELECT c.id, c.trustor_user_id, c.trustee_user_id, c.project_id, c.impersonation, c.expires_at, c.remaining_uses, c.redelegation_count,
       o.enabled AND od.enabled AS trustor_enabled, e.enabled AND ed.enabled AS trustee_enabled,
       ARRAY(SELECT r.role_id FROM trust_role r WHERE r.trust_id = c.id ORDER BY r.role_id) AS roles
FROM chain c
JOIN account o ON o.id = c.trustor_user_id JOIN domain od ON od.id = o.domain_id
JOIN account e ON e.id = c.trustee_user_id JOIN domain ed ON ed.id = e.domain_id
ORDER BY c.depth;

-- What its roles are worth: with those they imply. One that is gone is among them.
-- trust_effective_roles(id text) :many -> (id text)
WITH RECURSIVE closure AS (
    SELECT role_id AS id FROM trust_role WHERE trust_id = $1
    UNION SELECT i.implied_role_id FROM implied_role i JOIN closure c ON i.prior_role_id = c.id
)
SELECT id FROM closure;

-- trust_role_add(trust_id text, role_id text) :exec
INSERT INTO trust_role (trust_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- trust_roles(ids text[]) :many -> (trust_id text, id text, name text, domain_id text?, description text?, options jsonb)
SELECT t.trust_id, r.id, r.name, r.domain_id, r.description, r.options
FROM trust_role t JOIN role r ON r.id = t.role_id WHERE t.trust_id = ANY($1::text[]) ORDER BY t.trust_id, r.name, r.id;

-- One use less; 0 rows: there was none left.
-- trust_consume(id text) :exec
UPDATE trust SET remaining_uses = remaining_uses - 1 WHERE id = $1 AND remaining_uses > 0;

-- trust_descendants(id text) :many -> (id text)
WITH RECURSIVE below AS (
    SELECT $1::text AS id UNION SELECT t.id FROM trust t JOIN below b ON t.redelegated_trust_id = b.id
)
SELECT id FROM below;

-- trust_remove(id text) :exec
DELETE FROM trust WHERE id = $1;

-- trusts_purge(before timestamptz) :exec
DELETE FROM trust WHERE expires_at < $1;

-- Trusts that hang on a user, or on the users of a domain, and whose tokens do not name him as their user: those he is the other
-- party of, and all that were handed on from one of his.
-- trusts_hanging_on(user_id text?, domain_id text?) :many -> (id text)
WITH RECURSIVE who AS (
    SELECT id FROM account WHERE ($1::text IS NOT NULL AND id = $1) OR ($1::text IS NULL AND domain_id = $2)
), his AS (
    SELECT t.id, CASE WHEN t.impersonation THEN t.trustor_user_id ELSE t.trustee_user_id END AS token_user
    FROM trust t WHERE t.trustor_user_id IN (SELECT id FROM who) OR t.trustee_user_id IN (SELECT id FROM who)
), below AS (
    SELECT t.id FROM trust t JOIN his h ON t.redelegated_trust_id = h.id
    UNION SELECT t.id FROM trust t JOIN below b ON t.redelegated_trust_id = b.id
)
SELECT id FROM his WHERE token_user NOT IN (SELECT id FROM who) UNION SELECT id FROM below;
