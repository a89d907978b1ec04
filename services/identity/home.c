/* Relations are names, not addresses: they look like upstream's, so that clients that look one up find it. */
#include "home.h"

#include <math.h>

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"

#define REL "https://docs.openstack.org/api/openstack-identity/3/"

/* --- Who wants it */

static double
weight(struct arena *a, const char *parameters)
{
    const char *q = strstr(parameters, "q=");
    double value = 1;

    if (q != NULL && str_to_double(arena_strndup(a, q + 2, strcspn(q + 2, ";, ")), &value) < 0)
        return 0;
    return isfinite(value) ? value : 0;
}

bool
home_wanted(struct call *call)
{
    const char *accept = http_header(call->request, "Accept");
    double json = 0, home = 0;
    size_t count;
    char **parts;

    if (accept == NULL || strstr(accept, "application/json-home") == NULL)
        return false;
    parts = str_split(call->arena, accept, ',', &count);
    for (size_t i = 0; i < count; i++) {
        const char *type = parts[i] + strspn(parts[i], " \t");
        size_t size = strcspn(type, "; \t");
        double *at = size == strlen("application/json-home") &&
                             strncmp(type, "application/json-home", size) == 0
                         ? &home
                     : (size == strlen("application/json") &&
                        strncmp(type, "application/json", size) == 0) ||
                             (size == 3 && strncmp(type, "*/*", size) == 0)
                         ? &json
                         : NULL;

        if (at != NULL)
            *at = fmax(*at, weight(call->arena, type + size));
    }
    return home > json;
}

/* --- Names */

static bool
is_extension(const char *segment)
{
    return str_starts(segment, "OS-");
}

/* "policies" before "{policy_id}" is one policy. */
static void
add_word(struct str *name, const char *word, bool one)
{
    size_t size = strlen(word);

    if (name->size > 0)
        str_add_char(name, '_');
    if (one && str_ends(word, "ies"))
        str_addf(name, "%.*sy", (int)size - 3, word);
    else
        str_addf(name, "%.*s", (int)(one && str_ends(word, "s") ? size - 1 : size), word);
}

/* "/v3/users/{user_id}/projects" -> "user_projects". */
static char *
relation_name(struct arena *a, const char *path)
{
    struct str name = { 0 };
    size_t count;
    char **segments = str_split(a, path + strlen("/v3/"), '/', &count), *copy;

    for (size_t i = 0; i < count; i++) {
        size_t next = i + 1;

        if (segments[i][0] == '{' || is_extension(segments[i]))
            continue;
        while (next < count && is_extension(segments[next]))
            next++;
        add_word(&name, segments[i], next < count && segments[next][0] == '{');
    }
    copy = arena_strdup(a, str_text(&name));
    str_done(&name);
    return copy;
}

/* "ext/OS-TRUST/1.0/" for a path of that extension, "" for one of the core. */
static const char *
family(struct call *call, const char *path)
{
    const char *at = strstr(path, "/OS-");

    return at == NULL
               ? ""
               : arena_printf(call->arena, "ext/%.*s/1.0/", (int)strcspn(at + 1, "/"), at + 1);
}

/* --- The document */

static void
write_variables(struct call *call, struct jsonw *w, const char *path)
{
    static const char *const core[] = {
        "domain_id",      "endpoint_id",
        "group_id",       "policy_id",
        "project_id",     "region_id",
        "role_id",        "service_id",
        "user_id",        "tag_value",
        "limit_id",       "registered_limit_id",
        "access_rule_id", "application_credential_id",
    };

    jsonw_object(w, "href-vars");
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        const char *name = arena_strndup(call->arena, at + 1, strcspn(at + 1, "}"));
        const char *of = family(call, path);

        for (size_t i = 0; i < ARRAY_SIZE(core); i++)
            of = str_equal(core[i], name) ? "" : of;
        jsonw_text(w, name, arena_printf(call->arena, REL "%sparam/%s", of, name));
    }
    jsonw_end(w);
}

static void
write_path(struct call *call, struct jsonw *w, const char *relation, const char *path,
           const char *prefix)
{
    bool template = strchr(path, '{') != NULL;

    jsonw_object(w, relation);
    jsonw_text(w, template ? "href-template" : "href",
               arena_printf(call->arena, "%s%s", prefix, path + strlen("/v3")));
    if (template)
        write_variables(call, w, path);
    jsonw_end(w);
}

/* The name of the path at 'first', whichever of its operations says it; '*ret_end' is behind the last of them. */
static const char *
name_of(struct call *call, size_t first, size_t *ret_end)
{
    const struct api *api = call->api;
    const char *path = api->operations[first].path, *name = NULL;
    size_t i;

    for (i = first; i < api->operations_count && str_equal(api->operations[i].path, path); i++)
        name = name == NULL ? api->operations[i].rel : name;
    *ret_end = i;
    if (name != NULL)
        return name;
    return str_starts(path, "/v3/") ? relation_name(call->arena, path) : "";
}

int
home_reply(struct call *call, const char *prefix)
{
    const struct api *api = call->api;
    struct map *seen = map_new(NULL);
    struct jsonw *w = call_json(call);
    size_t end;

    call->response->content_type = "application/json-home";
    jsonw_object(w, NULL);
    jsonw_object(w, "resources");
    for (size_t i = 0; i < api->operations_count; i = end) {
        const char *path = api->operations[i].path, *name = name_of(call, i, &end), *relation;

        if (!str_starts(path, "/v3/") || str_starts(path, "/v3/OS-VIRGA/"))
            continue;
        relation = arena_printf(call->arena, REL "%srel/%s", family(call, path), name);
        if (!map_has(seen, relation))
            write_path(call, w, relation, path, prefix);
        map_set(seen, relation, (void *)(uintptr_t)path);
    }
    jsonw_end(w);
    jsonw_end(w);
    map_free(seen);
    return 0;
}
