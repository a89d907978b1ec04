/* Discovery: GET / and GET /versions. The minor versions are not negotiated: each says that what it brought is here. Left
 * out are those of several stores (2.8, 2.10 to 2.13), of an image cache (2.14, 2.16, 2.18) and of locations (2.17). */
#include "service.h"

static void
write_versions(struct call *call)
{
    static const char *const ids[] = { "v2.15", "v2.9", "v2.7", "v2.6", "v2.5",
                                       "v2.4",  "v2.3", "v2.2", "v2.1", "v2.0" };
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_array(w, "versions");
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "id", ids[i]);
        jsonw_text(w, "status", i == 0 ? "CURRENT" : "SUPPORTED");
        jsonw_array(w, "links");
        jsonw_object(w, NULL);
        jsonw_text(w, "rel", "self");
        jsonw_text(w, "href", call_url(call, "/v2/"));
        jsonw_end(w);
        jsonw_end(w);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

int
versions_list(struct call *call, struct fault *f)
{
    (void)f;
    write_versions(call);
    return 0;
}
