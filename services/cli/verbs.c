/* The runner: what each verb does with a command's row. */
#include "verbs.h"

#include "base/json.h"
#include "body.h"
#include "kind.h"
#include "rest.h"
#include "wait.h"

/* The first positional: the object. */
static const struct arg *
object_arg(const struct cli *cli, size_t n)
{
    const struct option *o = cli->command->options;

    while (o != NULL && o->name != NULL && o->name[0] != '<')
        o++;
    for (size_t i = 0; i < cli->args.count; i++) {
        if (cli->args.items[i].option == o && n-- == 0)
            return &cli->args.items[i];
    }
    return NULL;
}

static int
object_id(struct cli *cli, const struct arg *arg, const char **ret, struct fault *f)
{
    return body_value(cli, arg, ret, f);
}

static int
query_path(struct cli *cli, const char *path, char **ret, struct fault *f)
{
    _cleanup_(str_done) struct str s = { 0 };
    char *plain;

    if (body_path(cli, path, &plain, f) < 0)
        return -1;
    str_add(&s, plain);
    if (body_query(cli, &s, f) < 0)
        return -1;
    *ret = arena_strdup(cli->arena, str_text(&s));
    return 0;
}

static int
run_list(struct cli *cli, const struct command *c, struct fault *f)
{
    const struct kind *kind = c->kind;
    const char *path = c->path != NULL           ? c->path
                       : kind->list_path != NULL ? kind->list_path
                                                 : kind->path;
    const char *limit_text = args_get(&cli->args, "--limit");
    int64_t limit = 0;
    json_t *rows;
    char *full;

    if (limit_text != NULL && str_to_int64(limit_text, -1, INT32_MAX, &limit) < 0)
        return fault_raise(f, FAULT_INVALID, "--limit: '%s' is no number", limit_text);
    if (query_path(cli, path, &full, f) < 0)
        return -1;
    if (kind_list(cli, kind->service, full, c->plural != NULL ? c->plural : kind->plural,
                  limit > 0 ? (size_t)limit : 0, &rows, f) < 0)
        return -1;
    if (c->rows != NULL && c->rows(cli, rows, f) < 0)
        return -1;
    return output_list(cli, c->columns, rows, f);
}

static int
show_object(struct cli *cli, const struct command *c, json_t *object, struct fault *f)
{
    if (c->after != NULL && c->after(cli, object, f) < 0)
        return -1;
    return output_fields(cli, c->kind != NULL ? c->kind->fields : NULL, object, f);
}

static int
run_show(struct cli *cli, const struct command *c, struct fault *f)
{
    const struct arg *arg = object_arg(cli, 0);
    const char *domain_id;
    _cleanup_(str_done) struct str query = { 0 };
    json_t *object;
    char *path;

    if (body_domain(cli, arg->option->domain, &domain_id, f) < 0 ||
        kind_find(cli, c->kind, arg->text, domain_id, &object, f) < 0 ||
        body_query(cli, &query, f) < 0)
        return -1;
    if (query.size > 0) { /* Options ask for more of it. */
        if (body_path(cli, kind_path(cli->arena, c->kind, kind_object_id(c->kind, object)), &path,
                      f) < 0)
            return -1;
        object = rest_get(cli, c->kind->service,
                          arena_printf(cli->arena, "%s%s", path, str_text(&query)), NULL, f);
        if (object == NULL)
            return -1;
        object = kind_unwrap(c->kind, object);
    }
    return show_object(cli, c, object, f);
}

static int
make_body(struct cli *cli, const struct command *c, json_t **ret, struct fault *f)
{
    json_t *body = json_own(cli->arena, json_object());

    if (body_make(cli, body, f) < 0 || (c->prepare != NULL && c->prepare(cli, body, f) < 0))
        return -1;
    *ret = body;
    return 0;
}

static json_t *
wrap(struct cli *cli, const struct kind *kind, json_t *body)
{
    return kind->key != NULL ? json_own(cli->arena, json_pack("{sO}", kind->key, body)) : body;
}

