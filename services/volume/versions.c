/* Discovery: versions, extensions, and the filters that lists take. */
#include "api/version.h"
#include "base/str.h"
#include "service.h"

static void
write_link(struct jsonw *w, const char *rel, const char *type, const char *href)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", rel);
    if (type != NULL)
        jsonw_text(w, "type", type);
    jsonw_text(w, "href", href);
    jsonw_end(w);
}

/* GET / says 300, GET /v3/ says 200; the document is the same. */
int
versions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "versions");
    jsonw_object(w, NULL);
    jsonw_text(w, "id", "v3.0");
    jsonw_text(w, "status", "CURRENT");
    jsonw_text(w, "version", version_text(call->arena, call->api->max_version));
    jsonw_text(w, "min_version", version_text(call->arena, call->api->min_version));
    jsonw_text(w, "updated", "2023-08-31T00:00:00Z");
    jsonw_array(w, "links");
    write_link(w, "describedby", "text/html", "https://docs.openstack.org/");
    write_link(w, "self", NULL, call_url(call, "/v3/"));
    jsonw_end(w);
    jsonw_array(w, "media-types");
    jsonw_object(w, NULL);
    jsonw_text(w, "base", "application/json");
    jsonw_text(w, "type", "application/vnd.openstack.volume+json;version=3");
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
extensions_list(struct call *call, struct fault *f)
{
    static const char *const aliases[][2] = {
        { "os-types-manage", "TypesManage" },
        { "os-types-extra-specs", "TypesExtraSpecs" },
        { "os-volume-type-access", "VolumeTypeAccess" },
        { "os-volume-actions", "VolumeActions" },
        { "os-admin-actions", "AdminActions" },
        { "os-snapshot-actions", "SnapshotActions" },
        { "os-extended-snapshot-attributes", "ExtendedSnapshotAttributes" },
        { "os-volume-image-metadata", "VolumeImageMetadata" },
        { "os-vol-tenant-attr", "VolumeTenantAttribute" },
        { "os-vol-host-attr", "VolumeHostAttribute" },
        { "os-quota-sets", "Quotas" },
        { "os-used-limits", "UsedLimits" },
        { "os-services", "Services" },
        { "os-availability-zone", "AvailabilityZones" },
        { "scheduler-stats", "Scheduler_stats" },
        { "OS-SCH-HNT", "SchedulerHints" },
    };
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "extensions");
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "alias", aliases[i][0]);
        jsonw_text(w, "name", aliases[i][1]);
        jsonw_text(w, "description", "");
        jsonw_text(w, "updated", "2013-01-01T00:00:00+00:00");
        jsonw_array(w, "links");
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* What a list may be filtered by stands in the resource's table; metadata are filters that its hook adds. */
int
resource_filters_list(struct call *call, struct fault *f)
{
    static const struct {
        const char *name;
        const struct resource *resource;
        bool maps;
    } lists[] = { { "volume", &volume_resource, true },
                  { "snapshot", &snapshot_resource, false },
                  { "attachment", &attachment_resource, false } };
    const char *only = call_query(call, "resource");
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "resource_filters");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (only != NULL && !str_equal(only, lists[i].name))
            continue;
        jsonw_object(w, NULL);
        jsonw_text(w, "resource", lists[i].name);
        jsonw_array(w, "filters");
        for (size_t j = 0; j < lists[i].resource->schema->count; j++) {
            const struct field *field = &lists[i].resource->schema->fields[j];

            if (field->filters == 0)
                continue;
            jsonw_text(w, NULL, field->name);
            if ((field->filters & FILTER_LIKE) != 0)
                jsonw_text(w, NULL, arena_printf(call->arena, "%s~", field->name));
        }
        if (lists[i].maps) {
            jsonw_text(w, NULL, "bootable");
            jsonw_text(w, NULL, "metadata");
            jsonw_text(w, NULL, "glance_metadata");
        }
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
