#include "shapes.h"

#include "base/json.h"
#include "base/str.h"
#include "kind.h"
#include "kinds.h"

char *
shape_up_down(struct cli *cli, const json_t *value)
{
    return arena_strdup(cli->arena, json_is_true(value) ? "UP" : "DOWN");
}

char *
shape_smile(struct cli *cli, const json_t *value)
{
    return arena_strdup(cli->arena, json_is_true(value) ? ":-)" : "XXX");
}

char *
shape_power_state(struct cli *cli, const json_t *value)
{
    static const char *const names[] = { "NOSTATE",  "Running", "",        "Paused",
                                         "Shutdown", "",        "Crashed", "Suspended" };
    json_int_t state = json_integer_value(value);

    if (!json_is_integer(value) || state < 0 || state >= (json_int_t)ARRAY_SIZE(names))
        return arena_strdup(cli->arena, "N/A");
    return arena_strdup(cli->arena, names[state]);
}

char *
shape_router_type(struct cli *cli, const json_t *value)
{
    return arena_strdup(cli->arena, json_is_true(value) ? "External" : "Internal");
}

char *
shape_enabled(struct cli *cli, const json_t *value)
{
    return arena_strdup(cli->arena, json_is_true(value) ? "enabled" : "disabled");
}

char *
shape_dict_of_lists(struct cli *cli, const json_t *value)
{
    _cleanup_(str_done) struct str s = { 0 };
    const json_t *list;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)value, key, list)
    {
        str_addf(&s, "%s%s=%s", s.size > 0 ? "; " : "", key, format_human(cli->arena, list));
    }
    return arena_strdup(cli->arena, str_text(&s));
}

char *
shape_attachments(struct cli *cli, const json_t *value)
{
    _cleanup_(str_done) struct str s = { 0 };
    const json_t *one;
    size_t i;

    json_array_foreach(value, i, one)
    {
        const char *server = json_get_text(one, "server_id"),
                   *device = json_get_text(one, "device");

        str_addf(&s, "Attached to %s on %s ", server != NULL ? server : "?",
                 device != NULL ? device : "?");
    }
    return arena_strdup(cli->arena, str_text(&s));
}

char *
shape_endpoints(struct cli *cli, const json_t *value)
{
    _cleanup_(str_done) struct str s = { 0 };
    const json_t *e;
    size_t i;

    json_array_foreach(value, i, e)
    {
        const char *region = json_get_text(e, "region_id"),
                   *interface = json_get_text(e, "interface"), *url = json_get_text(e, "url");

        str_addf(&s, "%s%s\n  %s: %s", i > 0 ? "\n" : "", region != NULL ? region : "<none>",
                 interface != NULL ? interface : "", url != NULL ? url : "");
    }
    return arena_strdup(cli->arena, str_text(&s));
}

json_t *
make_addresses(struct cli *cli, json_t *server)
{
    json_t *all = json_own(cli->arena, json_object()), *list, *one;
    const char *network;
    size_t i;

    json_object_foreach(json_object_get(server, "addresses"), network, list)
    {
        json_t *plain = json_array();

        json_array_foreach(list, i, one)
        {
            json_array_append(plain, json_object_get(one, "addr"));
        }
        json_object_set_new(all, network, plain);
    }
    return all;
}

json_t *
make_flavor_name(struct cli *cli, json_t *server)
{
    json_t *flavor = json_object_get(server, "flavor"),
           *name = json_object_get(flavor, "original_name");

    return name != NULL ? name : json_own(cli->arena, json_incref(json_object_get(flavor, "id")));
}

/* "name (id)" of 'show'; the name comes from the image service, and may be gone. */
json_t *
make_image(struct cli *cli, json_t *server)
{
    const char *id = json_get_text(json_object_get(server, "image"), "id");
    struct fault ignored = { 0 };
    json_t *image;

    if (id == NULL)
        return json_own(cli->arena, json_string("N/A (booted from volume)"));
    if (kind_find(cli, &kind_image, id, NULL, &image, &ignored) < 0)
        return json_own(cli->arena, json_string(id));
    return json_own(cli->arena, json_sprintf("%s (%s)", kind_object_name(&kind_image, image), id));
}

json_t *
make_flavor(struct cli *cli _unused_, json_t *server)
{
    return json_object_get(server, "flavor");
}

json_t *
make_role_names(struct cli *cli, json_t *object)
{
    struct str names = { 0 };
    const json_t *role;
    json_t *text;
    size_t i;

    json_array_foreach(json_object_get(object, "roles"), i, role)
    {
        str_addf(&names, "%s%s", i > 0 ? " " : "", json_get_text(role, "name"));
    }
    text = json_own(cli->arena, json_string(str_text(&names)));
    str_done(&names);
    return text;
}

json_t *
make_group_names(struct cli *cli, json_t *server)
{
    json_t *names = json_own(cli->arena, json_array()), *group;
    size_t i;

    json_array_foreach(json_object_get(server, "security_groups"), i, group)
    {
        json_array_append(names, json_object_get(group, "name"));
    }
    return names;
}

/* "22:22", "type=8:code=0" of ICMP, "" of all. */
json_t *
make_port_range(struct cli *cli, json_t *rule)
{
    json_t *min = json_object_get(rule, "port_range_min"),
           *max = json_object_get(rule, "port_range_max");
    const char *protocol = json_get_text(rule, "protocol");
    bool icmp = protocol != NULL && (strstr(protocol, "icmp") != NULL || str_equal(protocol, "1") ||
                                     str_equal(protocol, "58"));
    char *text = arena_strdup(cli->arena, "");

    if (icmp && json_is_integer(min))
        text = arena_printf(cli->arena, json_is_integer(max) ? "type=%lld:code=%lld" : "type=%lld",
                            (long long)json_integer_value(min), (long long)json_integer_value(max));
    else if (json_is_integer(min) || json_is_integer(max))
        text = arena_printf(cli->arena, "%s:%s", format_human(cli->arena, min),
                            format_human(cli->arena, max));
    return json_own(cli->arena, json_string(text));
}
