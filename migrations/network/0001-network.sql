-- Network: what projects asked for, and on which hosts it is to be made real.

-- How often a row has changed: its revision_number on the wire.
CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision_number := OLD.revision_number + 1;
    RETURN NEW;
END $$;

CREATE TABLE network (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    admin_state_up boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'ACTIVE',
    shared boolean NOT NULL DEFAULT false,
    router_external boolean NOT NULL DEFAULT false,
    port_security_enabled boolean NOT NULL DEFAULT true,
    mtu integer NOT NULL,
    network_type text NOT NULL,               -- vxlan or flat
    physical_network text,                    -- flat
    segmentation_id integer,                  -- vxlan: the VNI
    dns_domain text NOT NULL DEFAULT '',
    availability_zone_hints jsonb NOT NULL DEFAULT '[]',
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX network_project ON network (project_id);
CREATE UNIQUE INDEX network_vni_key ON network (segmentation_id) WHERE network_type = 'vxlan';
CREATE UNIQUE INDEX network_flat_key ON network (physical_network) WHERE network_type = 'flat';
CREATE TRIGGER network_revision BEFORE UPDATE ON network FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE subnetpool (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    prefixes jsonb NOT NULL,                  -- Compacted: no one holds another.
    ip_version integer NOT NULL,
    default_prefixlen integer NOT NULL,
    min_prefixlen integer NOT NULL,
    max_prefixlen integer NOT NULL,
    default_quota integer,
    shared boolean NOT NULL DEFAULT false,
    is_default boolean NOT NULL DEFAULT false,
    address_scope_id text,
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX subnetpool_project ON subnetpool (project_id);
CREATE TRIGGER subnetpool_revision BEFORE UPDATE ON subnetpool FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE subnet (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    network_id text NOT NULL CONSTRAINT subnet_network_id_fkey REFERENCES network (id),
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    ip_version integer NOT NULL,
    cidr text NOT NULL,
    gateway_ip text,
    allocation_pools jsonb NOT NULL DEFAULT '[]',
    dns_nameservers jsonb NOT NULL DEFAULT '[]',
    host_routes jsonb NOT NULL DEFAULT '[]',
    enable_dhcp boolean NOT NULL DEFAULT true,
    ipv6_ra_mode text,
    ipv6_address_mode text,
    subnetpool_id text CONSTRAINT subnet_subnetpool_id_fkey REFERENCES subnetpool (id),
    service_types jsonb NOT NULL DEFAULT '[]',
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX subnet_project ON subnet (project_id);
CREATE INDEX subnet_network ON subnet (network_id);
CREATE INDEX subnet_subnetpool ON subnet (subnetpool_id);
CREATE TRIGGER subnet_revision BEFORE UPDATE ON subnet FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE port (
    id text PRIMARY KEY,
    project_id text NOT NULL,                 -- '' for what a router or floating IP has on an external network.
    network_id text NOT NULL CONSTRAINT port_network_id_fkey REFERENCES network (id),
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    mac_address text NOT NULL,
    admin_state_up boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'DOWN',
    device_id text NOT NULL DEFAULT '',
    device_owner text NOT NULL DEFAULT '',
    port_security_enabled boolean NOT NULL DEFAULT true,
    binding_host_id text NOT NULL DEFAULT '',
    binding_vnic_type text NOT NULL DEFAULT 'normal',
    binding_vif_type text NOT NULL DEFAULT 'unbound',
    binding_profile jsonb NOT NULL DEFAULT '{}',
    allowed_address_pairs jsonb NOT NULL DEFAULT '[]',
    extra_dhcp_opts jsonb NOT NULL DEFAULT '[]',
    dns_name text NOT NULL DEFAULT '',
    failure text,                             -- What the host's agent could not do for it.
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT port_mac_key UNIQUE (network_id, mac_address)
);
CREATE INDEX port_project ON port (project_id);
CREATE INDEX port_device ON port (device_id);
CREATE INDEX port_host ON port (binding_host_id) WHERE binding_host_id <> '';
CREATE TRIGGER port_revision BEFORE UPDATE ON port FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE port_ip (
    port_id text NOT NULL REFERENCES port (id) ON DELETE CASCADE,
    subnet_id text NOT NULL CONSTRAINT port_ip_subnet_id_fkey REFERENCES subnet (id),
    ip inet NOT NULL,
    position integer NOT NULL,                -- In the port's list.
    PRIMARY KEY (subnet_id, ip)
);
CREATE INDEX port_ip_port ON port_ip (port_id);

CREATE TABLE security_group (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    stateful boolean NOT NULL DEFAULT true,
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX security_group_project ON security_group (project_id);
CREATE UNIQUE INDEX security_group_default_key ON security_group (project_id) WHERE name = 'default';
CREATE TRIGGER security_group_revision BEFORE UPDATE ON security_group FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE security_group_rule (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    security_group_id text NOT NULL REFERENCES security_group (id) ON DELETE CASCADE,
    direction text NOT NULL,
    ethertype text NOT NULL,
    protocol text,
    port_range_min integer,
    port_range_max integer,
    remote_ip_prefix text,
    remote_group_id text REFERENCES security_group (id) ON DELETE CASCADE,
    description text NOT NULL DEFAULT '',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX security_group_rule_group ON security_group_rule (security_group_id);
CREATE INDEX security_group_rule_remote ON security_group_rule (remote_group_id);

CREATE TABLE port_security_group (
    port_id text NOT NULL REFERENCES port (id) ON DELETE CASCADE,
    security_group_id text NOT NULL CONSTRAINT port_security_group_group_fkey REFERENCES security_group (id),
    PRIMARY KEY (port_id, security_group_id)
);
CREATE INDEX port_security_group_group ON port_security_group (security_group_id);

CREATE TABLE router (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    admin_state_up boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'ACTIVE',
    enable_snat boolean NOT NULL DEFAULT true,
    routes jsonb NOT NULL DEFAULT '[]',
    host text NOT NULL DEFAULT '',            -- Where it is; '': nowhere yet.
    availability_zone_hints jsonb NOT NULL DEFAULT '[]',
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX router_project ON router (project_id);
CREATE INDEX router_host ON router (host);
CREATE TRIGGER router_revision BEFORE UPDATE ON router FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE floatingip (
    id text PRIMARY KEY,
    project_id text NOT NULL,
    description text NOT NULL DEFAULT '',
    floating_network_id text NOT NULL REFERENCES network (id),
    floating_port_id text NOT NULL REFERENCES port (id),
    floating_ip_address text NOT NULL,
    port_id text REFERENCES port (id),
    fixed_ip_address text,
    router_id text REFERENCES router (id),
    status text NOT NULL DEFAULT 'DOWN',
    dns_name text NOT NULL DEFAULT '',
    dns_domain text NOT NULL DEFAULT '',
    tags jsonb NOT NULL DEFAULT '[]',
    revision_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT floatingip_fixed_key UNIQUE (port_id, fixed_ip_address, floating_network_id)
);
CREATE INDEX floatingip_project ON floatingip (project_id);
CREATE INDEX floatingip_router ON floatingip (router_id);
CREATE INDEX floatingip_floating_port ON floatingip (floating_port_id);
CREATE TRIGGER floatingip_revision BEFORE UPDATE ON floatingip FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE quota (
    project_id text NOT NULL,
    resource text NOT NULL,
    most integer NOT NULL,                    -- -1: no limit
    PRIMARY KEY (project_id, resource)
);

CREATE TABLE agent (
    id text PRIMARY KEY,
    host text NOT NULL CONSTRAINT agent_host_key UNIQUE,
    agent_type text NOT NULL,
    version text NOT NULL DEFAULT '',
    driver text NOT NULL DEFAULT '',
    tunnel_ip text,
    bridge_mappings jsonb NOT NULL DEFAULT '{}',
    metadata boolean NOT NULL DEFAULT false,
    generation bigint NOT NULL DEFAULT 0,     -- The last one it applied.
    description text NOT NULL DEFAULT '',
    admin_state_up boolean NOT NULL DEFAULT true,
    availability_zone text NOT NULL DEFAULT 'nova',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What each host's agent is to have: counted up, in the same transaction, by every change that concerns the host.
CREATE TABLE host (
    name text PRIMARY KEY,
    generation bigint NOT NULL DEFAULT 1
);
