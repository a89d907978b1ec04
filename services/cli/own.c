/* virga debug, help, complete. */
#include "own.h"

#include <unistd.h>

#include "base/json.h"
#include "help.h"
#include "http/url.h"
#include "rest.h"
#include "session.h"

int
own_help(struct cli *cli, struct fault *f)
{
    const char *words[8] = { 0 };
    const struct command *found;
    size_t count = 0, matched;

    if (args_has(&cli->args, "--man")) {
        help_man(stdout);
        return 0;
    }
    while (count < ARRAY_SIZE(words) &&
           (words[count] = args_nth(&cli->args, "<command>", count)) != NULL)
        count++;
    if (count == 0) {
        help_overview(stdout);
        return 0;
    }
    found = command_find(words, count, &matched);
    if (found == NULL || matched < count)
        return help_similar(words, count,
                            "virga help <command> says how one of these is used:", stdout)
                   ? 0
                   : fault_raise(f, FAULT_NOT_FOUND, "'%s' is no command; see virga help",
                                 words[0]);
    help_command(found, stdout);
    return 0;
}

int
own_complete(struct cli *cli _unused_, struct fault *f _unused_)
{
    help_complete(stdout);
    return 0;
}

/* Where a daemon's control socket may be: the cloud of VIRGA_RUN (or ./run), then an installation's. */
static int
find_socket(struct arena *a, const char *daemon, const char **ret, struct fault *f)
{
    const char *run = getenv("VIRGA_RUN");
    char *places[5];
    size_t count = 0;

    if (strchr(daemon, '/') != NULL)
        places[count++] = arena_strdup(a, daemon);
    if (run == NULL)
        run = "run";
    places[count++] = arena_printf(a, "%s/control/%s.sock", run, daemon);
    places[count++] = arena_printf(a, "%s/host1/run/virga/%s.sock", run, daemon);
    places[count++] = arena_printf(a, "/run/virga/%s/control.sock", daemon);
    for (size_t i = 0; i < count; i++) {
        if (access(places[i], F_OK) == 0) {
            *ret = places[i];
            return 0;
        }
    }
    return fault_raise(f, FAULT_NOT_FOUND,
                       "No control socket of %s in %s/control or /run/virga/%s: is it running? "
                       "(VIRGA_RUN is the cloud's folder.)",
                       daemon, run, daemon);
}

/* Lists are printed as tables with the columns that their rows have, anything else as fields. */
static int
print(struct cli *cli, const json_t *answer, struct fault *f)
{
    json_t *inner = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)answer)), *value;
    struct column *columns;
    const char *key;
    size_t n = 0;

    if (!json_is_array(inner))
        return output_fields(cli, NULL, inner != NULL && json_is_object(inner) ? inner : answer, f);
    columns =
        ARENA_ARRAY(cli->arena, struct column, json_object_size(json_array_get(inner, 0)) + 1);
    json_object_foreach(json_array_get(inner, 0), key, value)
    {
        columns[n].title = key;
        columns[n++].path = key;
    }
    return output_list(cli, columns, inner, f);
}

int
own_debug(struct cli *cli, struct fault *f)
{
    const char *socket_path = NULL, *verb = args_get(&cli->args, "<verb>"),
               *topic = args_get(&cli->args, "<topic>");
    bool show = str_equal_nocase(verb, "show"), log = str_equal_nocase(verb, "log");
    struct http_exchange x = { .method = show ? HTTP_GET : HTTP_POST };
    struct fault parse = { 0 };
    json_t *answer = NULL;

    if ((show || log) && topic == NULL)
        return fault_raise(f, FAULT_INVALID, "%s what?", verb);
    if (find_socket(cli->arena, args_get(&cli->args, "<daemon>"), &socket_path, f) < 0)
        return -1;
    topic = topic != NULL ? url_encode(cli->arena, topic) : "";
    x.url = show  ? arena_printf(cli->arena, "http://localhost/show/%s", topic)
            : log ? arena_printf(cli->arena, "http://localhost/log?level=%s", topic)
                  : arena_printf(cli->arena, "http://localhost/%s", verb);
    cli->session->transport = transport_new(NULL, socket_path);
    if (rest_exchange(cli, &x, f) < 0)
        return -1;
    if (x.status >= 400)
        return rest_explain(cli->arena, &x, f);
    if (!show || x.answer_size == 0 ||
        json_read(cli->arena, x.answer, x.answer_size, &answer, &parse) < 0)
        return 0;
    return print(cli, answer, f);
}
