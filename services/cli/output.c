/* From objects to a sheet of cells: which columns, in which order, how each value is taken. */
#include "output.h"

#include "base/array.h"
#include "base/json.h"
#include "cli.h"

enum { MAX_COLUMNS = 64 };

int
output_setup(struct output *o, const struct args *args, struct fault *f _unused_)
{
    static const struct {
        const char *name;
        enum output_format format;
    } formats[] = { { "table", OUTPUT_TABLE }, { "json", OUTPUT_JSON }, { "value", OUTPUT_VALUE },
                    { "csv", OUTPUT_CSV },     { "yaml", OUTPUT_YAML }, { "shell", OUTPUT_SHELL } };
    const char *text = args_get(args, "-f"), *width = args_get(args, "--max-width");
    int64_t columns;

    if (text == NULL)
        text = args_get(args, "--format");
    for (size_t i = 0; text != NULL && i < ARRAY_SIZE(formats); i++) {
        if (str_equal_nocase(text, formats[i].name))
            o->format = formats[i].format;
    }
    o->prefix = args_get(args, "--prefix");
    o->noindent = args_has(args, "--noindent");
    if (width != NULL && str_to_int64(width, 0, 10000, &columns) == 0)
        o->max_width = (long)columns;
    return 0;
}

static json_t *
at_path(const json_t *object, const char *path)
{
    json_t *value = json_object_get(object, path);
    const char *dot;

    if (value != NULL || path == NULL || (dot = strchr(path, '.')) == NULL)
        return value;
    return at_path(json_object_getn(object, path, (size_t)(dot - path)), dot + 1);
}

static void
set_cell(struct cli *cli, struct sheet *sheet, size_t row, size_t column, const struct column *c,
         json_t *object)
{
    size_t at = row * sheet->columns + column;
    json_t *value = c != NULL && c->make != NULL
                        ? c->make(cli, object)
                        : at_path(object, c != NULL ? c->path : sheet->titles[column]);

    if (value == NULL) /* Of lists only: a member that an object lacks. */
        value = json_own(cli->arena, json_string(""));
    sheet->values[at] = value;
    if (cli->output.format == OUTPUT_TABLE)
        sheet->texts[at] = c != NULL && c->format != NULL
                               ? c->format(cli, sheet->values[at])
                               : format_human(cli->arena, sheet->values[at]);
    else
        sheet->texts[at] = format_machine(cli->arena, sheet->values[at]);
}

static void
set_size(struct arena *a, struct sheet *sheet, size_t rows, size_t columns)
{
    sheet->rows = rows;
    sheet->columns = columns;
    sheet->titles = ARENA_ARRAY(a, const char *, columns + 1);
    sheet->values = ARENA_ARRAY(a, json_t *, rows * columns + 1);
    sheet->texts = ARENA_ARRAY(a, char *, rows *columns + 1);
}

/* The n-th value of any of the three. */
static const char *
wanted_column(const struct args *args, size_t n)
{
    for (size_t i = 0; i < args->count; i++) {
        const char *name = args->items[i].option->name;

        if ((str_equal(name, "-c") || str_equal(name, "--column") ||
             str_equal(name, "--variable")) &&
            n-- == 0)
            return args->items[i].text;
    }
    return NULL;
}

/* "created_at" finds "Created At". */
static bool
same_title(const char *title, const char *name)
{
    for (; *title != '\0' && *name != '\0'; title++, name++) {
        if (tolower((unsigned char)*title) != tolower((unsigned char)*name) &&
            !(*title == ' ' && *name == '_'))
            return false;
    }
    return *title == *name;
}

static const struct column *
column_named(const struct column *columns, const char *name)
{
    for (const struct column *c = columns; c->title != NULL; c++) {
        if (same_title(c->title, name))
            return c;
    }
    return NULL;
}

static bool
is_wanted(const struct args *args, const char *title)
{
    const char *name;
    size_t i;

    for (i = 0; (name = wanted_column(args, i)) != NULL; i++) {
        if (same_title(title, name))
            return true;
    }
    return i == 0;
}

