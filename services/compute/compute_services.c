/* /os-services and /os-availability-zone: agents as services, and the zones they are in. */
#include "base/clock.h"
#include "base/str.h"
#include "service.h"

static void
write_service(struct call *call, struct jsonw *w, const char *key, const struct host_row *h)
{
    jsonw_object(w, key);
    if (call_at_least(call, 2, 53))
        jsonw_text(w, "id", h->id);
    else
        jsonw_int(w, "id", h->number);
    jsonw_text(w, "binary", "nova-compute");
    jsonw_text(w, "host", h->name);
    jsonw_text(w, "zone", h->availability_zone);
    jsonw_text(w, "status", h->disabled ? "disabled" : "enabled");
    jsonw_text(w, "state", h->up ? "up" : "down");
    jsonw_text(w, "updated_at", clock_format(call->arena, h->reported_at, CLOCK_MICRO));
    jsonw_text(w, "disabled_reason", h->disabled_reason);
    if (call_at_least(call, 2, 11))
        jsonw_bool(w, "forced_down", h->forced_down);
    jsonw_end(w);
}

/* The control plane itself stands in the list as one scheduler and one conductor: this daemon. */
static void
write_control(struct call *call, struct jsonw *w, const char *binary, const char *id)
{
    jsonw_object(w, NULL);
    if (call_at_least(call, 2, 53))
        jsonw_text(w, "id", id);
    else
        jsonw_int(w, "id", 1000000000 + binary[5]);
    jsonw_text(w, "binary", binary);
    jsonw_text(w, "host", "control");
    jsonw_text(w, "zone", "internal");
    jsonw_text(w, "status", "enabled");
    jsonw_text(w, "state", "up");
    jsonw_text(w, "updated_at", clock_format(call->arena, clock_now_us(), CLOCK_MICRO));
    jsonw_text(w, "disabled_reason", NULL);
    if (call_at_least(call, 2, 11))
        jsonw_bool(w, "forced_down", false);
    jsonw_end(w);
}

static bool
wanted(const struct call *call, const char *host, const char *binary)
{
    const char *h = call_query(call, "host"), *b = call_query(call, "binary");

    return (h == NULL || str_equal(h, host)) && (b == NULL || str_equal(b, binary));
}

int
service_list(struct call *call, struct fault *f)
{
    struct host_row *rows;
    struct jsonw *w;
    size_t count;

    if (hosts_all(call->db, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "services");
    if (wanted(call, "control", "nova-scheduler"))
        write_control(call, w, "nova-scheduler", "00000000-0000-4000-8000-000000000001");
    if (wanted(call, "control", "nova-conductor"))
        write_control(call, w, "nova-conductor", "00000000-0000-4000-8000-000000000002");
    for (size_t i = 0; i < count; i++) {
        if (wanted(call, rows[i].name, "nova-compute"))
            write_service(call, w, NULL, &rows[i]);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
service_update(struct call *call, const struct service_update *in, struct fault *f)
{
    const char *id = call_param(call, "service_id");
    struct host_row row;
    struct jsonw *w;
    int found = host_by_id(call->db, id, &row, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Service %.100s could not be found.", id);
    if (found < 0)
        return -1;
    if (in->disabled_reason != NULL && !(field_given(&in->set, SERVICE_UPDATE_F_STATUS) &&
                                         in->status == SERVICE_UPDATE_STATUS_DISABLED))
        return fault_raise_field(f, "disabled_reason",
                                 "Specifying disabled_reason requires that status is disabled.");
    if (field_given(&in->set, SERVICE_UPDATE_F_STATUS) &&
        host_set_enabled(call->db, row.name, in->status == SERVICE_UPDATE_STATUS_DISABLED,
                         in->disabled_reason, f) < 0)
        return -1;
    if (field_given(&in->set, SERVICE_UPDATE_F_FORCED_DOWN) &&
        host_set_forced_down(call->db, row.name, in->forced_down, f) < 0)
        return -1;
    if (host_by_name(call->db, row.name, &row, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_service(call, w, "service", &row);
    jsonw_end(w);
    return 0;
}

static int
enable(struct call *call, const struct service_name *in, bool disabled, struct fault *f)
{
    struct jsonw *w;
    int changed = host_set_enabled(call->db, in->host, disabled, NULL, f);

    if (changed == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find compute service %.100s %.100s",
                           in->binary, in->host);
    if (changed < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "service");
    jsonw_text(w, "host", in->host);
    jsonw_text(w, "binary", in->binary);
    jsonw_text(w, "status", disabled ? "disabled" : "enabled");
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
service_enable(struct call *call, const struct service_name *in, struct fault *f)
{
    return enable(call, in, false, f);
}

int
service_disable(struct call *call, const struct service_name *in, struct fault *f)
{
    return enable(call, in, true, f);
}

/* --- Zones: those of the hosts, and at least the default one. */

static bool
seen_before(const struct host_row *rows, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(rows[i].availability_zone, rows[index].availability_zone))
            return true;
    }
    return false;
}

static void
write_zone(struct call *call, struct jsonw *w, const char *zone, const struct host_row *rows,
           size_t count, bool detail)
{
    bool available = false;

    for (size_t i = 0; i < count; i++)
        available = available ||
                    (str_equal(rows[i].availability_zone, zone) && rows[i].up && !rows[i].disabled);
    jsonw_object(w, NULL);
    jsonw_text(w, "zoneName", zone);
    jsonw_object(w, "zoneState");
    jsonw_bool(w, "available", available);
    jsonw_end(w);
    if (!detail) {
        jsonw_null(w, "hosts");
    } else {
        jsonw_object(w, "hosts");
        for (size_t i = 0; i < count; i++) {
            if (!str_equal(rows[i].availability_zone, zone))
                continue;
            jsonw_object(w, rows[i].name);
            jsonw_object(w, "nova-compute");
            jsonw_bool(w, "available", rows[i].up);
            jsonw_bool(w, "active", !rows[i].disabled);
            jsonw_text(w, "updated_at",
                       clock_format(call->arena, rows[i].reported_at, CLOCK_MICRO));
            jsonw_end(w);
            jsonw_end(w);
        }
        jsonw_end(w);
    }
    jsonw_end(w);
}

static int
zones(struct call *call, bool detail, struct fault *f)
{
    struct host_row *rows;
    struct jsonw *w;
    size_t count;

    if (hosts_all(call->db, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "availabilityZoneInfo");
    for (size_t i = 0; i < count; i++) {
        if (!seen_before(rows, i))
            write_zone(call, w, rows[i].availability_zone, rows, count, detail);
    }
    if (count == 0)
        write_zone(call, w, compute_of(call)->config->default_zone, rows, 0, detail);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
zone_list(struct call *call, struct fault *f)
{
    return zones(call, false, f);
}

int
zone_detail(struct call *call, struct fault *f)
{
    return zones(call, true, f);
}
