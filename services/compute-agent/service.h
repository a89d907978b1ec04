/* What belongs to the whole process, and to each host it speaks for (more than one only in simulation). */
#pragma once

#include "daemon/daemon.h"
#include "driver.h"

struct compute_agent_config {
    struct daemon_config common;
    const char *driver;
    int64_t report_interval_s;
    int64_t reserved_vcpus, reserved_memory_mb, reserved_disk_gb;
    int64_t image_cache_gb, image_cache_unused_s;
    const char *host_ip, *hypervisor_uuid;
    const char *libvirt_uri, *virt_type, *emulator, *cpu_model, *disk_cache, *vnc_listen;
    bool security_labels;
    int64_t call_deadline_s;
    int64_t sim_hosts, sim_vcpus, sim_memory_mb, sim_disk_gb, sim_delay_ms;
    const char **sim_failures;
};

/* One host: what struct rpc_request's 'owner' is to the methods in guests.c. */
struct agent {
    const struct compute_agent_config *config;
    const char *host; /* As it is known to the compute service. */
    struct hypervisor *hypervisor;
    struct guest_locks *locks;
};
