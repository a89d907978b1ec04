/* How full networks are, and the one availability zone. */
#include <math.h>

#include "address.h"
#include "base/str.h"
#include "service.h"

/* Size of a range; IPv6 counts don't fit 64 bits, and upstream's JSON has them as plain numbers. */
static double
range_size(const char *start, const char *end)
{
    struct address a, b;
    double x = 0;

    if (address_parse(start, &a) < 0 || address_parse(end, &b) < 0)
        return 0;
    for (size_t i = 0; i < address_bits(&a) / 8; i++)
        x = x * 256 + ((double)b.bytes[i] - (double)a.bytes[i]);
    return x + 1;
}

static double
total_ips(const struct availability_row *x)
{
    double total = 0;

    for (size_t i = 0; i < json_array_size(x->pools); i++) {
        const json_t *pool = json_array_get(x->pools, i);
        const char *start = json_string_value(json_object_get(pool, "start")),
                   *end = json_string_value(json_object_get(pool, "end"));

        total += start == NULL || end == NULL ? 0 : range_size(start, end);
    }
    return total;
}

static void
write_count(struct jsonw *w, const char *key, double value, struct arena *a)
{
    char *text = arena_printf(a, "%.0f", value);

    jsonw_raw(w, key, text, strlen(text));
}

/* The rows of one network, from 'first'; returns the index behind them. */
static size_t
write_network(struct call *call, struct jsonw *w, const char *key,
              const struct availability_row *rows, size_t first, size_t count)
{
    const struct availability_row *x = &rows[first];
    double total = 0, used = 0;
    size_t end = first;

    jsonw_object(w, key);
    jsonw_text(w, "network_id", x->network_id);
    jsonw_text(w, "network_name", x->network_name);
    jsonw_text(w, "project_id", x->project_id);
    jsonw_text(w, "tenant_id", x->project_id);
    jsonw_array(w, "subnet_ip_availability");
    for (; end < count && str_equal(rows[end].network_id, x->network_id); end++) {
        if (rows[end].subnet_id == NULL)
            continue;
        jsonw_object(w, NULL);
        jsonw_text(w, "subnet_id", rows[end].subnet_id);
        jsonw_text(w, "subnet_name", rows[end].subnet_name);
        jsonw_text(w, "cidr", rows[end].cidr);
        jsonw_int(w, "ip_version", rows[end].ip_version);
        write_count(w, "total_ips", total_ips(&rows[end]), call->arena);
        jsonw_int(w, "used_ips", rows[end].used);
        jsonw_end(w);
        total += total_ips(&rows[end]);
        used += (double)rows[end].used;
    }
    jsonw_end(w);
    write_count(w, "total_ips", total, call->arena);
    write_count(w, "used_ips", used, call->arena);
    jsonw_end(w);
    return end;
}

int
ip_availability_list(struct call *call, struct fault *f)
{
    const char *version_text = call_query(call, "ip_version");
    const char *project = call_query(call, "project_id") != NULL ? call_query(call, "project_id")
                                                                 : call_query(call, "tenant_id");
    struct availability_row *rows;
    int64_t version = 0;
    struct jsonw *w;
    size_t count;
    int32_t wanted;

    if (version_text != NULL && str_to_int64(version_text, 4, 6, &version) < 0)
        return fault_raise_field(f, "ip_version",
                                 "Invalid input for ip_version. Reason: '%.20s' is not in [4, 6].",
                                 version_text);
    wanted = (int32_t)version;
    if (availability(call->db, call_query(call, "network_id"), call_query(call, "network_name"),
                     project, version_text == NULL ? NULL : &wanted, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "network_ip_availabilities");
    for (size_t i = 0; i < count;)
        i = write_network(call, w, NULL, rows, i, count);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
ip_availability_show(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "network_id");
    struct availability_row *rows;
    struct jsonw *w;
    size_t count;

    if (availability(call->db, id, NULL, NULL, NULL, &rows, &count, f) < 0)
        return -1;
    if (count == 0)
        return resource_not_found(&network_resource, id, f);
    w = call_json(call);
    jsonw_object(w, NULL);
    write_network(call, w, "network_ip_availability", rows, 0, count);
    jsonw_end(w);
    return 0;
}

int
availability_zones_list(struct call *call, struct fault *f)
{
    static const char *const resources[] = { "network", "router" };
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "availability_zones");
    for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "name", network_of(call)->config->availability_zone);
        jsonw_text(w, "resource", resources[i]);
        jsonw_text(w, "state", "available");
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
