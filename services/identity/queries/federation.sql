-- remote_id_add(remote_id text, idp_id text, number int4) :exec
INSERT INTO idp_remote_id (remote_id, idp_id, number) VALUES ($1, $2, $3);

-- remote_ids_forget(idp_id text) :exec
DELETE FROM idp_remote_id WHERE idp_id = $1;

-- remote_ids_of(idp_ids text[]) :many -> (idp_id text, remote_id text)
SELECT idp_id, remote_id FROM idp_remote_id WHERE idp_id = ANY($1::text[]) ORDER BY idp_id, number;

-- protocols_with_mapping(mapping_id text) :many -> (idp_id text, id text)
SELECT idp_id, id FROM federation_protocol WHERE mapping_id = $1 ORDER BY idp_id, id;

-- service_providers_enabled() :many -> (id text, auth_url text, sp_url text)
SELECT id, auth_url, sp_url FROM service_provider WHERE enabled ORDER BY id;

-- groups_known(ids text[]) :many -> (id text)
SELECT id FROM user_group WHERE id = ANY($1::text[]) ORDER BY id;

-- group_find(name text, domain_id text?, domain_name text?) :opt -> (id text)
SELECT g.id FROM user_group g JOIN domain d ON d.id = g.domain_id
WHERE g.name = $1 AND ($2::text IS NULL OR d.id = $2) AND ($3::text IS NULL OR d.name = $3) ORDER BY g.id LIMIT 1;

-- A role of that name for everybody, or for that domain.
-- role_find(name text, domain_id text) :opt -> (id text)
SELECT id FROM role WHERE name = $1 AND (domain_id IS NULL OR domain_id = $2) ORDER BY domain_id NULLS FIRST LIMIT 1;

-- federated_user_find(idp_id text, protocol_id text, unique_id text) :opt -> (user_id text)
SELECT user_id FROM federated_user WHERE idp_id = $1 AND protocol_id = $2 AND unique_id = $3;

-- federated_user_add(idp_id text, protocol_id text, unique_id text, user_id text) :exec
INSERT INTO federated_user (idp_id, protocol_id, unique_id, user_id) VALUES ($1, $2, $3, $4);

-- shadow_account_add(id text, name text, domain_id text, email text?) :exec
INSERT INTO account (id, name, domain_id, email, shadow) VALUES ($1, $2, $3, $4, true);

-- An account that is our own and only linked to the provider's keeps its name.
-- shadow_account_rename(id text, name text, email text?) :exec
UPDATE account SET name = $2, email = COALESCE($3, email) WHERE id = $1 AND shadow AND (name <> $2 OR email IS DISTINCT FROM COALESCE($3, email));

-- federated_members_forget(user_id text, idp_id text) :exec
DELETE FROM federated_member WHERE user_id = $1 AND idp_id = $2;

-- federated_members_add(user_id text, group_ids text[], idp_id text, expires_at timestamptz) :exec
INSERT INTO federated_member (user_id, group_id, idp_id, expires_at) SELECT $1, unnest($2::text[]), $3, $4;

-- idp_of_remote_id(remote_id text) :opt -> (idp_id text)
SELECT idp_id FROM idp_remote_id WHERE remote_id = $1;

-- Once: who comes second with it adds nothing.
-- websso_use(state text, expires_at timestamptz) :exec
INSERT INTO websso_used (state, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- websso_forget(now timestamptz) :exec
DELETE FROM websso_used WHERE expires_at <= $1;

-- remote_id_attributes(protocol_id text) :many -> (attribute text?)
SELECT DISTINCT remote_id_attribute AS attribute FROM federation_protocol WHERE id = $1 ORDER BY 1;

-- protocol_exists(idp_id text, protocol_id text) :opt -> (id text)
SELECT id FROM federation_protocol WHERE idp_id = $1 AND id = $2;

-- federated_user_forget(user_id text) :exec
DELETE FROM federated_user WHERE user_id = $1;

-- In the order of the ids.
-- federated_users_of(user_ids text[]) :many -> (user_id text, idp_id text, protocol_id text, unique_id text)
SELECT u.user_id, u.idp_id, u.protocol_id, u.unique_id FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, number)
JOIN federated_user u ON u.user_id = wanted.id ORDER BY wanted.number, u.idp_id, u.protocol_id, u.unique_id;

-- groups_with_roles(ids text[]) :many -> (id text)
SELECT DISTINCT actor_id AS id FROM assignment WHERE actor_type = 'group' AND actor_id = ANY($1::text[]) ORDER BY 1;
