#include "body.h"

#include <errno.h>

#include "base/json.h"
#include "http/url.h"
#include "kind.h"
#include "kinds.h"
#include "session.h"

enum { MAX_FILE = 16 * 1024 * 1024 };

void
body_set(json_t *body, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    size_t size = dot != NULL ? (size_t)(dot - path) : strlen(path);
    bool append = dot == NULL && size > 2 && strncmp(path + size - 2, "[]", 2) == 0;
    char name[128];
    json_t *inner;

    snprintf(name, sizeof(name), "%.*s", (int)(append ? size - 2 : size), path);
    if (dot == NULL && !append) {
        json_object_set_new(body, name, value);
        return;
    }
    inner = json_object_get(body, name);
    if (append ? !json_is_array(inner) : !json_is_object(inner)) {
        inner = append ? json_array() : json_object();
        json_object_set_new(body, name, inner);
    }
    if (append)
        json_array_append_new(inner, value);
    else
        body_set(inner, dot + 1, value);
}

int
body_file(struct arena *a, const char *path, char **ret, size_t *ret_size, struct fault *f)
{
    FILE *file = str_equal(path, "-") ? stdin : fopen(path, "re");
    struct str s = { 0 };
    char buffer[65536];
    size_t n;
    bool bad;

    if (file == NULL)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    while (s.size <= MAX_FILE && (n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        str_add_n(&s, buffer, n);
    bad = ferror(file) != 0;
    if (file != stdin)
        fclose(file);
    *ret = arena_alloc(a, s.size + 1);
    if (s.size > 0)
        memcpy(*ret, s.data, s.size);
    *ret_size = s.size;
    str_done(&s);
    if (bad || *ret_size > MAX_FILE)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path,
                           bad ? "it cannot be read" : "it is too large");
    return 0;
}

static const char *
renamed(struct arena *a, const char *rename, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = rename; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, ","), key = strcspn(at, "=,");

        if (key == size && strncmp(at, name, size) == 0)
            return key < n ? arena_strndup(a, at + key + 1, n - key - 1) : name;
        at += n + (at[n] == ',');
    }
    return rename != NULL ? NULL : name;
}

int
body_parts(struct arena *a, const char *text, const char *rename, json_t **ret, struct fault *f)
{
    json_t *parts = json_own(a, json_object());
    size_t count;
    char **items = str_split(a, text, ',', &count);

    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(items[i], '=');
        const char *name;

        if (equals == NULL)
            return fault_raise(f, FAULT_INVALID, "'%s' is not key=value", items[i]);
        *equals = '\0';
        name = renamed(a, rename, items[i]);
        if (name == NULL)
            return fault_raise(f, FAULT_INVALID, "'%s' is none of %s", items[i], rename);
        json_object_set_new(parts, name, json_string(equals + 1));
    }
    *ret = parts;
    return 0;
}

int
body_domain(struct cli *cli, const char *name, const char **ret, struct fault *f)
{
    const char *text = name != NULL ? args_get(&cli->args, name) : NULL;

    *ret = NULL;
    return text != NULL ? kind_id(cli, &kind_domain, text, NULL, ret, f) : 0;
}

int
body_value(struct cli *cli, const struct arg *arg, const char **ret, struct fault *f)
{
    const char *domain_id, *to = arg->option->to;
    bool in_body = to != NULL && to[0] != '?' && arg->option->name[0] != '<';

    *ret = arg->text;
    if (arg->option->type != OPTION_ID ||
        (str_empty(arg->text) && in_body)) /* Takes a member's value back. */
        return 0;
    if (body_domain(cli, arg->option->domain, &domain_id, f) < 0)
        return -1;
    return kind_id(cli, arg->option->kind, arg->text, domain_id, ret, f);
}

static json_t *
number(const char *text)
{
    int64_t value;
    double real;

    if (str_to_int64(text, INT64_MIN, INT64_MAX, &value) == 0)
        return json_integer(value);
    return str_to_double(text, &real) == 0 ? json_real(real) : json_string(text);
}

json_t *
body_words(struct arena *a, const char *text)
{
    json_t *list = json_array();
    size_t count;
    char **parts = str_split(a, text, ',', &count);

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(parts[i]));
    return list;
}

/* One option's value as JSON; the caller's reference. */
static int
make_value(struct cli *cli, const struct arg *arg, json_t **ret, struct fault *f)
{
    const char *text;
    json_t *parts = NULL;
    char *data = NULL;
    size_t size;

    if (body_value(cli, arg, &text, f) < 0)
        return -1;
    switch (arg->option->type) {
    case OPTION_FLAG:
        *ret = json_loads(arg->option->json, JSON_DECODE_ANY, NULL);
        break;
    case OPTION_INTEGER:
    case OPTION_NUMBER:
        *ret = number(text);
        break;
    case OPTION_FILE:
        if (body_file(cli->arena, text, &data, &size, f) < 0)
            return -1;
        *ret = json_string(data);
        break;
    case OPTION_PARTS:
        if (body_parts(cli->arena, text, arg->option->rename, &parts, f) < 0)
            return -1;
        *ret = json_incref(parts);
        break;
    case OPTION_WORDS:
        *ret = body_words(cli->arena, text);
        break;
    case OPTION_TEXT:
    case OPTION_ID:
    case OPTION_PAIRS:
    case OPTION_LIST:
        *ret = json_string(text);
        break;
    }
    if (*ret == NULL)
        return fault_raise(f, FAULT_INVALID, "%s: the value is not UTF-8", arg->option->name);
    return 0;
}

