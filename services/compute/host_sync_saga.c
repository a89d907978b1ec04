/* compute.host-sync: what a host reported becomes its resource provider, inventories and traits in placement.
 *
 * Placement owns the ratios: ours are given only with an inventory that placement does not have yet. What a host does not report about
 * (a class or trait that an operator gave to its provider) stays as it is. */
#include "base/json.h"
#include "base/str.h"
#include "remote.h"
#include "servers.h"

static int
placement(struct remote *r, enum http_method method, const char *path, const json_t *body,
          json_t **ret, struct fault *f)
{
    struct service_call x = { .service_type = "placement",
                              .method = method,
                              .path = path,
                              .body = body,
                              .microversion = "placement 1.38" };

    if (service_call_run(r->compute->services, r->http, r->arena, &x, f) < 0)
        return -1;
    if (ret != NULL)
        *ret = x.answer;
    return 0;
}

static int
ensure_provider(struct remote *r, const struct host_row *host, json_t **ret, struct fault *f)
{
    const char *path = arena_printf(r->arena, "/resource_providers/%s", host->provider_id);
    json_t *body;

    if (placement(r, HTTP_GET, path, NULL, ret, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    body =
        json_own(r->arena, json_pack("{s:s, s:s}", "uuid", host->provider_id, "name", host->name));
    return placement(r, HTTP_POST, "/resource_providers", body, ret, f);
}

static void
add_inventory(json_t *all, const json_t *old, const char *name, int64_t total, int64_t reserved,
              double ratio)
{
    const json_t *known = json_object_get(json_object_get(old, "inventories"), name);
    double kept =
        known == NULL ? ratio : json_number_value(json_object_get(known, "allocation_ratio"));

    if (total > 0)
        json_object_set_new(all, name,
                            json_pack("{s:I, s:I, s:i, s:I, s:i, s:f}", "total", total, "reserved",
                                      MIN(reserved, total), "min_unit", 1, "max_unit", total,
                                      "step_size", 1, "allocation_ratio", kept));
}

/* Classes that no host reports about. */
static void
keep_others(json_t *all, const json_t *old)
{
    const char *name;
    json_t *known;

    json_object_foreach(json_object_get(old, "inventories"), name, known)
    {
        if (!str_equal(name, "VCPU") && !str_equal(name, "MEMORY_MB") &&
            !str_equal(name, "DISK_GB"))
            json_object_set(all, name, known);
    }
}

static int
sync_inventories(struct remote *r, const struct host_row *host, struct fault *f)
{
    const struct compute_config *config = r->compute->config;
    const char *path =
        arena_printf(r->arena, "/resource_providers/%s/inventories", host->provider_id);
    const json_t *i = host->inventory;
    json_t *old, *body, *all;

    if (placement(r, HTTP_GET, path, NULL, &old, f) < 0)
        return -1;
    all = json_object();
    add_inventory(all, old, "VCPU", json_get_int(i, "vcpus"), json_get_int(i, "reserved_vcpus"),
                  config->cpu_ratio);
    add_inventory(all, old, "MEMORY_MB", json_get_int(i, "memory_mb"),
                  json_get_int(i, "reserved_memory_mb"), config->memory_ratio);
    add_inventory(all, old, "DISK_GB", json_get_int(i, "disk_gb"),
                  json_get_int(i, "reserved_disk_gb"), config->disk_ratio);
    keep_others(all, old);
    if (json_equal(all, json_object_get(old, "inventories"))) {
        json_decref(all);
        return 0;
    }
    body = json_own(r->arena, json_pack("{s:O, s:o}", "resource_provider_generation",
                                        json_object_get(old, "resource_provider_generation"),
                                        "inventories", all));
    return placement(r, HTTP_PUT, path, body, NULL, f);
}

/* Those families a host reports in full: what it does not report any more is gone. All others are an operator's. */
static bool
is_reported(const char *trait)
{
    return str_starts(trait, "HW_CPU_") ||
           (str_starts(trait, "COMPUTE_") && !str_equal(trait, "COMPUTE_STATUS_DISABLED"));
}

static json_t *
merge_traits(struct arena *a, const json_t *reported, const json_t *old)
{
    json_t *all = json_own(a, json_copy((json_t *)(uintptr_t)reported)), *trait;
    size_t i;

    json_array_foreach(old, i, trait)
    {
        if (!is_reported(json_string_value(trait)) && !json_has_text(all, json_string_value(trait)))
            json_array_append(all, trait);
    }
    return all;
}

/* Only traits that placement knows: a host may report newer ones. */
static int
sync_traits(struct remote *r, const struct host_row *host, struct fault *f)
{
    const json_t *wanted = json_object_get(host->inventory, "traits");
    const char *path = arena_printf(r->arena, "/resource_providers/%s/traits", host->provider_id);
    struct str names = { 0 };
    json_t *known, *old, *body, *trait;
    size_t i;
    int result;

    if (json_array_size(wanted) == 0)
        return 0;
    json_array_foreach(wanted, i, trait)
        str_addf(&names, "%s%s", i == 0 ? "" : ",", json_string_value(trait));
    result = placement(r, HTTP_GET, arena_printf(r->arena, "/traits?name=in:%s", str_text(&names)),
                       NULL, &known, f);
    str_done(&names);
    if (result < 0 || placement(r, HTTP_GET, path, NULL, &old, f) < 0)
        return -1;
    body =
        json_own(r->arena, json_pack("{s:O, s:O}", "resource_provider_generation",
                                     json_object_get(old, "resource_provider_generation"), "traits",
                                     merge_traits(r->arena, json_object_get(known, "traits"),
                                                  json_object_get(old, "traits"))));
    return placement(r, HTTP_PUT, path, body, NULL, f);
}

static int
sync_host(struct saga_run *run, struct fault *f)
{
    struct remote r = remote_for_run(run);
    struct host_row host;
    json_t *provider;
    int found = host_by_name(run->db, json_get_text(run->params, "host"), &host, f);

    if (found <= 0 || host.provider_id == NULL)
        return found < 0 ? -1 : 0;
    if (ensure_provider(&r, &host, &provider, f) < 0 || sync_inventories(&r, &host, f) < 0 ||
        sync_traits(&r, &host, f) < 0) {
        if (f->kind == FAULT_CONFLICT) /* The provider changed under us: read again. */
            f->kind = FAULT_UNAVAILABLE;
        return -1;
    }
    return 0;
}

static const struct saga_step steps[] = {
    { .name = "sync", .act = sync_host, .deadline_ms = 3600000 }
};
const struct saga host_sync_saga = SAGA("compute.host-sync", 1, steps);
