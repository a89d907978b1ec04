/* What looks like an id is asked for as such first, anything else by name first: so either takes one request when it is right.
 * A server's filter may be looser than "equal" (a regular expression, or ignored); the answer is compared again here. */
#include "kind.h"

#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "http/url.h"
#include "kinds.h"
#include "rest.h"
#include "session.h"

enum { MAX_PAGES = 10000 };

const char *
kind_object_id(const struct kind *kind, const json_t *object)
{
    const json_t *id = json_object_get(object, kind->id != NULL ? kind->id : "id");

    return json_string_value(id);
}

const char *
kind_object_name(const struct kind *kind, const json_t *object)
{
    const char *name = json_get_text(object, kind->name != NULL ? kind->name : "name");

    return str_empty(name) ? kind_object_id(kind, object) : name;
}

char *
kind_path(struct arena *a, const struct kind *kind, const char *id)
{
    return arena_printf(a, "%s/%s", kind->path, url_encode(a, id));
}

json_t *
kind_unwrap(const struct kind *kind, json_t *answer)
{
    json_t *inner = kind->key != NULL ? json_object_get(answer, kind->key) : NULL;

    return inner != NULL ? inner : answer;
}

static bool
looks_like_id(const char *text)
{
    size_t digits = 0, dashes = 0, i;

    for (i = 0; text[i] != '\0'; i++) {
        if (isxdigit((unsigned char)text[i]))
            digits++;
        else if (text[i] == '-')
            dashes++;
        else
            return false;
    }
    return digits == 32 && (dashes == 0 || dashes == 4);
}

/* The path of the next page below the service's version, or NULL. */
static char *
next_page(struct cli *cli, enum service service, const json_t *answer, const char *plural)
{
    const char *next = json_get_text(answer, "next"), *at;
    const json_t *link;
    struct fault ignored = { 0 };
    char *base;
    size_t i;

    if (next == NULL)
        next = json_get_text(json_object_get(answer, "links"), "next");
    json_array_foreach(json_object_get(answer, arena_printf(cli->arena, "%s_links", plural)), i,
                       link)
    {
        if (str_equal(json_get_text(link, "rel"), "next"))
            next = json_get_text(link, "href");
    }
    if (next == NULL || session_url(cli, service, &base, &ignored) < 0)
        return NULL;
    if (str_starts(next, base))
        return arena_strdup(cli->arena, next + strlen(base));
    /* Another name of the same service (a proxy's), or a path alone: what follows the version. */
    at = strstr(next, "://") != NULL ? strchr(strstr(next, "://") + 3, '/') : next;
    if (at != NULL && at[0] == '/' && at[1] == 'v' && isdigit((unsigned char)at[2]))
        at = strchr(at + 1, '/');
    return at != NULL ? arena_strdup(cli->arena, at) : NULL;
}

int
kind_list(struct cli *cli, enum service service, const char *path, const char *plural, size_t limit,
          json_t **ret, struct fault *f)
{
    json_t *all = json_own(cli->arena, json_array());

    for (int page = 0; path != NULL && page < MAX_PAGES; page++) {
        json_t *answer = rest_get(cli, service, path, NULL, f), *items;

        if (answer == NULL)
            return -1;
        items = json_is_array(answer) ? answer : json_object_get(answer, plural);
        if (!json_is_array(items))
            return fault_raise(f, FAULT_INTERNAL, "%s answered without '%s'.", path, plural);
        json_array_extend(all, items);
        if (limit > 0 && json_array_size(all) >= limit)
            break;
        path = json_array_size(items) > 0 ? next_page(cli, service, answer, plural) : NULL;
    }
    *ret = all;
    return 0;
}

static int
by_id(struct cli *cli, const struct kind *kind, const char *text, json_t **ret, struct fault *f)
{
    int status = 0;
    json_t *answer;
    char *path;

    if (body_path(cli, kind_path(cli->arena, kind, text), &path, f) < 0)
        return -1;
    answer = rest_get(cli, kind->service, path, &status, f);

    if (answer != NULL) {
        *ret = kind_unwrap(kind, answer);
        return 1;
    }
    if (status != 404 && status != 400 && status != 403)
        return -1;
    fault_clear(f);
    return 0;
}

/* Characters that mean something in a regular expression stand for themselves. */
static char *
exact_pattern(struct arena *a, const char *text)
{
    struct str s = { 0 };
    char *copy;

    str_add_char(&s, '^');
    for (; *text != '\0'; text++) {
        if (strchr(".[]{}()\\*+?|^$", *text) != NULL)
            str_add_char(&s, '\\');
        str_add_char(&s, *text);
    }
    str_add_char(&s, '$');
    copy = arena_strdup(a, str_text(&s));
    str_done(&s);
    return copy;
}

static int
name_path(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
          char **ret, struct fault *f)
{
    _cleanup_(str_done) struct str s = { 0 };
    char *path;

    if (body_path(cli, kind->list_path != NULL ? kind->list_path : kind->path, &path, f) < 0)
        return -1;
    str_add(&s, path);
    if (kind->name_query != NULL)
        url_add_query(&s, kind->name_query, kind->pattern ? exact_pattern(cli->arena, text) : text);
    if (domain_id != NULL)
        url_add_query(&s, "domain_id", domain_id);
    /* Only kinds whose lists are one project's know it; the others have no such option. */
    if (args_has(&cli->args, "--all-projects") &&
        (kind == &kind_server || kind == &kind_volume || kind == &kind_snapshot))
        url_add_query(&s, "all_tenants", "1");
    if (kind->find_query != NULL)
        str_addf(&s, "%c%s", strchr(str_text(&s), '?') != NULL ? '&' : '?', kind->find_query);
    *ret = arena_strdup(cli->arena, str_text(&s));
    return 0;
}