/* In the command's own order, whatever the order of the -c. */
static int
choose_columns(struct cli *cli, const struct column *columns, const struct column **ret,
               size_t *ret_count, struct fault *f)
{
    bool named = wanted_column(&cli->args, 0) != NULL,
         all = named || args_has(&cli->args, "--long");
    const char *name;
    size_t n = 0;

    for (size_t i = 0; (name = wanted_column(&cli->args, i)) != NULL; i++) {
        if (column_named(columns, name) == NULL)
            return fault_raise(f, FAULT_INVALID, "No recognized column names in ['%s']", name);
    }
    for (const struct column *c = columns; n < MAX_COLUMNS && c->title != NULL; c++) {
        if ((!c->long_only || all) && (c->with == NULL || named || args_has(&cli->args, c->with)) &&
            is_wanted(&cli->args, c->title))
            ret[n++] = c;
    }
    *ret_count = n;
    return 0;
}

static int
compare_values(const json_t *a, const json_t *b)
{
    if (json_is_null(a) || json_is_null(b))
        return json_is_null(b) - json_is_null(a); /* What has no value comes last. */
    if (json_is_number(a) && json_is_number(b))
        return (json_number_value(a) > json_number_value(b)) -
               (json_number_value(a) < json_number_value(b));
    if (json_is_string(a) && json_is_string(b))
        return strcmp(json_string_value(a), json_string_value(b));
    return (int)json_is_true(a) - (int)json_is_true(b);
}

struct sort_row {
    const json_t *keys[8];
    bool descending[8];
    json_t *object;
    size_t order;
};

static int
compare_rows(const void *a, const void *b)
{
    const struct sort_row *x = a, *y = b;

    for (size_t i = 0; i < ARRAY_SIZE(x->keys) && x->keys[i] != NULL; i++) {
        int c = compare_values(x->keys[i], y->keys[i]);

        if (c != 0)
            return x->descending[i] ? -c : c;
    }
    return x->order < y->order ? -1 : 1;
}

static int
sort_rows(struct cli *cli, const struct column *columns, struct sort_row *rows, size_t count,
          struct fault *f)
{
    const char *name;

    for (size_t k = 0;
         k < ARRAY_SIZE(rows->keys) && (name = args_nth(&cli->args, "--sort-column", k)) != NULL;
         k++) {
        const struct column *c = column_named(columns, name);

        if (c == NULL)
            return fault_raise(f, FAULT_INVALID, "--sort-column: there is no column '%s'", name);
        for (size_t i = 0; i < count; i++) {
            const json_t *key =
                c->make != NULL ? c->make(cli, rows[i].object) : at_path(rows[i].object, c->path);

            rows[i].keys[k] = key != NULL ? key : json_null();
            rows[i].descending[k] = args_has(&cli->args, "--sort-descending");
        }
    }
    if (count > 1 && rows[0].keys[0] != NULL)
        qsort(rows, count, sizeof(*rows), compare_rows);
    return 0;
}

/* "name", "name:asc", "name:desc": one key of all rows. */
static int
take_key(struct sort_row *rows, size_t count, size_t k, char *key, struct fault *f)
{
    char *colon = strrchr(key, ':');
    bool descending = colon != NULL && str_equal(colon, ":desc"), known = false;

    if (colon != NULL && !descending && !str_equal(colon, ":asc"))
        return fault_raise(f, FAULT_INVALID, "--sort: '%s' is neither asc nor desc", colon + 1);
    if (colon != NULL)
        *colon = '\0';
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(rows[i].object, key);

        known = known || value != NULL;
        rows[i].keys[k] = value != NULL ? value : json_null();
        rows[i].descending[k] = descending;
    }
    return known || count == 0
               ? 0
               : fault_raise(f, FAULT_INVALID, "--sort: there is no member '%s'", key);
}

