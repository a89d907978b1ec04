/* virga placement simulate: how many of a flavor fit now, and after changes that are only thought of. */
#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "placement_capacity.h"
#include "rest.h"

static void
add_texts(struct cli *cli, const char *option, json_t *body, const char *key)
{
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, option, i)) != NULL; i++) {
        if (json_object_get(body, key) == NULL)
            json_object_set_new(body, key, json_array());
        json_array_append_new(json_object_get(body, key), json_string(text));
    }
}

/* "VCPU=8.0" for all hosts, "VCPU=8.0:host1,host2" for some. */
static int
add_ratios(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *ratios = json_array(), *one, *hosts;
    const char *text;

    json_object_set_new(body, "ratios", ratios);
    for (size_t i = 0; (text = args_nth(&cli->args, "--ratio", i)) != NULL; i++) {
        const char *equals = strchr(text, '='), *colon = strchr(text, ':');
        size_t count = 0;
        char **names;
        double ratio;

        if (equals == NULL || (colon != NULL && colon < equals) ||
            str_to_double(colon == NULL
                              ? equals + 1
                              : arena_strndup(cli->arena, equals + 1, (size_t)(colon - equals - 1)),
                          &ratio) < 0)
            return fault_raise(f, FAULT_INVALID, "--ratio: '%s' is no <class>=<ratio>[:<host>,...]",
                               text);
        one = json_pack("{s:s%, s:f}", "resource_class", text, (size_t)(equals - text),
                        "allocation_ratio", ratio);
        json_array_append_new(ratios, one);
        if (colon == NULL)
            continue;
        hosts = json_array();
        json_object_set_new(one, "hosts", hosts);
        names = str_split(cli->arena, colon + 1, ',', &count);
        for (size_t k = 0; k < count; k++)
            json_array_append_new(hosts, json_string(names[k]));
    }
    return 0;
}

/* "10:host1": ten like host1. "10:VCPU=64,MEMORY_MB=262144": ten that have that, at the ratios 1.0 that --ratio may change. */
static int
add_hosts(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *add = json_array(), *one, *inventories;
    const char *text;

    json_object_set_new(body, "add", add);
    for (size_t i = 0; (text = args_nth(&cli->args, "--add", i)) != NULL; i++) {
        const char *colon = strchr(text, ':');
        size_t count = 0;
        int64_t number;
        char **parts;

        if (colon == NULL || str_to_int64(arena_strndup(cli->arena, text, (size_t)(colon - text)),
                                          1, 100000, &number) < 0)
            return fault_raise(f, FAULT_INVALID, "--add: '%s' is no <n>:<host>", text);
        one = json_pack("{s:I}", "count", (json_int_t)number);
        json_array_append_new(add, one);
        if (strchr(colon, '=') == NULL) {
            json_object_set_new(one, "like", json_string(colon + 1));
            continue;
        }
        inventories = json_object();
        json_object_set_new(one, "inventories", inventories);
        parts = str_split(cli->arena, colon + 1, ',', &count);
        for (size_t k = 0; k < count; k++) {
            char *equals = strchr(parts[k], '=');
            int64_t total;

            if (equals == NULL || str_to_int64(equals + 1, 1, INT32_MAX, &total) < 0)
                return fault_raise(f, FAULT_INVALID, "--add: '%s' is no <class>=<total>", parts[k]);
            *equals = '\0';
            json_object_set_new(inventories, parts[k],
                                json_pack("{s:I}", "total", (json_int_t)total));
        }
    }
    return 0;
}

static int
make_body(struct cli *cli, json_t *body, struct fault *f)
{
    _cleanup_(str_done) struct str query = { 0 };
    const char *count = args_get(&cli->args, "--count");

    if (!args_has(&cli->args, "--resource") && !args_has(&cli->args, "--query"))
        return fault_raise(f, FAULT_INVALID, "one of --resource and --query is needed");
    placement_add_request(cli, &query);
    json_object_set_new(body, "query", json_string(str_text(&query) + 1)); /* Without "?". */
    if (count != NULL)
        json_object_set_new(body, "count", json_integer(strtoll(count, NULL, 10)));
    add_texts(cli, "--drain", body, "drain");
    return add_ratios(cli, body, f) < 0 || add_hosts(cli, body, f) < 0 ? -1 : 0;
}

