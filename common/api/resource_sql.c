#include "resource_sql.h"

#include "../base/json.h"

bool
field_stored(const struct field *field)
{
    return field->column != NULL && (field->flags & (F_ALIAS | F_NO_COLUMN)) == 0;
}

void
resource_columns(const struct resource *r, struct str *sql)
{
    bool first = true;

    for (size_t i = 0; i < r->schema->count; i++) {
        if (!field_stored(&r->schema->fields[i]))
            continue;
        str_addf(sql, "%s%s", first ? "" : ", ", r->schema->fields[i].column);
        first = false;
    }
}

void
resource_scope_condition(const struct resource *r, size_t n, struct str *sql)
{
    if (r->scope_or == NULL) {
        str_addf(sql, "%s = $%zu", r->scope_column, n);
        return;
    }
    str_addf(sql, "(%s = $%zu OR (", r->scope_column, n);
    for (const char *at = r->scope_or; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == '1') {
            str_addf(sql, "$%zu", n);
            at++;
        } else {
            str_add_char(sql, *at);
        }
    }
    str_add(sql, "))");
}

static int
read_enum(const struct field *field, const char *value, int *ret, struct fault *f)
{
    for (int i = 0; field->names[i] != NULL; i++) {
        if (str_equal(field->names[i], value)) {
            *ret = i;
            return 0;
        }
    }
    return fault_raise_cause(f, "column %s has '%s', which is not one of its values", field->column,
                             value);
}

/* What stands in a jsonb column: parsed by the field's own table. */
static int
read_parts(const struct field *field, const char *value, struct arena *a, void *row,
           struct fault *f)
{
    json_t *json;
    char *items;
    size_t count, size;

    if (db_read_json(a, value, &json, f) < 0)
        return -1;
    size = field->object->size;
    if (field->type == T_OBJECT) {
        items = arena_alloc(a, size);
        *(void **)field_at(field, row) = items;
        return schema_parse(field->object, json, SCHEMA_TRUSTED, 0, field->name, a, items, f);
    }
    count = json_array_size(json);
    items = arena_calloc(a, count + 1, size);
    for (size_t i = 0; i < count; i++) {
        if (schema_parse(field->object, json_array_get(json, i), SCHEMA_TRUSTED, 0, field->name, a,
                         items + i * size, f) < 0)
            return -1;
    }
    *(void **)field_at(field, row) = items;
    *(size_t *)(void *)((char *)row + field->count_offset) = count;
    return 0;
}

static int
read_text_list(const char *value, struct arena *a, struct texts *ret, struct fault *f)
{
    json_t *json;

    if (db_read_json(a, value, &json, f) < 0)
        return -1;
    ret->count = json_array_size(json);
    ret->items = ARENA_ARRAY(a, const char *, ret->count + 1);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = arena_strdup(a, json_string_value(json_array_get(json, i)));
    return 0;
}

static int
read_value(const struct field *field, const char *value, struct arena *a, void *row,
           struct fault *f)
{
    void *at = field_at(field, row);

    switch (field->type) {
    case T_TEXT:
        *(const char **)at = value;
        return 0;
    case T_INT:
        return db_read_int(value, at, f);
    case T_NUMBER:
        return db_read_double(value, at, f);
    case T_BOOL:
        return db_read_bool(value, at, f);
    case T_TIME:
        return db_read_time(value, at, f);
    case T_ENUM:
        return read_enum(field, value, at, f);
    case T_TEXTS:
        return read_text_list(value, a, at, f);
    case T_JSON:
        return db_read_json(a, value, at, f);
    case T_OBJECT:
    case T_OBJECTS:
        return read_parts(field, value, a, row, f);
    }
    return 0;
}

int
resource_read_row(const struct resource *r, char *const *values, struct arena *a, void *row,
                  struct fault *f)
{
    size_t column = 0;

    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];
        const char *value;

        if (!field_stored(field))
            continue;
        value = values[column++];
        if (value == NULL) {
            field_mark_null(row, i);
            continue;
        }
        if (read_value(field, value, a, row, f) < 0)
            return -1;
        field_mark(row, i);
    }
    for (unsigned i = 0; i < r->schema->count; i++) { /* Second names take what the first has. */
        const struct field *alias = &r->schema->fields[i];

        for (unsigned j = 0; (alias->flags & F_ALIAS) != 0 && j < r->schema->count; j++) {
            const struct field *field = &r->schema->fields[j];

            if (!field_stored(field) || !str_equal(field->column, alias->column) ||
                field->type != alias->type)
                continue;
            memcpy(field_at(alias, row), field_at_const(field, row),
                   alias->type == T_BOOL ? sizeof(bool) : sizeof(void *));
            if (field_null(row, j))
                field_mark_null(row, i);
            else
                field_mark(row, i);
        }
    }
    return 0;
}

static struct db_param
parts_param(const struct field *field, const void *row, struct arena *a)
{
    struct str text = { 0 };
    struct jsonw w;
    const char *items = *(void *const *)field_at_const(field, row);
    char *copy;

    jsonw_init(&w, &text);
    if (field->type == T_OBJECT) {
        schema_write(field->object, items, &w, NULL);
    } else {
        size_t count = *(const size_t *)(const void *)((const char *)row + field->count_offset);

        jsonw_array(&w, NULL);
        for (size_t i = 0; i < count; i++)
            schema_write(field->object, items + i * field->object->size, &w, NULL);
        jsonw_end(&w);
    }
    copy = arena_strdup(a, str_text(&text));
    str_done(&text);
    return db_text(copy);
}

static struct db_param
text_list_param(const struct texts *texts, struct arena *a)
{
    json_t *array = json_own(a, json_array());

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(array, json_string(texts->items[i]));
    return db_json(a, array);
}

struct db_param
resource_param(const struct field *field, unsigned index, const void *row, struct arena *a)
{
    const void *at = field_at_const(field, row);

    if (field_null(row, index))
        return db_text(NULL);
    switch (field->type) {
    case T_TEXT:
        return db_text(*(const char *const *)at);
    case T_INT:
        return db_int(a, *(const int64_t *)at);
    case T_NUMBER:
        return db_double(a, *(const double *)at);
    case T_BOOL:
        return db_bool(*(const bool *)at);
    case T_TIME:
        return db_time(a, *(const int64_t *)at);
    case T_ENUM:
        return db_text(field->names[*(const int *)at]);
    case T_TEXTS:
        return text_list_param(at, a);
    case T_JSON:
        return db_json(a, *(json_t *const *)at);
    case T_OBJECT:
    case T_OBJECTS:
        return parts_param(field, row, a);
    }
    return db_text(NULL);
}

char *
resource_statement_name(const struct str *sql, struct arena *a)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a: our own text, no client's. */

    for (size_t i = 0; i < sql->size; i++)
        hash = (hash ^ (unsigned char)sql->data[i]) * UINT64_C(1099511628211);
    return arena_printf(a, "r%016llx", (unsigned long long)hash);
}
