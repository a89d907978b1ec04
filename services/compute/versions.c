/* Discovery: GET / and GET /v2.1; extensions, of which there is nothing left to tell. */
#include "api/version.h"
#include "base/str.h"
#include "service.h"

/* v2.0 is v2.1 without microversions; clients that know only the old list look for it first. */
static void
write_version(struct call *call, struct jsonw *w, const char *key, bool old, bool whole)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", old ? "v2.0" : "v2.1");
    jsonw_text(w, "status", old ? "SUPPORTED" : "CURRENT");
    jsonw_text(w, "version", old ? "" : version_text(call->arena, call->api->max_version));
    jsonw_text(w, "min_version", old ? "" : version_text(call->arena, call->api->min_version));
    jsonw_text(w, "updated", old ? "2011-01-21T11:33:21Z" : "2013-07-23T11:33:21Z");
    jsonw_array(w, "links");
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", "self");
    jsonw_text(w, "href", call_url(call, "%s", old ? "/v2/" : "/v2.1/"));
    jsonw_end(w);
    if (whole) {
        jsonw_object(w, NULL);
        jsonw_text(w, "rel", "describedby");
        jsonw_text(w, "type", "text/html");
        jsonw_text(w, "href", "http://docs.openstack.org/");
        jsonw_end(w);
    }
    jsonw_end(w);
    if (whole) {
        jsonw_array(w, "media-types");
        jsonw_object(w, NULL);
        jsonw_text(w, "base", "application/json");
        jsonw_text(w, "type",
                   old ? "application/vnd.openstack.compute+json;version=2"
                       : "application/vnd.openstack.compute+json;version=2.1");
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
}

int
versions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "versions");
    write_version(call, w, NULL, true, false);
    write_version(call, w, NULL, false, false);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* GET /v2.1 and GET /v2. */
int
versions_show(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    write_version(call, w, "version", !str_starts(call->request->path, "/v2.1"), true);
    jsonw_end(w);
    return 0;
}

int
extensions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "extensions");
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