static int
run_create(struct cli *cli, const struct command *c, struct fault *f)
{
    struct rest r = { .service = c->kind->service,
                      .method = c->method == HTTP_PUT ? HTTP_PUT : HTTP_POST };
    const char *name = args_get(&cli->args, "<name>"), *domain_id;
    json_t *body, *object;
    char *path;
    int result;

    if (make_body(cli, c, &body, f) < 0 ||
        body_path(cli, c->path != NULL ? c->path : c->kind->path, &path, f) < 0)
        return -1;
    r.path = path;
    r.body = c->kind->made_in_bulk
                 ? json_own(cli->arena, json_pack("{s[O]}", c->kind->plural, body))
                 : wrap(cli, c->kind, body);
    result = rest_call(cli, &r, f);
    if (result < 0 && r.status == 409 && args_has(&cli->args, "--or-show") && name != NULL) {
        fault_clear(f);
        if (body_domain(cli, "--domain", &domain_id, f) < 0 ||
            kind_find(cli, c->kind, name, domain_id, &object, f) < 0)
            return -1;
        return show_object(cli, c, object, f);
    }
    if (result < 0)
        return -1;
    object = c->kind->made_in_bulk ? json_array_get(json_object_get(r.answer, c->kind->plural), 0)
                                   : kind_unwrap(c->kind, r.answer);
    if (c->wait_for != NULL && args_has(&cli->args, "--wait") &&
        wait_for(cli, c->kind, kind_object_id(c->kind, object), c->wait_for, &object, f) < 0)
        return -1;
    return show_object(cli, c, object, f);
}

static int
run_set(struct cli *cli, const struct command *c, struct fault *f)
{
    struct rest r = { .service = c->kind->service,
                      .method = c->kind->update_put ? HTTP_PUT : HTTP_PATCH };
    json_t *body;
    const char *id;
    char *path;

    if (object_id(cli, object_arg(cli, 0), &id, f) < 0 || make_body(cli, c, &body, f) < 0)
        return -1;
    if (json_object_size(body) > 0) {
        if (body_path(cli, kind_path(cli->arena, c->kind, id), &path, f) < 0)
            return -1;
        r.path = path;
        r.body = wrap(cli, c->kind, body);
        if (rest_call(cli, &r, f) < 0)
            return -1;
    } else if (c->show) { /* Nothing to change: as it is. */
        r.answer = rest_get(cli, c->kind->service, kind_path(cli->arena, c->kind, id), NULL, f);
        if (r.answer == NULL)
            return -1;
    }
    if (c->show && r.answer != NULL)
        return show_object(cli, c, kind_unwrap(c->kind, r.answer), f);
    return c->after != NULL ? c->after(cli, json_own(cli->arena, json_pack("{ss}", "id", id)), f)
                            : 0;
}

/* One of several objects failed: said, counted, and the rest is done all the same. */
static void
tell_failure(struct cli *cli, const char *verb, const struct arg *arg, struct fault *f)
{
    fprintf(stderr, "Failed to %s %s with name or ID '%s': %s\n", verb, cli->command->kind->title,
            arg->text, f->message);
    fault_clear(f);
    cli->failures++;
}

static int
each_failed(struct cli *cli, const char *verb, size_t count, struct fault *f)
{
    if (cli->failures == 0)
        return 0;
    return fault_raise(f, FAULT_CONFLICT, "%d of %zu %ss failed to %s.", cli->failures, count,
                       cli->command->kind->title, verb);
}

static int
delete_one(struct cli *cli, const struct command *c, const struct arg *arg, const char **ret_id,
           struct fault *f)
{
    struct rest r = { .service = c->kind->service, .method = HTTP_DELETE };
    _cleanup_(str_done) struct str path = { 0 };
    char *plain;

    if (object_id(cli, arg, ret_id, f) < 0 ||
        body_path(cli, kind_path(cli->arena, c->kind, *ret_id), &plain, f) < 0)
        return -1;
    str_add(&path, plain);
    if (body_query(cli, &path, f) < 0)
        return -1;
    r.path = arena_strdup(cli->arena, str_text(&path));
    if (args_has(&cli->args, "--force") && c->action != NULL) {
        r.method = HTTP_POST;
        r.path = arena_printf(cli->arena, "%s/action", kind_path(cli->arena, c->kind, *ret_id));
        r.body = json_own(cli->arena, json_pack("{sn}", c->action));
    }
    return rest_call(cli, &r, f);
}