/* key=value: a member of the object at 'to' ("." itself is the body). */
static void
set_pair(json_t *body, const char *to, const char *text)
{
    const char *equals = strchr(text, '=');
    char key[256];
    json_t *object = body;

    snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
    if (!str_equal(to, ".")) {
        object = json_object_get(body, to);
        if (object == NULL) {
            object = json_object();
            json_object_set_new(body, to, object);
        }
    }
    json_object_set_new(object, key, json_string(equals + 1));
}

static int
set_arg(struct cli *cli, const struct arg *arg, json_t *body, struct fault *f)
{
    const struct option *o = arg->option;
    json_t *value = NULL;

    if (o->to == NULL || o->to[0] == '?')
        return 0;
    if (o->type == OPTION_PAIRS) {
        set_pair(body, o->to, arg->text);
        return 0;
    }
    if (make_value(cli, arg, &value, f) < 0)
        return -1;
    body_set(body, o->to, value);
    return 0;
}

int
body_make(struct cli *cli, json_t *body, struct fault *f)
{
    for (const struct option *o = cli->command->options; o != NULL && o->name != NULL; o++) {
        const struct arg fallback = { .option = o, .text = o->fallback };

        if (o->fallback != NULL && set_arg(cli, &fallback, body, f) < 0)
            return -1;
    }
    for (size_t i = 0; i < cli->args.count; i++) {
        if (set_arg(cli, &cli->args.items[i], body, f) < 0)
            return -1;
    }
    return 0;
}

int
body_query(struct cli *cli, struct str *path, struct fault *f)
{
    for (size_t i = 0; i < cli->args.count; i++) {
        const struct arg *arg = &cli->args.items[i];
        const char *text;

        if (arg->option->to == NULL || arg->option->to[0] != '?')
            continue;
        if (body_value(cli, arg, &text, f) < 0)
            return -1;
        if (arg->option->type == OPTION_PAIRS) {
            const char *equals = strchr(text, '=');

            url_add_query(path, arena_strndup(cli->arena, text, (size_t)(equals - text)),
                          equals + 1);
            continue;
        }
        url_add_query(path, arg->option->to + 1,
                      arg->option->type == OPTION_FLAG ? arg->option->json : text);
    }
    return 0;
}

/* The last argument that is called <name> or --name, or NULL. */
static const struct arg *
argument(struct cli *cli, const char *name, size_t size)
{
    for (size_t i = cli->args.count; i-- > 0;) {
        const char *own = cli->args.items[i].option->name;

        own += own[0] == '<' ? 1 : 2;
        if (strncmp(own, name, size) == 0 && (own[size] == '\0' || own[size] == '>'))
            return &cli->args.items[i];
    }
    return NULL;
}

static int
path_value(struct cli *cli, const char *name, size_t size, const char **ret, struct fault *f)
{
    const struct arg *arg = argument(cli, name, size);

    if (strncmp(name, "@user", size) == 0 && args_has(&cli->args, "--user"))
        arg = argument(cli, "user", strlen("user"));
    if (arg != NULL)
        return body_value(cli, arg, ret, f);
    if (name[0] != '@')
        return fault_raise(f, FAULT_INVALID, "--%.*s is required", (int)size, name);
    if (session_open(cli, false, f) < 0)
        return -1;
    *ret = strncmp(name, "@user", size) == 0 ? session_user_id(cli) : session_project_id(cli);
    return *ret != NULL
               ? 0
               : fault_raise(f, FAULT_INVALID, "The token has no %.*s.", (int)size - 1, name + 1);
}

/* Where "[/x/{name}]" ends, if it is left out; else behind its bracket. */
static const char *
optional_part(struct cli *cli, const char *at)
{
    const char *name = strchr(at, '{') + 1;

    return argument(cli, name, strcspn(name, "}")) != NULL ? at + 1 : strchr(at, ']') + 1;
}

int
body_path(struct cli *cli, const char *path, char **ret, struct fault *f)
{
    _cleanup_(str_done) struct str s = { 0 };

    while (*path != '\0') {
        size_t plain = strcspn(path, "{[]"), size;
        const char *value = NULL;

        str_add_n(&s, path, plain);
        path += plain;
        if (*path == '\0')
            break;
        if (*path != '{') {
            path = *path == '[' ? optional_part(cli, path) : path + 1;
            continue;
        }
        size = strcspn(path, "}") - 1;
        if (path_value(cli, path + 1, size, &value, f) < 0)
            return -1;
        str_add(&s, url_encode(cli->arena, value));
        path += size + 2;
    }
    *ret = arena_strdup(cli->arena, str_text(&s));
    return 0;
}
