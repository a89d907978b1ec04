/* Backends: what their agents report, and how operators see them: services, pools and availability zones. */
#include "base/clock.h"
#include "base/json.h"
#include "base/release.h"
#include "base/str.h"
#include "placing.h"
#include "volume_rpc.h"

/* A host can only report about itself: rpc checks the sender. */
int
backend_report(struct rpc_request *request, const struct backend_report_in *in, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct volume_service *s = request->owner;
    json_t *capabilities =
        schema_json(&backend_capabilities_schema, in->capabilities, request->arena);

    if (!str_empty(request->from_host) && !str_equal(request->from_host, in->host))
        return fault_raise(f, FAULT_FORBIDDEN, "host %s reports about host %s", request->from_host,
                           in->host);
    if (db_pool_get(s->daemon->pool, request->arena, &db, f) < 0)
        return -1;
    return backend_seen(&db, in->host, in->backend_name, in->driver, in->capacity_bytes,
                        in->free_bytes, in->provisioned_bytes, in->volume_count,
                        backend_report_in_state_names[in->state], capabilities, in->interval_s,
                        s->config->default_zone, f) < 0
               ? -1
               : 0;
}

/* --- /os-services */

static const char *
service_host(struct arena *a, const struct backend_row *b)
{
    return arena_printf(a, "%s@%s", b->host, b->name);
}

static void
write_service(struct call *call, struct jsonw *w, const char *binary, const char *host,
              const struct backend_row *b)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "binary", binary);
    jsonw_text(w, "host", host);
    jsonw_text(w, "zone",
               b == NULL ? service_of(call)->config->default_zone : b->availability_zone);
    jsonw_text(w, "status", b != NULL && b->disabled ? "disabled" : "enabled");
    jsonw_text(w, "state", b == NULL || b->up ? "up" : "down");
    call_write_time(call, w, "updated_at", b == NULL ? clock_now_us() : b->reported_at);
    jsonw_text(w, "disabled_reason", b == NULL ? NULL : b->disabled_reason);
    if (b != NULL) {
        jsonw_bool(w, "frozen", false);
        jsonw_text(w, "replication_status", "disabled");
        jsonw_null(w, "active_backend_id");
        if (call_at_least(call, 3, 49))
            jsonw_text(w, "backend_state", b->state);
    }
    if (call_at_least(call, 3, 7))
        jsonw_null(w, "cluster");
    jsonw_end(w);
}

static bool
wanted(struct call *call, const char *binary, const char *host)
{
    const char *by_binary = call_query(call, "binary"), *by_host = call_query(call, "host");

    if (by_binary != NULL && !str_equal(by_binary, binary))
        return false;
    return by_host == NULL || str_equal(by_host, host) ||
           (str_starts(host, by_host) && host[strlen(by_host)] == '@');
}

