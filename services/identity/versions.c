/* Discovery: GET / and GET /v3. */
#include "base/str.h"
#include "service.h"

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
    struct jsonw *w = call_json(call);

    (void)f;
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

/* What stands in the braces of a template. */
static void
write_vars(struct call *call, struct jsonw *w, const char *path)
{
    jsonw_object(w, "href-vars");
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        const char *name = arena_strndup(call->arena, at + 1, strcspn(at + 1, "}"));

        jsonw_text(w, name,
                   arena_printf(call->arena,
                                "https://docs.openstack.org/api/openstack-identity/3/param/%s",
                                name));
    }
    jsonw_end(w);
}

/* "/v3/auth/tokens" -> "http://docs.openstack.org/api/openstack-identity/3/rel/auth_tokens": names of relations, not addresses. */
static void
write_home(struct call *call, struct jsonw *w)
{
    const struct api *api = call->api;
    const char *before = "";

    jsonw_object(w, NULL);
    jsonw_object(w, "resources");
    for (size_t i = 0; i < api->operations_count; i++) {
        const struct operation *o = &api->operations[i];
        const char *tail = strrchr(o->path, '/') + 1;
        bool template = strchr(o->path, '{') != NULL;

        if (str_equal(o->path, before) || !str_starts(o->path, "/v3/") || o->resource == NULL)
            continue;
        before = o->path;
        jsonw_object(w, arena_printf(call->arena,
                                     "https://docs.openstack.org/api/openstack-identity/3/rel/%s",
                                     template ? o->resource->key : tail));
        if (!template) {
            jsonw_text(w, "href", o->path);
        } else {
            jsonw_text(w, "href-template", o->path);
            write_vars(call, w, o->path);
        }
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

int
versions_show(struct call *call, struct fault *f)
{
    const char *accept = http_header(call->request, "Accept");
    struct jsonw *w = call_json(call);

    (void)f;
    if (accept != NULL && strstr(accept, "application/json-home") != NULL) {
        call->response->content_type = "application/json-home";
        write_home(call, w);
        return 0;
    }
    jsonw_object(w, NULL);
    write_version(call, w, "version");
    jsonw_end(w);
    return 0;
}
