-- Block storage: volumes, snapshots, attachments, and the backends they live on.
--
-- What a volume, snapshot or attachment is busy with is its open saga; what a volume is used for is its attachments. So 'state'
-- holds only what cannot be derived: 'ready' means "see the rest", any other word is the status itself. The views compute it.

CREATE TABLE volume_type (
    id text PRIMARY KEY,
    name text NOT NULL CONSTRAINT volume_type_name_key UNIQUE,
    description text,
    is_public boolean NOT NULL DEFAULT true,
    extra_specs jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz
);
INSERT INTO volume_type (id, name, description) VALUES (gen_random_uuid()::text, '__DEFAULT__', 'Default Volume Type');

CREATE TABLE volume_type_access (
    type_id text NOT NULL REFERENCES volume_type (id) ON DELETE CASCADE,
    project_id text NOT NULL,
    PRIMARY KEY (type_id, project_id)
);

CREATE TABLE default_type (
    project_id text PRIMARY KEY,
    type_id text NOT NULL CONSTRAINT default_type_type_id_fkey REFERENCES volume_type (id)
);

CREATE TABLE backend (
    host text PRIMARY KEY,
    id text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text, -- Of the service, for clients
    name text NOT NULL, -- What volume types choose by
    driver text NOT NULL,
    capacity_bytes bigint NOT NULL,
    free_bytes bigint NOT NULL,
    provisioned_bytes bigint NOT NULL,
    volume_count bigint NOT NULL,
    state text NOT NULL, -- up, down: as its agent says
    capabilities jsonb NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    disabled_reason text,
    availability_zone text NOT NULL,
    interval_s bigint NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE volume (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    user_id text NOT NULL,
    name text,
    description text,
    size_gb bigint NOT NULL,
    growing_to_gb bigint, -- While it is extended: counted by quota and capacity
    type_id text CONSTRAINT volume_type_id_fkey REFERENCES volume_type (id),
    state text NOT NULL DEFAULT 'ready',
    fault text, -- Why it is in error
    host text, -- Of its agent; null until placed
    backend_name text,
    availability_zone text NOT NULL,
    bootable boolean NOT NULL DEFAULT false,
    read_only boolean, -- Null: nobody ever said
    multiattach boolean NOT NULL DEFAULT false,
    metadata jsonb NOT NULL DEFAULT '{}',
    image_metadata jsonb NOT NULL DEFAULT '{}',
    snapshot_id text, -- What it was made from; may be gone
    source_volume_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    launched_at timestamptz
);
CREATE INDEX volume_project ON volume (project_id, created_at DESC, id DESC);
CREATE INDEX volume_created ON volume (created_at DESC, id DESC);
CREATE INDEX volume_host ON volume (host);
CREATE INDEX volume_type_id ON volume (type_id);
CREATE INDEX volume_snapshot ON volume (snapshot_id) WHERE snapshot_id IS NOT NULL;
CREATE INDEX volume_source ON volume (source_volume_id) WHERE source_volume_id IS NOT NULL;

CREATE TABLE snapshot (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    user_id text NOT NULL,
    volume_id text NOT NULL CONSTRAINT snapshot_volume_id_fkey REFERENCES volume (id),
    name text,
    description text,
    size_gb bigint NOT NULL,
    state text NOT NULL DEFAULT 'ready',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX snapshot_project ON snapshot (project_id, created_at DESC, id DESC);
CREATE INDEX snapshot_created ON snapshot (created_at DESC, id DESC);
CREATE INDEX snapshot_volume ON snapshot (volume_id);

CREATE TABLE attachment (
    id text PRIMARY KEY,
    volume_id text NOT NULL CONSTRAINT attachment_volume_id_fkey REFERENCES volume (id),
    project_id text NOT NULL, -- The volume's
    instance text,
    host text, -- That connects, from its connector
    device text,
    attach_mode text NOT NULL DEFAULT 'rw',
    state text NOT NULL, -- reserved, attaching, attached, error_attaching, error_detaching
    connector jsonb,
    connection_info jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attached_at timestamptz
);
CREATE INDEX attachment_volume ON attachment (volume_id);
CREATE INDEX attachment_project ON attachment (project_id, created_at DESC, id DESC);

CREATE TABLE quota (
    project_id text NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- --- What is derived

CREATE FUNCTION saga_status(object text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE name
        WHEN 'volume.create' THEN 'creating' WHEN 'volume.delete' THEN 'deleting' WHEN 'volume.extend' THEN 'extending'
        WHEN 'volume.snapshot-create' THEN 'creating' WHEN 'volume.snapshot-delete' THEN 'deleting'
        WHEN 'volume.attach' THEN 'attaching' WHEN 'volume.detach' THEN 'detaching' END
    FROM saga WHERE object_id = object AND status = 'open' ORDER BY seq DESC LIMIT 1
$$;

CREATE FUNCTION volume_use(volume text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT (ARRAY['in-use', 'attaching', 'detaching', 'reserved', 'error'])[min(CASE s
        WHEN 'attached' THEN 1 WHEN 'attaching' THEN 2 WHEN 'detaching' THEN 3 WHEN 'reserved' THEN 4 WHEN 'error_detaching' THEN 3 ELSE 5 END)]
    FROM (SELECT COALESCE(saga_status(a.id), a.state) AS s FROM attachment a WHERE a.volume_id = volume) AS states
$$;

CREATE VIEW volume_seen AS
SELECT v.id, v.project_id, v.user_id, v.name, v.description, v.size_gb, v.growing_to_gb, v.type_id, v.state, v.fault, v.host, v.backend_name,
    v.availability_zone, v.bootable, v.read_only, v.multiattach, v.metadata, v.image_metadata, v.snapshot_id, v.source_volume_id,
    v.created_at, v.updated_at, v.launched_at,
    COALESCE(saga_status(v.id), NULLIF(v.state, 'ready'), volume_use(v.id), 'available') AS status,
    (SELECT t.name FROM volume_type t WHERE t.id = v.type_id) AS type_name,
    v.host || '@' || v.backend_name || '#' || v.backend_name AS pool,
    CASE WHEN v.bootable THEN 'true' ELSE 'false' END AS bootable_text
FROM volume v;

CREATE VIEW snapshot_seen AS
SELECT s.id, s.project_id, s.user_id, s.volume_id, s.name, s.description, s.size_gb, s.state, s.metadata, s.created_at, s.updated_at,
    COALESCE(saga_status(s.id), NULLIF(s.state, 'ready'), 'available') AS status,
    s.project_id AS owner_id
FROM snapshot s;

CREATE VIEW attachment_seen AS
SELECT a.id, a.volume_id, a.project_id, a.instance, a.host, a.device, a.attach_mode, a.state, a.connector, a.connection_info,
    a.created_at, a.updated_at, a.attached_at, NULL::timestamptz AS detached_at,
    COALESCE(saga_status(a.id), a.state) AS status
FROM attachment a;
