-- Images: what is known of them, and with whom they are shared. Their bytes are files of the store, named by data_id.

CREATE TABLE image (
    id text PRIMARY KEY,
    name text,
    owner text NOT NULL,
    status text NOT NULL DEFAULT 'queued',
    visibility text NOT NULL DEFAULT 'shared',
    protected boolean NOT NULL DEFAULT false,
    os_hidden boolean NOT NULL DEFAULT false,
    disk_format text,
    container_format text,
    min_disk bigint NOT NULL DEFAULT 0, -- GiB
    min_ram bigint NOT NULL DEFAULT 0, -- MiB
    size bigint,
    virtual_size bigint,
    checksum text, -- MD5
    os_hash_algo text,
    os_hash_value text,
    tags jsonb NOT NULL DEFAULT '[]',
    properties jsonb NOT NULL DEFAULT '{}', -- the members that clients add
    data_id text CONSTRAINT image_data_id_key UNIQUE, -- file of the store, or the one that is being written
    staged jsonb, -- what is known of staged bytes that wait for their import; null while they come
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX image_owner ON image (owner, created_at DESC, id DESC);
CREATE INDEX image_created ON image (created_at DESC, id DESC);
CREATE INDEX image_coming ON image (id) WHERE status IN ('saving', 'uploading');

CREATE TABLE image_member (
    image_id text NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    member_id text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'accepted', 'rejected')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (image_id, member_id)
);
CREATE INDEX image_member_member ON image_member (member_id);