int
service_list(struct call *call, struct fault *f)
{
    const char *own = service_of(call)->config->common.host;
    struct backend_row *backends;
    struct jsonw *w;
    size_t count;

    if (backends_all(call->db, &backends, &count, f) < 0)
        return -1;
    if (str_empty(own))
        own = "controller";
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "services");
    if (wanted(call, "cinder-scheduler", own)) /* Who answers is up. */
        write_service(call, w, "cinder-scheduler", own, NULL);
    for (size_t i = 0; i < count; i++) {
        if (wanted(call, "cinder-volume", service_host(call->arena, &backends[i])))
            write_service(call, w, "cinder-volume", service_host(call->arena, &backends[i]),
                          &backends[i]);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
set_enabled(struct call *call, const struct service_change *in, bool disabled, const char *reason,
            struct fault *f)
{
    const char *binary = in->binary != NULL ? in->binary : in->service;
    struct backend_row *backends;
    struct jsonw *w;
    size_t count;

    if (backends_all(call->db, &backends, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(in->host, service_host(call->arena, &backends[i])) ||
            (binary != NULL && !str_equal(binary, "cinder-volume")))
            continue;
        if (backend_set_enabled(call->db, backends[i].host, disabled, reason, f) < 0)
            return -1;
        w = call_json(call);
        jsonw_object(w, NULL);
        jsonw_text(w, "host", in->host);
        jsonw_text(w, "service", "cinder-volume");
        jsonw_text(w, "binary", "cinder-volume");
        jsonw_bool(w, "disabled", disabled);
        jsonw_text(w, "status", disabled ? "disabled" : "enabled");
        if (reason != NULL)
            jsonw_text(w, "disabled_reason", reason);
        jsonw_end(w);
        return 0;
    }
    return fault_raise(f, FAULT_NOT_FOUND, "Service %.255s could not be found on host %.255s.",
                       binary == NULL ? "" : binary, in->host);
}

int
service_enable(struct call *call, const struct service_change *in, struct fault *f)
{
    return set_enabled(call, in, false, NULL, f);
}

int
service_disable(struct call *call, const struct service_change *in, struct fault *f)
{
    return set_enabled(call, in, true, NULL, f);
}

int
service_disable_reason(struct call *call, const struct service_change *in, struct fault *f)
{
    if (str_empty(in->disabled_reason))
        return fault_raise_field(
            f, "disabled_reason",
            "Invalid input for field/attribute disabled_reason. It is too short.");
    return set_enabled(call, in, true, in->disabled_reason, f);
}

/* --- /scheduler-stats/get_pools */

static void
write_capabilities(struct call *call, struct jsonw *w, const struct backend_row *b)
{
    double ratio = service_of(call)->config->thin_ratio, gib = (double)(INT64_C(1) << 30);
    bool thin = json_get_bool(b->capabilities, "thin_provisioning");

    jsonw_object(w, "capabilities");
    jsonw_text(w, "volume_backend_name", b->name);
    jsonw_text(w, "vendor_name", "Virga");
    jsonw_text(w, "driver_version", VIRGA_VERSION);
    jsonw_text(w, "storage_protocol", "nbd");
    jsonw_text(w, "pool_name", b->name);
    jsonw_text(w, "location_info", arena_printf(call->arena, "%s:%s", b->driver, b->host));
    jsonw_double(w, "total_capacity_gb", (double)b->capacity_bytes / gib);
    jsonw_double(w, "free_capacity_gb", (double)b->free_bytes / gib);
    jsonw_int(w, "allocated_capacity_gb", b->promised_gb);
    jsonw_int(w, "provisioned_capacity_gb", b->promised_gb);
    jsonw_int(w, "total_volumes", b->volumes);
    jsonw_text(w, "max_over_subscription_ratio",
               arena_printf(call->arena, "%.1f", thin ? ratio : 1.0));
    jsonw_int(w, "reserved_percentage", 0);
    jsonw_bool(w, "thin_provisioning_support", thin);
    jsonw_bool(w, "thick_provisioning_support", !thin);
    jsonw_bool(w, "multiattach", json_get_bool(b->capabilities, "multiattach"));
    jsonw_bool(w, "online_extend_support", json_get_bool(b->capabilities, "online_extend"));
    jsonw_bool(w, "QoS_support", false);
    jsonw_text(w, "backend_state", b->up ? "up" : "down");
    call_write_time(call, w, "timestamp", b->reported_at);
    jsonw_end(w);
}

int
pool_list(struct call *call, struct fault *f)
{
    const char *name = call_query(call, "name");
    bool detail = call_query_bool(call, "detail");
    struct backend_row *backends;
    struct jsonw *w;
    size_t count;

    if (backends_all(call->db, &backends, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "pools");
    for (size_t i = 0; i < count; i++) {
        const char *pool = arena_printf(call->arena, "%s@%s#%s", backends[i].host, backends[i].name,
                                        backends[i].name);

        if (name != NULL && !str_equal(name, pool))
            continue;
        jsonw_object(w, NULL);
        jsonw_text(w, "name", pool);
        if (detail)
            write_capabilities(call, w, &backends[i]);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* --- /os-availability-zone */

static void
write_zone(struct jsonw *w, const char *name, bool available)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "zoneName", name);
    jsonw_object(w, "zoneState");
    jsonw_bool(w, "available", available);
    jsonw_end(w);
    jsonw_end(w);
}

/* Each zone once; it is available while one of its backends is enabled. */
int
zone_list(struct call *call, struct fault *f)
{
    const char *own = service_of(call)->config->default_zone;
    struct backend_row *backends;
    bool own_seen = false;
    struct jsonw *w;
    size_t count;

    if (backends_all(call->db, &backends, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "availabilityZoneInfo");
    for (size_t i = 0; i < count; i++) {
        bool before = false, available = false;

        for (size_t j = 0; j < count; j++) {
            if (!str_equal(backends[j].availability_zone, backends[i].availability_zone))
                continue;
            before = before || j < i;
            available = available || !backends[j].disabled;
        }
        own_seen = own_seen || str_equal(backends[i].availability_zone, own);
        if (!before)
            write_zone(w, backends[i].availability_zone, available);
    }
    if (!own_seen)
        write_zone(w, own, true);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
