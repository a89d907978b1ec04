/* Discovery: GET / and GET /v3. */
#include "base/str.h"
#include "home.h"

static void
write_version(struct call *call, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", "v3.14");
    jsonw_text(w, "status", "stable");
    jsonw_text(w, "updated", "2020-04-07T00:00:00Z");
    jsonw_array(w, "links");
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", "self");
    jsonw_text(w, "href", call_url(call, "/v3/"));
    jsonw_end(w);
    jsonw_end(w);
    jsonw_array(w, "media-types");
    jsonw_object(w, NULL);
    jsonw_text(w, "base", "application/json");
    jsonw_text(w, "type", "application/vnd.openstack.identity-v3+json");
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
}

int
versions_list(struct call *call, struct fault *f)
{
    struct jsonw *w;

    (void)f;
    if (home_wanted(call)) {
        call_status(call, 200);
        return home_reply(call, "/v3");
    }
    w = call_json(call);
    call_header(call, "Location", call_url(call, "/v3/"));
    jsonw_object(w, NULL);
    jsonw_object(w, "versions");
    jsonw_array(w, "values");
    write_version(call, w, NULL);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
versions_show(struct call *call, struct fault *f)
{
    struct jsonw *w;

    (void)f;
    if (home_wanted(call))
        return home_reply(call, "");
    w = call_json(call);
    jsonw_object(w, NULL);
    write_version(call, w, "version");
    jsonw_end(w);
    return 0;
}
