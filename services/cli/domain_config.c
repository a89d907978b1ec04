/* Values on a command line are texts; which of them go out as numbers, lists, true or false is asked of the service's defaults.
 * A secret has no default there, and is a text. */
#include "domain_config.h"

#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "http/url.h"
#include "password.h"
#include "rest.h"

#define DEFAULTS "/domains/config/default"

/* "ldap.url" as "ldap" and "url" (NULL where only a group is named). */
static int
split(struct arena *a, const char *text, const char **ret_group, const char **ret_name,
      struct fault *f)
{
    const char *dot = strchr(text, '.');

    if (text[0] == '\0' || dot == text || (dot != NULL && dot[1] == '\0'))
        return fault_raise(f, FAULT_INVALID,
                           "'%s' is neither a group (ldap) nor an option (ldap.url).", text);
    *ret_group = dot != NULL ? arena_strndup(a, text, (size_t)(dot - text)) : text;
    *ret_name = dot != NULL ? dot + 1 : NULL;
    return 0;
}

/* The path of the whole, a group or an option below 'base'. */
static char *
path_of(struct arena *a, const char *base, const char *group, const char *name)
{
    return arena_printf(a, "%s%s%s%s%s", base, group != NULL ? "/" : "",
                        group != NULL ? url_encode(a, group) : "", name != NULL ? "/" : "",
                        name != NULL ? url_encode(a, name) : "");
}

/* "/domains/ID/config" */
static int
domain_path(struct cli *cli, const char **ret, struct fault *f)
{
    const char *id;

    if (access_option_id(cli, "<domain>", &id, f) < 0)
        return -1;
    *ret = id == NULL ? NULL
                      : arena_printf(cli->arena, "/domains/%s/config", url_encode(cli->arena, id));
    return 0;
}

/* {"ldap": {"url": ...}} as {"ldap.url": ...}; an option that was asked for alone is named in full too. */
static int
print(struct cli *cli, const json_t *config, const char *group, const char *name, struct fault *f)
{
    json_t *flat = json_own(cli->arena, json_object()), *options, *value;
    const char *section, *key;

    if (name != NULL)
        json_object_set(flat, arena_printf(cli->arena, "%s.%s", group, name),
                        json_object_get(config, name));
    json_object_foreach((json_t *)(uintptr_t)config, section, options)
    {
        json_object_foreach(options, key, value)
        {
            json_object_set(flat, arena_printf(cli->arena, "%s.%s", section, key), value);
        }
    }
    return output_fields(cli, NULL, flat, f);
}

int
domain_config_show(struct cli *cli, struct fault *f)
{
    const char *text = args_get(&cli->args, "<option>"), *group = NULL, *name = NULL, *base;
    json_t *answer;

    if ((text != NULL && split(cli->arena, text, &group, &name, f) < 0) ||
        domain_path(cli, &base, f) < 0)
        return -1;
    answer =
        rest_get(cli, SERVICE_IDENTITY,
                 base != NULL ? path_of(cli->arena, base, group, name)
                              : arena_printf(cli->arena, "%s/default",
                                             path_of(cli->arena, "/domains/config", group, name)),
                 NULL, f);
    return answer != NULL ? print(cli, json_object_get(answer, "config"), group, name, f) : -1;
}

/* --- Setting */

/* 'text' as a value of the default's type; the caller's reference, or NULL. */
static json_t *
typed(struct arena *a, const json_t *fallback, const char *text, const char **ret_wanted)
{
    int64_t integer;
    double number;
    bool yes;

    *ret_wanted = json_is_boolean(fallback)  ? "true or false"
                  : json_is_number(fallback) ? "a number"
                                             : "UTF-8";
    if (json_is_boolean(fallback))
        return str_to_bool(text, &yes) == 0 ? json_boolean(yes) : NULL;
    if (json_is_number(fallback) && str_to_int64(text, INT64_MIN, INT64_MAX, &integer) == 0)
        return json_integer(integer);
    if (json_is_number(fallback))
        return str_to_double(text, &number) == 0 ? json_real(number) : NULL;
    return json_is_array(fallback) ? body_words(a, text) : json_string(text);
}