/* "VCPU 4, MEMORY_MB 512" */
static char *
list_numbers(struct cli *cli, const json_t *numbers)
{
    _cleanup_(str_done) struct str out = { 0 };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)numbers, name, value)
        str_addf(&out, "%s%s %lld", out.size > 0 ? ", " : "", name,
                 (long long)json_integer_value(value));
    return arena_strdup(cli->arena, str_text(&out));
}

/* One line of the table: "now" or "then". */
static void
add_row(struct cli *cli, json_t *rows, const char *when, const json_t *outcome)
{
    json_array_append_new(rows, json_pack("{s:s, s:O, s:O, s:O, s:O, s:s}", "when", when, "fits",
                                          json_object_get(outcome, "fits"), "hosts",
                                          json_object_get(outcome, "hosts"), "hosts_used",
                                          json_object_get(outcome, "hosts_used"), "runs_out",
                                          json_object_get(outcome, "runs_out"), "refused",
                                          list_numbers(cli, json_object_get(outcome, "refused"))));
}

/* "12 of 14 servers of the drained hosts find a place: ..., and for each of the others why not." */
static void
print_moves(struct cli *cli, const json_t *answer)
{
    const json_t *moved = json_object_get(answer, "moved"), *one;
    long long all = (long long)json_get_int(moved, "consumers"),
              placed = (long long)json_get_int(moved, "placed");
    _cleanup_(str_done) struct str hosts = { 0 };
    size_t i;

    if (all == 0)
        return;
    json_array_foreach(json_object_get(moved, "hosts"), i, one)
    {
        if (i < 10)
            str_addf(&hosts, "%s%s %lld", i > 0 ? ", " : ": ", json_get_text(one, "name"),
                     (long long)json_get_int(one, "consumers"));
    }
    printf("To be moved off the drained hosts: %s.\n",
           list_numbers(cli, json_object_get(answer, "displaced")));
    printf("%lld of %lld that run there find another place%s%s.\n", placed, all, str_text(&hosts),
           json_array_size(json_object_get(moved, "hosts")) > 10 ? ", ..." : "");
    json_array_foreach(json_object_get(moved, "stuck"), i, one)
    {
        const json_t *refused = json_object_get(one, "refused");

        printf("No place for %s of %s (%s)%s%s.\n", json_get_text(one, "consumer_uuid"),
               json_get_text(one, "host"), list_numbers(cli, json_object_get(one, "resources")),
               json_object_size(refused) > 0 ? ": refused by " : "", list_numbers(cli, refused));
    }
}

/* "100 more do not fit: it stops after 37, out of MEMORY_MB." */
static void
print_verdict(const json_t *answer)
{
    const json_t *then = json_object_get(answer, "then"), *provider;
    const char *runs_out = json_get_text(then, "runs_out");
    long long fits = (long long)json_get_int(then, "fits");
    size_t i;

    if (json_get_bool(answer, "fits"))
        printf("%lld more fit.\n", (long long)json_get_int(answer, "count"));
    else if (json_object_get(answer, "count") != NULL)
        printf("%lld more do not fit: it stops after %lld%s%s.\n",
               (long long)json_get_int(answer, "count"), fits,
               runs_out == NULL ? "" : ", stopped first by ", runs_out == NULL ? "" : runs_out);
    json_array_foreach(fits == 0 ? json_object_get(then, "providers") : NULL, i, provider)
        printf("%s: %s.\n", json_get_text(provider, "name"), json_get_text(provider, "reason"));
}

int
placement_simulate(struct cli *cli, struct fault *f)
{
    json_t *body = json_own(cli->arena, json_object()), *rows = json_own(cli->arena, json_array());
    struct rest r = { .service = SERVICE_PLACEMENT,
                      .method = HTTP_POST,
                      .path = "/OS-VIRGA/simulate",
                      .body = body };

    if (make_body(cli, body, f) < 0 || rest_call(cli, &r, f) < 0)
        return -1;
    add_row(cli, rows, "now", json_object_get(r.answer, "now"));
    if (args_has(&cli->args, "--ratio") || args_has(&cli->args, "--add") ||
        args_has(&cli->args, "--drain"))
        add_row(cli, rows, "then", json_object_get(r.answer, "then"));
    if (cli->output.format == OUTPUT_TABLE) {
        print_moves(cli, r.answer);
        print_verdict(r.answer);
    }
    return output_list(cli, cli->command->columns, rows, f);
}