static int
ambiguous(struct arena *a, const struct kind *kind, const char *text, const json_t *matches,
          struct fault *f)
{
    struct str ids = { 0 };
    const json_t *match;
    char *copy;
    size_t i;

    json_array_foreach(matches, i, match)
    {
        str_addf(&ids, "%s%s", i > 0 ? ", " : "", kind_object_id(kind, match));
    }
    copy = arena_strdup(a, str_text(&ids));
    str_done(&ids);
    return fault_raise(f, FAULT_CONFLICT, "More than one %s exists with the name '%s': %s",
                       kind->title, text, copy);
}

static bool
is_called(const struct kind *kind, const json_t *object, const char *text)
{
    return str_equal(json_get_text(object, kind->name != NULL ? kind->name : "name"), text) ||
           (kind->alias != NULL && str_equal(json_get_text(object, kind->alias), text));
}

static int
by_name(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
        json_t **ret, struct fault *f)
{
    json_t *all = NULL, *object, *matches;
    char *path;
    size_t i;

    if (kind->by_id_only)
        return 0;
    matches = json_own(cli->arena, json_array());
    if (name_path(cli, kind, text, domain_id, &path, f) < 0 ||
        kind_list(cli, kind->service, path, kind->plural, 0, &all, f) < 0)
        return -1;
    json_array_foreach(all, i, object)
    {
        if (str_equal(kind_object_id(kind, object), text)) {
            *ret = object;
            return 1;
        }
        if (is_called(kind, object, text))
            json_array_append(matches, object);
    }
    if (json_array_size(matches) > 1)
        return ambiguous(cli->arena, kind, text, matches, f);
    if (json_array_size(matches) == 0)
        return 0;
    *ret = json_array_get(matches, 0);
    return 1;
}

static bool
is_it(const json_t *object, const char *text, const char *domain_id)
{
    const char *domain = json_get_text(json_object_get(object, "domain"), "id");

    return (str_equal(json_get_text(object, "id"), text) ||
            str_equal(json_get_text(object, "name"), text)) &&
           (domain_id == NULL || str_equal(domain, domain_id));
}

/* The user, project or domain of one's own token, if that is what 'text' says: most may look up no other, nor search for theirs. */
static json_t *
own(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id)
{
    json_t *token = json_object_get(cli->session->body, "token"),
           *user = json_object_get(token, "user"), *project = json_object_get(token, "project"),
           *candidates[] = { kind == &kind_user      ? user
                             : kind == &kind_project ? project
                             : kind == &kind_domain  ? json_object_get(token, "domain")
                                                     : NULL,
                             kind == &kind_domain ? json_object_get(user, "domain") : NULL,
                             kind == &kind_domain ? json_object_get(project, "domain") : NULL };

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (candidates[i] != NULL && is_it(candidates[i], text, domain_id))
            return candidates[i];
    }
    return NULL;
}

static int
find(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
     bool complete, json_t **ret, struct fault *f)
{
    bool id_first = kind->by_id_only || looks_like_id(text);
    json_t *mine;
    int r;

    if (str_empty(text)) /* Its path would be that of the list. */
        return fault_raise(f, FAULT_INVALID, "The name of a %s is empty.", kind->title);
    r = id_first ? by_id(cli, kind, text, ret, f) : by_name(cli, kind, text, domain_id, ret, f);

    if (r > 0 && !id_first && complete && kind->list_is_short)
        r = by_id(cli, kind, kind_object_id(kind, *ret), ret, f);
    else if (r == 0 && id_first)
        r = by_name(cli, kind, text, domain_id, ret, f);
    else if (r == 0)
        r = by_id(cli, kind, text, ret, f);
    if ((r == 0 || (r < 0 && f->kind == FAULT_FORBIDDEN)) &&
        (mine = own(cli, kind, text, domain_id)) != NULL) {
        fault_clear(f);
        *ret = mine;
        r = complete ? by_id(cli, kind, kind_object_id(kind, mine), ret, f) : 1;
    }
    if (r != 0)
        return r > 0 ? 0 : r;
    return fault_raise(f, FAULT_NOT_FOUND, "No %s with a %s%sname or ID of '%s' exists.",
                       kind->title, kind->alias != NULL ? kind->alias : "",
                       kind->alias != NULL ? ", " : "", text);
}

int
kind_find(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
          json_t **ret, struct fault *f)
{
    return find(cli, kind, text, domain_id, true, ret, f);
}

int
kind_id(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
        const char **ret, struct fault *f)
{
    json_t *object = NULL;

    if (find(cli, kind, text, domain_id, false, &object, f) < 0)
        return -1;
    *ret = kind_object_id(kind, object);
    return *ret != NULL ? 0
                        : fault_raise(f, FAULT_INTERNAL, "The %s '%s' came without an id.",
                                      kind->title, text);
}