static int
run_delete(struct cli *cli, const struct command *c, struct fault *f)
{
    const struct arg *arg;
    size_t count;

    for (count = 0; object_arg(cli, count) != NULL; count++)
        continue;
    const char **ids = ARENA_ARRAY(cli->arena, const char *, count + 1);

    for (size_t i = 0; (arg = object_arg(cli, i)) != NULL; i++) {
        if (delete_one(cli, c, arg, &ids[i], f) < 0) {
            ids[i] = NULL;
            if (count == 1)
                return -1;
            tell_failure(cli, "delete", arg, f);
        }
    }
    for (size_t i = 0; args_has(&cli->args, "--wait") && i < count; i++) {
        if (ids[i] != NULL && wait_gone(cli, c->kind, ids[i], f) < 0)
            return -1;
    }
    return each_failed(cli, "delete", count, f);
}

static int
act_on(struct cli *cli, const struct command *c, const struct arg *arg, const json_t *body,
       const char **ret_id, struct fault *f)
{
    struct rest r = { .service = c->kind->service, .method = HTTP_POST };

    if (object_id(cli, arg, ret_id, f) < 0)
        return -1;
    r.path = arena_printf(cli->arena, "%s/action", kind_path(cli->arena, c->kind, *ret_id));
    r.body = json_own(cli->arena, json_object_size(body) > 0 ? json_pack("{sO}", c->action, body)
                                                             : json_pack("{sn}", c->action));
    return rest_call(cli, &r, f);
}

static int
run_action(struct cli *cli, const struct command *c, struct fault *f)
{
    const struct arg *arg;
    json_t *body;
    size_t count;

    for (count = 0; object_arg(cli, count) != NULL; count++)
        continue;
    const char **ids = ARENA_ARRAY(cli->arena, const char *, count + 1);

    if (make_body(cli, c, &body, f) < 0)
        return -1;
    for (size_t i = 0; (arg = object_arg(cli, i)) != NULL; i++) {
        if (act_on(cli, c, arg, body, &ids[i], f) < 0) {
            ids[i] = NULL;
            if (count == 1)
                return -1;
            tell_failure(cli, c->action, arg, f);
        }
    }
    for (size_t i = 0; args_has(&cli->args, "--wait") && c->wait_for != NULL && i < count; i++) {
        if (ids[i] != NULL && wait_for(cli, c->kind, ids[i], c->wait_for, NULL, f) < 0)
            return -1;
    }
    return each_failed(cli, c->action, count, f);
}

static int
run_request(struct cli *cli, const struct command *c, struct fault *f)
{
    struct rest r = { .service = c->kind != NULL ? c->kind->service : c->service,
                      .method = c->method };
    json_t *body;
    char *path;

    if (query_path(cli, c->path, &path, f) < 0 || make_body(cli, c, &body, f) < 0)
        return -1;
    r.path = path;
    r.body = json_object_size(body) > 0 ? body : NULL;
    if (rest_call(cli, &r, f) < 0)
        return -1;
    if (c->show && r.answer != NULL)
        return show_object(cli, c, c->kind != NULL ? kind_unwrap(c->kind, r.answer) : r.answer, f);
    return c->after != NULL ? c->after(cli, r.answer, f) : 0;
}

int
verbs_run(struct cli *cli, struct fault *f)
{
    const struct command *c = cli->command;

    switch (c->verb) {
    case VERB_RUN:
        return c->run(cli, f);
    case VERB_LIST:
        return run_list(cli, c, f);
    case VERB_SHOW:
        return run_show(cli, c, f);
    case VERB_CREATE:
        return run_create(cli, c, f);
    case VERB_SET:
        return run_set(cli, c, f);
    case VERB_DELETE:
        return run_delete(cli, c, f);
    case VERB_ACTION:
        return run_action(cli, c, f);
    case VERB_REQUEST:
        return run_request(cli, c, f);
    }
    return fault_raise(f, FAULT_INTERNAL, "no such verb");
}
