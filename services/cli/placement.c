/* Placement: inventories, candidates, and why there are none. */
#include "access.h"
#include "base/json.h"
#include "body.h"
#include "cloud_wide.h"
#include "http/url.h"
#include "kind.h"
#include "placement_capacity.h"
#include "rest.h"

void
placement_add_request(struct cli *cli, struct str *s)
{
    _cleanup_(str_done) struct str resources = { 0 }, required = { 0 };
    const char *text;

    for (size_t i = 0; (text = args_nth(&cli->args, "--resource", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');

        str_addf(&resources, "%s%.*s:%s", i > 0 ? "," : "", (int)(equals - text), text, equals + 1);
    }
    for (size_t i = 0; (text = args_nth(&cli->args, "--required", i)) != NULL; i++)
        str_addf(&required, "%s%s", required.size > 0 ? "," : "", text);
    for (size_t i = 0; (text = args_nth(&cli->args, "--forbidden", i)) != NULL; i++)
        str_addf(&required, "%s!%s", required.size > 0 ? "," : "", text);
    if (resources.size > 0)
        url_add_query(s, "resources", str_text(&resources));
    else
        str_add_char(s, '?');
    if (required.size > 0)
        url_add_query(s, "required", str_text(&required));
    for (size_t i = 0; (text = args_nth(&cli->args, "--member-of", i)) != NULL; i++)
        url_add_query(s, "member_of",
                      strchr(text, ',') != NULL ? arena_printf(cli->arena, "in:%s", text) : text);
    if ((text = args_get(&cli->args, "--in-tree")) != NULL)
        url_add_query(s, "in_tree", text);
    if ((text = args_get(&cli->args, "--query")) != NULL)
        str_addf(s, "&%s", text);
}

/* 'limit': unless --limit says otherwise; NULL: none. */
static char *
request_path(struct cli *cli, const char *path, const char *limit)
{
    _cleanup_(str_done) struct str s = { 0 };
    const char *text;

    str_add(&s, path);
    placement_add_request(cli, &s);
    if ((text = args_get(&cli->args, "--limit")) != NULL)
        limit = text;
    if (limit != NULL)
        url_add_query(&s, "limit", limit);
    if ((text = args_get(&cli->args, "--rule")) != NULL)
        url_add_query(&s, "rule", text);
    return arena_strdup(cli->arena, str_text(&s));
}

int
placement_inventories(struct cli *cli, struct fault *f)
{
    json_t *inventories, *usages, *rows = json_own(cli->arena, json_array()), *one;
    const char *id, *name;

    if (access_option_id(cli, "<provider>", &id, f) < 0)
        return -1;
    inventories =
        rest_get(cli, SERVICE_PLACEMENT,
                 arena_printf(cli->arena, "/resource_providers/%s/inventories", id), NULL, f);
    usages = inventories != NULL
                 ? rest_get(cli, SERVICE_PLACEMENT,
                            arena_printf(cli->arena, "/resource_providers/%s/usages", id), NULL, f)
                 : NULL;
    if (usages == NULL)
        return -1;
    json_object_foreach(json_object_get(inventories, "inventories"), name, one)
    {
        json_object_set_new(one, "resource_class", json_string(name));
        json_object_set(one, "used", json_object_get(json_object_get(usages, "usages"), name));
        json_array_append(rows, one);
    }
    return output_list(cli, cli->command->columns, rows, f);
}

static void
candidate_row(struct cli *cli, json_t *rows, size_t number, const char *provider,
              const json_t *resources, const json_t *summary)
{
    _cleanup_(str_done) struct str allocation = { 0 }, used = { 0 };
    json_t *value, *traits = json_object_get(summary, "traits");
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)resources, name, value)
    {
        str_addf(&allocation, "%s%s=%" JSON_INTEGER_FORMAT, allocation.size > 0 ? "," : "", name,
                 json_integer_value(value));
    }
    json_object_foreach(json_object_get(summary, "resources"), name, value)
    {
        str_addf(&used, "%s%s=%lld/%lld", used.size > 0 ? "," : "", name,
                 (long long)json_get_int(value, "used"),
                 (long long)json_get_int(value, "capacity"));
    }
    json_array_append_new(rows, json_pack("{sI ss ss ss ss}", "number", (json_int_t)number,
                                          "allocation", str_text(&allocation), "provider", provider,
                                          "used", str_text(&used), "traits",
                                          traits != NULL ? format_human(cli->arena, traits) : ""));
}

int
placement_candidates(struct cli *cli, struct fault *f)
{
    json_t *answer = rest_get(cli, SERVICE_PLACEMENT,
                              request_path(cli, "/allocation_candidates", NULL), NULL, f),
           *request, *one, *summaries;
    json_t *rows = json_own(cli->arena, json_array());
    const char *provider;
    size_t i;

    if (answer == NULL)
        return -1;
    summaries = json_object_get(answer, "provider_summaries");
    json_array_foreach(json_object_get(answer, "allocation_requests"), i, request)
    {
        json_object_foreach(json_object_get(request, "allocations"), provider, one)
        {
            candidate_row(cli, rows, i + 1, provider, json_object_get(one, "resources"),
                          json_object_get(summaries, provider));
        }
    }
    return output_list(cli, cli->command->columns, rows, f);
}

/* "2 of 10 fit. VCPU: 7, required: 1" */
static void
print_counts(const json_t *counts)
{
    int64_t all = 0, fits = json_get_int(counts, "fits");
    const char *rule, *comma = " ";
    json_t *count;

    json_object_foreach((json_t *)(uintptr_t)counts, rule, count) all += json_integer_value(count);
    if (all == 0)
        return;
    printf("%lld of %lld fit.%s", (long long)fits, (long long)all,
           fits < all ? " Refused by rule:" : "");
    json_object_foreach((json_t *)(uintptr_t)counts, rule, count)
    {
        if (str_equal(rule, "fits"))
            continue;
        printf("%s%s %lld", comma, rule, (long long)json_integer_value(count));
        comma = ", ";
    }
    printf("\n");
}

int
placement_explain(struct cli *cli, struct fault *f)
{
    json_t *answer, *one;
    size_t i;

    if (!args_has(&cli->args, "--resource") && !args_has(&cli->args, "--query"))
        return fault_raise(f, FAULT_INVALID, "one of --resource and --query is needed");
    answer =
        rest_get(cli, SERVICE_PLACEMENT, request_path(cli, "/OS-VIRGA/explain", "50"), NULL, f);
    if (answer == NULL)
        return -1;
    json_array_foreach(json_object_get(answer, "providers"), i, one)
    {
        if (json_is_null(json_object_get(one, "rule")))
            json_object_set_new(one, "rule", json_string("(fits)"));
    }
    if (cli->output.format == OUTPUT_TABLE)
        print_counts(json_object_get(answer, "counts"));
    return output_list(cli, cli->command->columns, json_object_get(answer, "providers"), f);
}
