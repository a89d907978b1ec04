/* Which versions each service of the catalogue speaks: its own list of them, which stands at its root and needs no token. A service
 * that does not answer so is shown by its address alone, as the openstack client does. */
#include "cloud_wide.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/str.h"
#include "rest.h"
#include "session.h"

/* What an endpoint's address begins with, before its version: "http://h/v3/PROJECT" as "http://h", "http://h/identity". */
static char *
root_of(struct arena *a, const char *url)
{
    const char *at = strstr(url, "://");
    size_t size = strlen(url);

    for (at = at != NULL ? strchr(at + 3, '/') : NULL; at != NULL; at = strchr(at + 1, '/')) {
        if (at[1] == 'v' && isdigit((unsigned char)at[2])) {
            size = (size_t)(at - url);
            break;
        }
    }
    while (size > 0 && url[size - 1] == '/')
        size--;
    return arena_strndup(a, url, size);
}

/* Other names of block storage. */
static const char *
type_of(const char *type)
{
    static const char *const names[] = { "volumev3", "volumev2", "volume", "block-store" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_equal(type, names[i]))
            return "block-storage";
    }
    return type != NULL ? type : "";
}

/* "v3.14" as "3.14", "v2" as "2.0". */
static char *
number_of(struct arena *a, const char *id)
{
    const char *text = id + (id[0] == 'v');

    return arena_printf(a, "%s%s", text, strchr(text, '.') == NULL ? ".0" : "");
}

/* Null where it is "" or absent. */
static json_t *
text_or_null(const json_t *object, const char *name)
{
    const char *text = json_get_text(object, name);

    return str_empty(text) ? json_null() : json_string(text);
}

static const char *
status_of(struct arena *a, const char *text)
{
    char *status;

    if (text == NULL || strcasecmp(text, "stable") == 0)
        return "CURRENT";
    status = arena_strdup(a, text);
    for (char *at = status; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return status;
}

static const char *
address_of(struct arena *a, const char *root, const json_t *version)
{
    const json_t *link;
    size_t i;

    json_array_foreach(json_object_get(version, "links"), i, link)
    {
        const char *href = json_get_text(link, "href");

        if (str_equal(json_get_text(link, "rel"), "self") && !str_empty(href))
            return href;
    }
    return arena_printf(a, "%s/", root);
}

static int
compare_versions(const void *x, const void *y)
{
    const char *a = *(const char *const *)x, *b = *(const char *const *)y;
    long major = strtol(a, NULL, 10) - strtol(b, NULL, 10);
    long minor = strtol(strchr(a, '.') + 1, NULL, 10) - strtol(strchr(b, '.') + 1, NULL, 10);

    return major != 0 ? (major > 0) - (major < 0) : (minor > 0) - (minor < 0);
}

/* The list that stands at the root, or NULL: {"versions": [...]}, {"versions": {"values": [...]}}. */
static json_t *
ask(struct cli *cli, const char *root)
{
    const struct http_pair accept = { "Accept", "application/json" };
    struct http_exchange x = { .method = HTTP_GET, .headers = &accept, .headers_count = 1 };
    struct fault ignored = { 0 };
    json_t *answer, *versions;

    x.url = arena_printf(cli->arena, "%s/", root);
    if (rest_exchange(cli, &x, &ignored) < 0 || (x.status != 200 && x.status != 300) ||
        json_read(cli->arena, x.answer, x.answer_size, &answer, &ignored) < 0)
        return NULL;
    versions = json_object_get(answer, "versions");
    if (json_is_object(versions))
        versions = json_object_get(versions, "values");
    return json_array_size(versions) > 0 ? versions : NULL;
}

static void
add_row(json_t *rows, const json_t *endpoint, const char *type, json_t *version, const char *status,
        const char *url, json_t *least, json_t *most)
{
    const char *region = json_get_text(endpoint, "region_id");

    json_array_append_new(rows, json_pack("{ss? ss so ss ss so so}", "region", region, "type", type,
                                          "version", version, "status", status, "url", url, "min",
                                          least, "max", most));
}

static void
add_versions(struct cli *cli, const char *type, const json_t *endpoint, json_t *rows)
{
    const char *wanted = args_get(&cli->args, "--status"),
               *root = root_of(cli->arena, json_get_text(endpoint, "url")), **numbers;
    json_t *versions = ask(cli, root), *version;
    size_t count = json_array_size(versions), i, k;

    if (versions == NULL && (wanted == NULL || strcasecmp(wanted, "CURRENT") == 0))
        add_row(rows, endpoint, type, json_null(), "CURRENT", arena_printf(cli->arena, "%s/", root),
                json_null(), json_null());
    numbers = ARENA_ARRAY(cli->arena, const char *, count + 1);
    json_array_foreach(versions, i, version)
    {
        const char *id = json_get_text(version, "id");

        numbers[i] = number_of(cli->arena, id != NULL ? id : "0");
        json_object_set_new(version, "number", json_string(numbers[i]));
    }
    qsort(numbers, count, sizeof(*numbers), compare_versions);
    for (k = 0; k < count; k++) {
        json_array_foreach(versions, i, version)
        {
            const char *status = status_of(cli->arena, json_get_text(version, "status"));

            if (!str_equal(json_get_text(version, "number"), numbers[k]) ||
                (wanted != NULL && strcasecmp(wanted, status) != 0))
                continue;
            add_row(rows, endpoint, type, json_string(numbers[k]), status,
                    address_of(cli->arena, root, version), text_or_null(version, "min_version"),
                    text_or_null(version, json_object_get(version, "max_version") != NULL
                                              ? "max_version"
                                              : "version"));
        }
    }
}

/* Does the endpoint answer to what the options ask for, for the first time? Two names of one service are one. */
static bool
is_wanted(struct cli *cli, const char *type, const json_t *endpoint, json_t *seen)
{
    const char *interface = args_get(&cli->args, "--interface"),
               *region = args_get(&cli->args, "--region-name"),
               *own = json_get_text(endpoint, "interface");
    char *key;

    if (json_get_text(endpoint, "url") == NULL ||
        (!args_has(&cli->args, "--all-interfaces") &&
         !str_equal(own, interface != NULL ? interface : "public")) ||
        (region != NULL && !str_equal(json_get_text(endpoint, "region_id"), region)))
        return false;
    region = json_get_text(endpoint, "region_id");
    key = arena_printf(cli->arena, "%s %s %s %s", region != NULL ? region : "", own, type,
                       root_of(cli->arena, json_get_text(endpoint, "url")));
    if (json_object_get(seen, key) != NULL)
        return false;
    json_object_set_new(seen, key, json_true());
    return true;
}

int
cloud_versions(struct cli *cli, struct fault *f)
{
    const char *wanted = args_get(&cli->args, "--service");
    json_t *rows = json_own(cli->arena, json_array()), *seen = json_own(cli->arena, json_object()),
           *answer = rest_get(cli, SERVICE_IDENTITY, "/auth/catalog", NULL, f), *entry, *endpoint;
    size_t i, k;

    if (answer == NULL)
        return -1;
    json_array_foreach(json_object_get(answer, "catalog"), i, entry)
    {
        const char *type = type_of(json_get_text(entry, "type"));

        if (wanted != NULL && !str_equal(type, type_of(wanted)))
            continue;
        json_array_foreach(json_object_get(entry, "endpoints"), k, endpoint)
        {
            if (is_wanted(cli, type, endpoint, seen))
                add_versions(cli, type, endpoint, rows);
        }
    }
    return output_list(cli, cli->command->columns, rows, f);
}
