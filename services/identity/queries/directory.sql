-- directory_of_user(id text?, name text?, domain_id text?, domain_name text?) :opt -> (domain_id text, directory_id text?)
SELECT d.id AS domain_id, a.directory_id FROM domain d
JOIN domain_config c ON c.domain_id = d.id AND c.section = 'identity' AND c.name = 'driver' AND c.value = '"ldap"'
LEFT JOIN account a ON a.domain_id = d.id AND a.id = $1
WHERE d.enabled AND CASE WHEN $1::text IS NOT NULL THEN a.id IS NOT NULL
    ELSE $2::text IS NOT NULL AND (d.id = $3 OR d.name = $4) AND ($3::text IS NULL OR d.id = $3) AND ($4::text IS NULL OR d.name = $4) END LIMIT 1;

-- directories_due(interval_s int8) :many -> (domain_id text)
SELECT c.domain_id FROM domain_config c LEFT JOIN directory_sync s ON s.domain_id = c.domain_id
WHERE c.section = 'identity' AND c.name = 'driver' AND c.value = '"ldap"'
  AND (s.begun_at IS NULL OR s.begun_at < clock_timestamp() - make_interval(secs => $1::int8)) ORDER BY c.domain_id;

-- directory_is_new(domain_id text) :opt -> (domain_id text)
SELECT c.domain_id FROM domain_config c LEFT JOIN directory_sync s ON s.domain_id = c.domain_id
WHERE c.domain_id = $1 AND c.section = 'identity' AND c.name = 'driver' AND c.value = '"ldap"' AND s.domain_id IS NULL;

-- directory_claim(domain_id text, interval_s int8) :exec
INSERT INTO directory_sync (domain_id, begun_at) VALUES ($1, clock_timestamp())
ON CONFLICT (domain_id) DO UPDATE SET begun_at = excluded.begun_at
WHERE directory_sync.begun_at < clock_timestamp() - make_interval(secs => $2::int8);

-- directory_synced(domain_id text, fault text?, users int8, groups int8) :exec
UPDATE directory_sync SET fault = $2, users = $3, groups = $4,
    synced_at = CASE WHEN $2::text IS NULL THEN clock_timestamp() ELSE synced_at END WHERE domain_id = $1;

-- directory_forget_sync(domain_id text) :exec
DELETE FROM directory_sync WHERE domain_id = $1;

-- directory_users_lost(domain_id text, rows jsonb) :many -> (id text)
UPDATE account a SET enabled = false WHERE a.domain_id = $1 AND a.directory_id IS NOT NULL AND a.enabled
  AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset($2::jsonb) AS r(id text, enabled boolean) WHERE r.id = a.id AND r.enabled)
RETURNING a.id;

-- directory_users_put(domain_id text, rows jsonb) :exec
INSERT INTO account (id, name, domain_id, enabled, description, email, directory_id, directory_dn)
SELECT DISTINCT ON (u.id) u.id, u.name, $1, u.enabled, u.description, u.email, u.directory_id, u.dn
FROM (SELECT DISTINCT ON (r.name) r.* FROM jsonb_to_recordset($2::jsonb)
        AS r(id text, name text, enabled boolean, description text, email text, directory_id text, dn text) ORDER BY r.name, r.id) u
WHERE NOT EXISTS (SELECT 1 FROM account o WHERE o.domain_id = $1 AND o.name = u.name AND o.id <> u.id AND NOT o.shadow) ORDER BY u.id
ON CONFLICT (id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled, description = excluded.description,
    email = excluded.email, directory_dn = excluded.directory_dn
WHERE (account.name, account.enabled, account.description, account.email, account.directory_dn)
    IS DISTINCT FROM (excluded.name, excluded.enabled, excluded.description, excluded.email, excluded.directory_dn);

-- directory_groups_put(domain_id text, rows jsonb) :exec
INSERT INTO user_group (id, name, domain_id, description, directory_id, directory_dn)
SELECT DISTINCT ON (g.id) g.id, g.name, $1, COALESCE(g.description, ''), g.directory_id, g.dn
FROM (SELECT DISTINCT ON (r.name) r.* FROM jsonb_to_recordset($2::jsonb)
        AS r(id text, name text, description text, directory_id text, dn text) ORDER BY r.name, r.id) g
WHERE NOT EXISTS (SELECT 1 FROM user_group o WHERE o.domain_id = $1 AND o.name = g.name AND o.id <> g.id) ORDER BY g.id
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, directory_dn = excluded.directory_dn
WHERE (user_group.name, user_group.description, user_group.directory_dn) IS DISTINCT FROM (excluded.name, excluded.description, excluded.directory_dn);

-- directory_members_put(domain_id text, rows jsonb, by_id bool, nested bool, only_user text?) :many -> (user_id text)
WITH RECURSIVE raw AS (
    SELECT r.group_id, r.member FROM jsonb_to_recordset($2::jsonb) AS r(group_id text, member text)
), inside AS (
    SELECT group_id, member FROM raw
    UNION SELECT i.group_id, r.member FROM inside i
    JOIN user_group g ON $4 AND g.domain_id = $1 AND g.directory_dn = i.member JOIN raw r ON r.group_id = g.id
), wanted AS (
    SELECT DISTINCT i.group_id, a.id AS user_id FROM inside i JOIN user_group g ON g.id = i.group_id
    JOIN account a ON a.domain_id = $1 AND a.directory_id IS NOT NULL AND CASE WHEN $3 THEN a.directory_id ELSE a.directory_dn END = i.member
    WHERE $5::text IS NULL OR a.id = $5
), added AS (
    INSERT INTO group_member (group_id, user_id) SELECT group_id, user_id FROM wanted ON CONFLICT DO NOTHING
), gone AS (
    DELETE FROM group_member m USING user_group g
    WHERE g.id = m.group_id AND g.domain_id = $1 AND g.directory_id IS NOT NULL AND ($5::text IS NULL OR m.user_id = $5)
      AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.group_id = m.group_id AND w.user_id = m.user_id)
    RETURNING m.user_id
)
SELECT DISTINCT user_id FROM gone ORDER BY user_id;

-- directory_of_domain(domain_id text) :opt -> (domain_id text)
SELECT domain_id FROM domain_config WHERE domain_id = $1 AND section = 'identity' AND name = 'driver' AND value = '"ldap"';
