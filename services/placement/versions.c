/* GET /: the version document. */
#include "reply.h"

int
versions_list(struct call *call, struct fault *f)
{
    struct jsonw *w = reply_json(call, 0);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_array(w, "versions");
    jsonw_object(w, NULL);
    jsonw_text(w, "id", "v1.0");
    jsonw_text(w, "max_version", "1.39");
    jsonw_text(w, "min_version", "1.0");
    jsonw_text(w, "status", "CURRENT");
    jsonw_array(w, "links");
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", "self");
    jsonw_text(w, "href", ""); /* "This same URL": whoever proxies it. */
    for (int i = 0; i < 5; i++)
        jsonw_end(w);
    return 0;
}
