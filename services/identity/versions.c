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

#define HOME "https://docs.openstack.org/api/openstack-identity/3/"

/* "/v3/users/{user_id}" -> ".../rel/user", "/v3/OS-FEDERATION/mappings" -> ".../ext/OS-FEDERATION/1.0/rel/mappings": names of
 * relations, not addresses. */
static const char *
home_relation(struct call *call, const struct operation *o)
{
    const char *name = str_ends(o->path, "}") ? o->resource->key : strrchr(o->path, '/') + 1;
    const char *below = o->path + strlen("/v3/");

    if (!str_starts(below, "OS-"))
        return arena_printf(call->arena, HOME "rel/%s", name);
    return arena_printf(call->arena, HOME "ext/%.*s/1.0/rel/%s", (int)strcspn(below, "/"), below,
                        name);
}

static void
write_home_variables(struct call *call, struct jsonw *w, const char *path)
{
    jsonw_object(w, "href-vars");
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        const char *name = arena_strndup(call->arena, at + 1, strcspn(at + 1, "}"));

        jsonw_text(w, name, arena_printf(call->arena, HOME "param/%s", name));
    }
    jsonw_end(w);
}

static void
write_home(struct call *call, struct jsonw *w)
{
    const struct api *api = call->api;
    const char *before = "";

    jsonw_object(w, NULL);
    jsonw_object(w, "resources");
    for (size_t i = 0; i < api->operations_count; i++) {
        const struct operation *o = &api->operations[i];
        bool template = strchr(o->path, '{') != NULL;

        if (str_equal(o->path, before) || !str_starts(o->path, "/v3/") || o->resource == NULL)
            continue;
        before = o->path;
        jsonw_object(w, home_relation(call, o));
        jsonw_text(w, template ? "href-template" : "href", o->path);
        if (template)
            write_home_variables(call, w, o->path);
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