int
output_sort(struct cli *cli, json_t *list, const char *keys, struct fault *f)
{
    size_t count = json_array_size(list), keys_count, i;
    struct sort_row *rows = ARENA_ARRAY(cli->arena, struct sort_row, count + 1);
    char **parts = str_split(cli->arena, keys, ',', &keys_count);
    json_t *sorted = json_own(cli->arena, json_array()), *object;

    json_array_foreach(list, i, object)
    {
        rows[i].object = object;
        rows[i].order = i;
    }
    if (keys_count > ARRAY_SIZE(rows->keys))
        return fault_raise(f, FAULT_INVALID, "--sort: more than %zu keys", ARRAY_SIZE(rows->keys));
    for (i = 0; i < keys_count; i++) {
        if (take_key(rows, count, i, parts[i], f) < 0)
            return -1;
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    for (i = 0; i < count; i++)
        json_array_append(sorted, rows[i].object);
    json_array_clear(list);
    return json_array_extend(list, sorted);
}

int
output_list(struct cli *cli, const struct column *columns, const json_t *list, struct fault *f)
{
    const struct column *chosen[MAX_COLUMNS];
    size_t count = 0, rows_count = json_array_size(list), i;
    struct sort_row *rows = ARENA_ARRAY(cli->arena, struct sort_row, rows_count + 1);
    struct sheet sheet = { 0 };
    json_t *object;

    if (cli->output.format == OUTPUT_SHELL)
        return fault_raise(f, FAULT_INVALID, "-f shell is for one object, not for a list.");
    if (choose_columns(cli, columns, chosen, &count, f) < 0)
        return -1;
    json_array_foreach(list, i, object)
    {
        rows[i].object = object;
        rows[i].order = i;
    }
    if (sort_rows(cli, columns, rows, rows_count, f) < 0)
        return -1;
    set_size(cli->arena, &sheet, rows_count, count);
    for (size_t c = 0; c < count; c++)
        sheet.titles[c] = chosen[c]->title;
    for (size_t r = 0; r < rows_count; r++) {
        for (size_t c = 0; c < count; c++)
            set_cell(cli, &sheet, r, c, chosen[c], rows[r].object);
    }
    sheet_print(cli, &sheet, true, stdout);
    return 0;
}

struct shown {
    const char *title;
    const char *member;
    const struct column *column;
};

static int
compare_shown(const void *a, const void *b)
{
    return strcmp(((const struct shown *)a)->title, ((const struct shown *)b)->title);
}

/* How a member is shown: its row in 'fields', whose title may be NULL to hide it. */
static const struct column *
field_of(const struct column *fields, const char *member)
{
    for (const struct column *c = fields; c != NULL && (c->title != NULL || c->path != NULL); c++) {
        if (str_equal(c->path, member))
            return c;
    }
    return NULL;
}

int
output_fields(struct cli *cli, const struct column *fields, const json_t *object, struct fault *f)
{
    struct shown *shown = ARENA_ARRAY(cli->arena, struct shown, json_object_size(object) + 1);
    struct sheet sheet = { 0 };
    const json_t *value;
    const char *member;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)object, member, value)
    {
        const struct column *c = field_of(fields, member);
        const char *title = c != NULL ? c->title : member;

        if (title == NULL ||
            (c == NULL && (str_equal(member, "links") || str_equal(member, "tenant_id"))))
            continue;
        if (is_wanted(&cli->args, title))
            shown[count++] = (struct shown){ title, member, c };
    }
    if (count == 0 && wanted_column(&cli->args, 0) != NULL)
        return fault_raise(f, FAULT_INVALID, "No recognized column names in ['%s']",
                           wanted_column(&cli->args, 0));
    qsort(shown, count, sizeof(*shown), compare_shown);
    set_size(cli->arena, &sheet, 1, count);
    for (size_t i = 0; i < count; i++) {
        const struct column plain = { .title = shown[i].title, .path = shown[i].member };

        sheet.titles[i] = shown[i].title;
        set_cell(cli, &sheet, 0, i, shown[i].column != NULL ? shown[i].column : &plain,
                 (json_t *)(uintptr_t)object);
    }
    sheet_print(cli, &sheet, false, stdout);
    return 0;
}
