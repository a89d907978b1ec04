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
