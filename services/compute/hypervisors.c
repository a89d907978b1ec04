/* /os-hypervisors: hosts as machines; what is committed on them is what their servers were promised. */
#include "base/json.h"
#include "base/str.h"
#include "service.h"

/* Ids are the provider's since 2.53, numbers before. */
static void
write_id(struct call *call, struct jsonw *w, const struct host_row *h)
{
    if (call_at_least(call, 2, 53))
        jsonw_text(w, "id", h->provider_id == NULL ? h->id : h->provider_id);
    else
        jsonw_int(w, "id", h->number);
}

static void
write_service(struct call *call, struct jsonw *w, const struct host_row *h)
{
    jsonw_object(w, "service");
    jsonw_text(w, "host", h->name);
    if (call_at_least(call, 2, 53))
        jsonw_text(w, "id", h->id);
    else
        jsonw_int(w, "id", h->number);
    jsonw_text(w, "disabled_reason", h->disabled_reason);
    jsonw_end(w);
}

static struct hosts_committed_row
committed_on(const struct hosts_committed_row *rows, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].host, host))
            return rows[i];
    }
    return (struct hosts_committed_row){ 0 };
}

static void
write_cpu(struct jsonw *w, const json_t *inventory)
{
    jsonw_object(w, "cpu_info");
    jsonw_text(w, "arch", json_get_text(inventory, "architecture"));
    jsonw_text(w, "model", json_get_text(inventory, "cpu_model"));
    jsonw_text(w, "vendor", json_get_text(inventory, "cpu_vendor"));
    jsonw_object(w, "topology");
    jsonw_int(w, "sockets", json_get_int(inventory, "sockets"));
    jsonw_int(w, "cores", json_get_int(inventory, "cores"));
    jsonw_int(w, "threads", json_get_int(inventory, "threads"));
    jsonw_end(w);
    jsonw_end(w);
}

static void
write_numbers(struct call *call, struct jsonw *w, const struct host_row *h,
              const struct hosts_committed_row *used)
{
    const json_t *i = h->inventory;

    if (call_at_least(call, 2, 88))
        return;
    jsonw_int(w, "vcpus", json_get_int(i, "vcpus"));
    jsonw_int(w, "vcpus_used", used->vcpus);
    jsonw_int(w, "memory_mb", json_get_int(i, "memory_mb"));
    jsonw_int(w, "memory_mb_used", used->memory_mb + json_get_int(i, "reserved_memory_mb"));
    jsonw_int(w, "free_ram_mb",
              json_get_int(i, "memory_mb") - used->memory_mb -
                  json_get_int(i, "reserved_memory_mb"));
    jsonw_int(w, "local_gb", json_get_int(i, "disk_gb"));
    jsonw_int(w, "local_gb_used", used->disk_gb);
    jsonw_int(w, "free_disk_gb", json_get_int(i, "disk_gb") - used->disk_gb);
    jsonw_int(w, "disk_available_least", json_get_int(h->usage, "disk_free_gb"));
    jsonw_int(w, "running_vms", used->servers);
    jsonw_int(w, "current_workload", 0);
    if (!call_at_least(call, 2, 28))
        jsonw_text(w, "cpu_info", "{}");
    else
        write_cpu(w, i);
}

static void
write_hypervisor(struct call *call, struct jsonw *w, const char *key, const struct host_row *h,
                 const struct hosts_committed_row *used, bool detail)
{
    jsonw_object(w, key);
    write_id(call, w, h);
    jsonw_text(w, "hypervisor_hostname", h->name);
    jsonw_text(w, "state", h->up ? "up" : "down");
    jsonw_text(w, "status", h->disabled ? "disabled" : "enabled");
    if (detail) {
        jsonw_text(w, "hypervisor_type", json_get_text(h->inventory, "hypervisor_type"));
        jsonw_int(w, "hypervisor_version", json_get_int(h->inventory, "hypervisor_version"));
        jsonw_text(w, "host_ip", json_get_text(h->inventory, "host_ip"));
        write_numbers(call, w, h, used);
        write_service(call, w, h);
        if (call_at_least(call, 2, 88))
            jsonw_text(w, "uptime", NULL);
    }
    jsonw_end(w);
}

int
hypervisor_list(struct call *call, struct fault *f)
{
    bool detail = str_ends(call->request->path, "/detail");
    const char *pattern = call_query(call, "hypervisor_hostname_pattern");
    struct hosts_committed_row *used = NULL;
    struct host_row *rows;
    size_t count, used_count = 0;
    struct jsonw *w;

    if (hosts_all(call->db, &rows, &count, f) < 0 ||
        (detail && hosts_committed(call->db, &used, &used_count, f) < 0))
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "hypervisors");
    for (size_t i = 0; i < count; i++) {
        struct hosts_committed_row u = committed_on(used, used_count, rows[i].name);

        if (rows[i].provider_id != NULL &&
            (pattern == NULL || strstr(rows[i].name, pattern) != NULL))
            write_hypervisor(call, w, NULL, &rows[i], &u, detail);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
hypervisor_show(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "hypervisor_id");
    struct hosts_committed_row *used, mine;
    struct host_row row;
    struct jsonw *w;
    size_t used_count;
    int found = host_by_id(call->db, id, &row, f);

    if (found == 0 || (found == 1 && row.provider_id == NULL))
        return fault_raise(f, FAULT_NOT_FOUND, "Hypervisor with ID '%.100s' could not be found.",
                           id);
    if (found < 0 || hosts_committed(call->db, &used, &used_count, f) < 0)
        return -1;
    mine = committed_on(used, used_count, row.name);
    w = call_json(call);
    jsonw_object(w, NULL);
    write_hypervisor(call, w, "hypervisor", &row, &mine, true);
    jsonw_end(w);
    return 0;
}

int
hypervisor_statistics(struct call *call, struct fault *f)
{
    struct hosts_committed_row *used, sum = { 0 };
    struct host_row *rows;
    size_t count, used_count;
    int64_t vcpus = 0, memory = 0, disk = 0, least = 0;
    struct jsonw *w;

    if (hosts_all(call->db, &rows, &count, f) < 0 ||
        hosts_committed(call->db, &used, &used_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct hosts_committed_row u = committed_on(used, used_count, rows[i].name);

        vcpus += json_get_int(rows[i].inventory, "vcpus");
        memory += json_get_int(rows[i].inventory, "memory_mb");
        disk += json_get_int(rows[i].inventory, "disk_gb");
        least += json_get_int(rows[i].usage, "disk_free_gb");
        sum.vcpus += u.vcpus;
        sum.memory_mb += u.memory_mb;
        sum.disk_gb += u.disk_gb;
        sum.servers += u.servers;
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "hypervisor_statistics");
    jsonw_int(w, "count", (int64_t)count);
    jsonw_int(w, "vcpus", vcpus);
    jsonw_int(w, "vcpus_used", sum.vcpus);
    jsonw_int(w, "memory_mb", memory);
    jsonw_int(w, "memory_mb_used", sum.memory_mb);
    jsonw_int(w, "free_ram_mb", memory - sum.memory_mb);
    jsonw_int(w, "local_gb", disk);
    jsonw_int(w, "local_gb_used", sum.disk_gb);
    jsonw_int(w, "free_disk_gb", disk - sum.disk_gb);
    jsonw_int(w, "disk_available_least", least);
    jsonw_int(w, "running_vms", sum.servers);
    jsonw_int(w, "current_workload", 0);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