static int
set(struct cli *cli, json_t *config, const json_t *defaults, const char *option, const char *text,
    struct fault *f)
{
    const char *group, *name, *wanted;
    json_t *options, *value;

    if (split(cli->arena, option, &group, &name, f) < 0)
        return -1;
    if (name == NULL)
        return fault_raise(f, FAULT_INVALID, "'%s' is a group, not an option of it (%s.NAME).",
                           group, group);
    value =
        typed(cli->arena, json_object_get(json_object_get(defaults, group), name), text, &wanted);
    if (value == NULL)
        return fault_raise(f, FAULT_INVALID, "%s: the value is not %s.", option, wanted);
    options = json_object_get(config, group);
    if (!json_is_object(options)) {
        options = json_object();
        json_object_set_new(config, group, options);
    }
    json_object_set_new(options, name, value);
    return 0;
}

/* {"ldap": {...}}, perhaps in {"config": ...}, as the service has it. */
static int
read_config(struct cli *cli, const char *path, json_t **ret, struct fault *f)
{
    json_t *config, *inner;
    char *text;
    size_t size;

    if (body_file(cli->arena, path, &text, &size, f) < 0)
        return -1;
    if (json_read(cli->arena, text, size, &config, f) < 0 || !json_is_object(config)) {
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "%s is no JSON object of groups of options.", path);
    }
    inner = json_object_get(config, "config");
    *ret = json_is_object(inner) ? inner : config;
    return 0;
}

static int
read_arguments(struct cli *cli, json_t *config, struct fault *f)
{
    const json_t *defaults = NULL;

    if (args_has(&cli->args, "--property")) {
        defaults = rest_get(cli, SERVICE_IDENTITY, DEFAULTS, NULL, f);
        if (defaults == NULL)
            return -1;
        defaults = json_object_get(defaults, "config");
    }
    for (size_t i = 0; i < cli->args.count; i++) {
        const struct arg *arg = &cli->args.items[i];
        const char *equals = strchr(arg->text, '='), *text;

        if (str_equal(arg->option->name, "--property")) {
            if (set(cli, config, defaults,
                    arena_strndup(cli->arena, arg->text, (size_t)(equals - arg->text)), equals + 1,
                    f) < 0)
                return -1;
        } else if (str_equal(arg->option->name, "--prompt")) {
            if (password_ask(cli->arena, arena_printf(cli->arena, "%s: ", arg->text), true, &text,
                             f) < 0 ||
                set(cli, config, NULL, arg->text, text, f) < 0)
                return -1;
        }
    }
    return 0;
}

int
domain_config_write(struct cli *cli, struct fault *f)
{
    struct rest r = { .service = SERVICE_IDENTITY, .method = cli->command->method };
    const char *file = args_get(&cli->args, "--file");
    json_t *config = json_own(cli->arena, json_object());

    if (file == NULL && !args_has(&cli->args, "--property") && !args_has(&cli->args, "--prompt"))
        return fault_raise(f, FAULT_INVALID, "Give --property, --prompt or --file.");
    if (str_equal(file, "-") && args_has(&cli->args, "--prompt"))
        return fault_raise(f, FAULT_INVALID, "Give --file a file: --prompt reads standard input.");
    if (domain_path(cli, &r.path, f) < 0 ||
        (file != NULL && read_config(cli, file, &config, f) < 0) ||
        read_arguments(cli, config, f) < 0)
        return -1;
    r.body = json_own(cli->arena, json_pack("{sO}", "config", config));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    return cli->command->method == HTTP_PUT
               ? print(cli, json_object_get(r.answer, "config"), NULL, NULL, f)
               : 0;
}

int
domain_config_unset(struct cli *cli, struct fault *f)
{
    const char *base, *group, *name, *text;

    if (domain_path(cli, &base, f) < 0)
        return -1;
    for (size_t i = 0; (text = args_nth(&cli->args, "--property", i)) != NULL; i++) {
        struct rest r = { .service = SERVICE_IDENTITY, .method = HTTP_DELETE };

        if (split(cli->arena, text, &group, &name, f) < 0)
            return -1;
        r.path = path_of(cli->arena, base, group, name);
        if (rest_call(cli, &r, f) < 0)
            return -1;
    }
    return 0;
}
