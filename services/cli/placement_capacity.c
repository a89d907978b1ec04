#include "placement_capacity.h"

#include <math.h>

#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "http/url.h"
#include "rest.h"

#define CELLS 24

void
placement_bar(double physical, double room, double committed, size_t cells, char *ret)
{
    double whole = fmax(fmax(physical, room), fmax(committed, 1));
    size_t edge = (size_t)lround(physical / whole * (double)cells);
    size_t filled = (size_t)ceil(committed / whole * (double)cells); /* Anything shows. */

    for (size_t i = 0; i < cells; i++)
        ret[i] = (char)(i >= filled ? '.' : i < edge ? '=' : '#');
    if (edge > 0 && edge < cells && filled != cells)
        ret[edge] = '|';
    ret[cells] = '\0';
}

/* "97/8 x16.0", amounts divided by 'unit'. */
static char *
cell(struct cli *cli, const json_t *value, double unit, const char *suffix)
{
    double physical = json_number_value(json_object_get(value, "physical"));
    double committed = json_number_value(json_object_get(value, "committed"));
    char bar[CELLS + 1];

    if (!json_is_object(value))
        return arena_strdup(cli->arena, "");
    placement_bar(physical, json_number_value(json_object_get(value, "room")), committed, CELLS,
                  bar);
    return arena_printf(cli->arena, "%s %.0f/%.0f%s x%.1f", bar, committed / unit, physical / unit,
                        suffix, json_number_value(json_object_get(value, "ratio")));
}

char *
placement_cpu_cell(struct cli *cli, const json_t *value)
{
    return cell(cli, value, 1, "");
}

char *
placement_memory_cell(struct cli *cli, const json_t *value)
{
    return cell(cli, value, 1024, " GiB");
}

char *
placement_disk_cell(struct cli *cli, const json_t *value)
{
    return cell(cli, value, 1, " GiB");
}

/* Gathers the pages of a list below /OS-VIRGA until 'limit' rows or its end. The first page is 'ret_first'. */
static int
gather(struct cli *cli, const char *path, const char *member, json_t *rows, json_t **ret_first,
       struct fault *f)
{
    const char *limit = args_get(&cli->args, "--limit");
    size_t left = limit == NULL ? SIZE_MAX : strtoull(limit, NULL, 10);
    const char *marker = NULL;

    do {
        _cleanup_(str_done) struct str s = { 0 };
        json_t *answer;

        str_add(&s, path);
        if (left < 1000)
            url_add_query(&s, "limit", arena_printf(cli->arena, "%zu", left));
        if (marker != NULL)
            url_add_query(&s, "marker", marker);
        answer = rest_get(cli, SERVICE_PLACEMENT, str_text(&s), NULL, f);
        if (answer == NULL)
            return -1;
        if (marker == NULL && ret_first != NULL)
            *ret_first = answer;
        json_array_extend(rows, json_object_get(answer, member));
        left -= MIN(left, json_array_size(json_object_get(answer, member)));
        marker = json_get_text(answer, "next");
    } while (marker != NULL && left > 0);
    return 0;
}

int
placement_overcommit(struct cli *cli, struct fault *f)
{
    json_t *hosts = json_own(cli->arena, json_array()), *first = NULL, *cloud;
    _cleanup_(str_done) struct str path = { 0 };
    const char *provider;

    str_add(&path, "/OS-VIRGA/overcommit");
    if (access_option_id(cli, "<provider>", &provider, f) < 0)
        return -1;
    if (provider != NULL)
        url_add_query(&path, "provider", provider);
    if (gather(cli, str_text(&path), "hosts", hosts, &first, f) < 0)
        return -1;
    if (provider == NULL) {
        cloud = json_object_get(first, "cloud");
        json_object_set_new(cloud, "name", json_string("(cloud)"));
        json_array_insert(hosts, 0, cloud);
    }
    return output_list(cli, cli->command->columns, hosts, f);
}

int
placement_ratio_changes(struct cli *cli, struct fault *f)
{
    json_t *rows = json_own(cli->arena, json_array());
    _cleanup_(str_done) struct str path = { 0 };
    const char *provider, *name = args_get(&cli->args, "--resource-class");

    str_add(&path, "/OS-VIRGA/ratio-changes");
    if (access_option_id(cli, "--provider", &provider, f) < 0)
        return -1;
    if (provider != NULL)
        url_add_query(&path, "provider", provider);
    if (name != NULL)
        url_add_query(&path, "resource_class", name);
    if (gather(cli, str_text(&path), "ratio_changes", rows, NULL, f) < 0)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}
