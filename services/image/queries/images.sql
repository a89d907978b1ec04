-- image_begin_data(id text, status text, data_id text, disk_format text, container_format text) :opt -> (id text)
UPDATE image SET status = $2, data_id = $3, staged = NULL, updated_at = clock_timestamp()
WHERE id = $1 AND status = 'queued' AND disk_format = $4 AND container_format = $5 RETURNING id;

-- image_finish_data(id text, data_id text, size int8, virtual_size int8?, checksum text, os_hash_value text) :exec
UPDATE image SET status = 'active', size = $3, virtual_size = $4, checksum = $5, os_hash_algo = 'sha512', os_hash_value = $6,
    updated_at = clock_timestamp()
WHERE id = $1 AND data_id = $2 AND status = 'saving';

-- image_finish_stage(id text, data_id text, staged jsonb) :exec
UPDATE image SET staged = $3, updated_at = clock_timestamp() WHERE id = $1 AND data_id = $2 AND status = 'uploading';

-- image_drop_data(id text, data_id text) :exec
UPDATE image SET status = 'queued', data_id = NULL, staged = NULL, updated_at = clock_timestamp()
WHERE id = $1 AND data_id = $2 AND status IN ('saving', 'uploading') AND staged IS NULL;

-- image_import_staged(id text) :exec
UPDATE image SET status = 'active', size = (staged ->> 'size')::bigint, virtual_size = (staged ->> 'virtual_size')::bigint,
    checksum = staged ->> 'checksum', os_hash_algo = 'sha512', os_hash_value = staged ->> 'os_hash_value', staged = NULL,
    updated_at = clock_timestamp()
WHERE id = $1 AND status = 'uploading' AND staged IS NOT NULL;

-- image_set_status(id text, from_status text, to_status text) :exec
UPDATE image SET status = $3, updated_at = clock_timestamp() WHERE id = $1 AND status = $2;

-- image_coming() :many -> (id text, data_id text)
SELECT id, data_id FROM image WHERE status IN ('saving', 'uploading') AND staged IS NULL AND data_id IS NOT NULL;

-- image_of_data(data_id text) :opt -> (id text)
SELECT id FROM image WHERE data_id = $1;

-- image_set_tags(id text, tags jsonb) :exec
UPDATE image SET tags = $2, updated_at = clock_timestamp() WHERE id = $1;
