/* From a query string to a plan. Which parameters mean what is the dialect's grammar; what may be filtered and sorted is the
 * resource's table. */
#include "list_plan.h"

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/str.h"
#include "call.h"
#include "dialect.h"

static const struct field *
find_field(const struct resource *r, const char *name, int version)
{
    for (size_t i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if (str_equal(field->name, name) &&
            (version == 0 || field->since == 0 || version >= field->since))
            return field;
    }
    return NULL;
}

/* The field that filters by that name. Beside it another one may be shown by the same name, made of it. */
static const struct field *
find_filter(const struct resource *r, const char *name, int version)
{
    for (size_t i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if (str_equal(field->name, name) && field->filters != 0 && field->column != NULL &&
            (version == 0 || field->since == 0 || version >= field->since))
            return field;
    }
    return NULL;
}

/* As the resource's own order names it: by its column. */
static const struct field *
find_column(const struct resource *r, const char *column)
{
    for (size_t i = 0; i < r->schema->count; i++) {
        if (str_equal(r->schema->fields[i].column, column))
            return &r->schema->fields[i];
    }
    return NULL;
}

static void
add(struct list_plan *p, const struct field *field, enum predicate_op op, const char *const *values,
    size_t count)
{
    struct predicate *x =
        ARRAY_PUSH(p->arena, p->predicates, p->predicates_count, p->predicates_capacity);
    const char **copy = ARENA_ARRAY(p->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(p->arena, values[i]);
    x->field = field;
    x->op = op;
    x->values = copy;
    x->values_count = count;
}

void
list_plan_where(struct list_plan *p, const char *field, enum predicate_op op, const char *value)
{
    add(p, find_field(p->resource, field, 0), op, &value, value == NULL ? 0 : 1);
}

void
list_plan_where_in(struct list_plan *p, const char *field, const char *const *values, size_t count)
{
    add(p, find_field(p->resource, field, 0), OP_IN, values, count);
}

void
list_plan_where_sql(struct list_plan *p, const char *sql, const char *const *values, size_t count)
{
    add(p, NULL, OP_SQL, values, count);
    p->predicates[p->predicates_count - 1].sql = sql;
}

/* --- Filters */

/* A value as PostgreSQL reads it for the column's type; NULL: cannot be, so the filter matches nothing. */
static int
column_value(struct list_plan *p, const struct field *field, const char *text, const char **ret,
             struct fault *f)
{
    struct arena *a = p->arena;
    int64_t number;
    double real;
    bool yes;

    switch (field->type) {
    case T_INT:
        if (str_to_int64(text, INT64_MIN, INT64_MAX, &number) < 0)
            return fault_raise_field(
                f, field->name,
                "Invalid input for field/attribute %s. Value: %.100s. It is not of type 'integer'.",
                field->name, text);
        break;
    case T_NUMBER:
        if (str_to_double(text, &real) < 0)
            return fault_raise_field(
                f, field->name,
                "Invalid input for field/attribute %s. Value: %.100s. It is not of type 'number'.",
                field->name, text);
        break;
    case T_BOOL:
        if (text[0] == '\0')
            yes = true; /* ?enabled */
        else if (str_to_bool(text, &yes) < 0 && p->dialect->any_word_is_true)
            yes = true;
        else if (str_to_bool(text, &yes) < 0)
            return fault_raise_field(
                f, field->name,
                "Invalid input for field/attribute %s. Value: %.100s. It is not of type 'boolean'.",
                field->name, text);
        text = yes ? "t" : "f";
        break;
    case T_TIME:
        if (clock_parse(text, &number) < 0)
            return fault_raise_field(
                f, field->name,
                p->dialect->id == DIALECT_KEYSTONE
                    ? "Timestamp not in expected format. The server could not comply with the "
                      "request since it is either malformed or otherwise incorrect. The client is "
                      "assumed to be in error."
                    : "Invalid input for field/attribute %s. Value: %.100s. It is not a "
                      "date-time.",
                field->name, text);
        text = clock_format(a, number, CLOCK_MICRO_Z);
        break;
    default:
        break;
    }
    *ret = text;
    return 0;
}

static const struct {
    const char *suffix;
    enum predicate_op op;
    uint32_t filter;
    bool before, after; /* '%' around the value */
} suffixes[] = {
    { "__contains", OP_LIKE, FILTER_LIKE, true, true },
    { "__icontains", OP_ILIKE, FILTER_LIKE, true, true },
    { "__startswith", OP_LIKE, FILTER_LIKE, false, true },
    { "__istartswith", OP_ILIKE, FILTER_LIKE, false, true },
    { "__endswith", OP_LIKE, FILTER_LIKE, true, false },
    { "__iendswith", OP_ILIKE, FILTER_LIKE, true, false },
    { "__iexact", OP_ILIKE, FILTER_LIKE, false, false },
    { "~", OP_LIKE, FILTER_LIKE, true, true }, /* Not where the others are the grammar. */
};

static const char *
like_pattern(struct arena *a, const char *text, bool before, bool after)
{
    struct str s = { 0 };
    char *copy;

    if (before)
        str_add_char(&s, '%');
    for (; *text != '\0'; text++) {
        if (strchr("%_\\", *text) != NULL)
            str_add_char(&s, '\\');
        str_add_char(&s, *text);
    }
    if (after)
        str_add_char(&s, '%');
    copy = arena_strdup(a, str_text(&s));
    str_done(&s);
    return copy;
}

static int
suffix_filter(struct list_plan *p, const struct http_pair *q, int version)
{
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        const struct field *field;
        const char *pattern;

        if (!str_ends(q->name, suffixes[i].suffix) ||
            (p->dialect->each_filter_counts && suffixes[i].suffix[0] == '~'))
            continue;
        field = find_filter(p->resource,
                            arena_strndup(p->arena, q->name,
                                          strlen(q->name) - strlen(suffixes[i].suffix)),
                            version);
        if (field == NULL || (field->filters & suffixes[i].filter) == 0)
            return 0;
        pattern = like_pattern(p->arena, q->value == NULL ? "" : q->value, suffixes[i].before,
                               suffixes[i].after);
        add(p, field, suffixes[i].op, &pattern, 1);
        return 1;
    }
    return 0;
}

static const struct {
    const char *prefix;
    enum predicate_op op;
    uint32_t filter;
} operators[] = {
    { "gt:", OP_GT, FILTER_GT },
    { "gte:", OP_GE, FILTER_GT },
    { "lt:", OP_LT, FILTER_LT },
    { "lte:", OP_LE, FILTER_LT },
    { "eq:", OP_EQ, FILTER_GT | FILTER_LT },
    { "neq:", OP_NE, FILTER_NE | FILTER_GT | FILTER_LT },
};

/* "gt:2020-01-01", "in:a,b" and friends, where the field takes them. */
static int
operator_filter(struct list_plan *p, const struct field *field, const char *text, struct fault *f)
{
    const char *value;

    if ((field->filters & FILTER_IN) != 0 && str_starts(text, "in:")) {
        size_t count;
        char **parts = str_split(p->arena, text + 3, ',', &count);

        add(p, field, OP_IN, (const char *const *)parts, count);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if ((field->filters & operators[i].filter) == 0 || !str_starts(text, operators[i].prefix))
            continue;
        if (column_value(p, field, text + strlen(operators[i].prefix), &value, f) < 0)
            return -1;
        add(p, field, operators[i].op, &value, 1);
        return 1;
    }
    /* A word of two or three letters and a colon was meant for one: no time begins so. */
    if (p->dialect->each_filter_counts && field->type == T_TIME && strlen(text) > 3 &&
        (text[2] == ':' || text[3] == ':'))
        return fault_raise_field(f, field->name,
                                 "The given operator %.*s is not valid. It must be one of the "
                                 "following: 'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.",
                                 (int)strcspn(text, ":"), text);
    return 0;
}

/* One value of a filter. Returns 1 if it was added, 0 if it is to be compared with as it stands in '*ret'. */
static int
value_filter(struct list_plan *p, const struct field *field, const char *text, const char **ret,
             struct fault *f)
{
    bool like = (field->filters & FILTER_LIKE) != 0, regex = (field->filters & FILTER_REGEX) != 0;
    int r = operator_filter(p, field, text, f);

    if (r != 0)
        return r;
    if ((field->filters & FILTER_EQ) == 0 &&
        (field->filters & (FILTER_REGEX | FILTER_PREFIX | FILTER_LIKE)) != 0) {
        const char *pattern = regex ? text : like_pattern(p->arena, text, like, true);

        add(p, field, regex ? OP_REGEX : OP_LIKE, &pattern, 1);
        return 1;
    }
    return column_value(p, field, text, ret, f);
}

static int
plain_filter(struct call *c, struct list_plan *p, const struct field *field,
             const struct http_pair *first, struct fault *f)
{
    const char **values = ARENA_ARRAY(p->arena, const char *, c->request->query_count);
    const struct http_pair *end =
        c->dialect->each_filter_counts ? first + 1 : c->request->query + c->request->query_count;
    size_t count = 0;
    int r;

    for (const struct http_pair *q = first; q < end; q++) { /* A repeated key means "or". */
        if (!str_equal(q->name, first->name))
            continue;
        r = value_filter(p, field, q->value == NULL ? "" : q->value, &values[count], f);
        if (r != 0)
            return r;
        count++;
    }
    add(p, field, count == 1 ? OP_EQ : OP_IN, values, count);
    return 1;
}

static bool
seen_before(const struct call *c, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(c->request->query[i].name, c->request->query[index].name))
            return true;
    }
    return false;
}

static int
add_filters(struct call *c, struct list_plan *p, struct fault *f)
{
    for (size_t i = 0; i < c->request->query_count; i++) {
        const struct http_pair *q = &c->request->query[i];
        const struct field *field;
        int r;

        if (!c->dialect->each_filter_counts && seen_before(c, i))
            continue;
        r = suffix_filter(p, q, c->version);
        if (r != 0)
            continue;
        field = find_filter(p->resource, q->name, c->version);
        if (field == NULL)
            continue; /* Of another kind (limit, fields...), or one that this list does not know. */
        if (plain_filter(c, p, field, q, f) < 0)
            return -1;
    }
    return 0;
}

/* --- Order and page */

static int
add_order(struct call *c, struct list_plan *p, const char *key, const char *direction,
          struct fault *f)
{
    const struct field *field = find_field(p->resource, key, c->version);
    struct order_by *o;

    if (field == NULL || (field->flags & F_SORT) == 0 || field->column == NULL)
        return fault_raise_field(f, "sort_key", "Sort key %.100s is not valid for this list.", key);
    if (direction != NULL && !str_equal_nocase(direction, "asc") &&
        !str_equal_nocase(direction, "desc"))
        return fault_raise_field(f, "sort_dir",
                                 "Unknown sort direction, must be 'asc' or 'desc': %.50s",
                                 direction);
    if (p->order_count == ARRAY_SIZE(p->order))
        return fault_raise_field(f, "sort_key", "There are too many sort keys.");
    o = &p->order[p->order_count++];
    o->field = field;
    o->descending = direction != NULL && str_equal_nocase(direction, "desc");
    return 0;
}

static int
order_from_colon(struct call *c, struct list_plan *p, const char *text, struct fault *f)
{
    size_t count;
    char **parts = str_split(p->arena, text, ',', &count);

    for (size_t i = 0; i < count; i++) {
        char *colon = strchr(parts[i], ':');

        if (colon != NULL)
            *colon = '\0';
        if (add_order(c, p, parts[i], colon == NULL ? "desc" : colon + 1, f) < 0)
            return -1;
    }
    return 0;
}

/* The n-th value of a repeated parameter, or NULL. */
static const char *
nth(const struct call *c, const char *name, size_t n)
{
    for (size_t i = 0; i < c->request->query_count; i++) {
        if (str_equal(c->request->query[i].name, name) && n-- == 0)
            return c->request->query[i].value;
    }
    return NULL;
}

static void
default_order(struct list_plan *p)
{
    for (size_t i = 0;
         p->resource->order != NULL && p->resource->order[i] != NULL && i < ARRAY_SIZE(p->order);
         i++) {
        const char *text = p->resource->order[i];
        const char *space = strchr(text, ' ');
        size_t size = space == NULL ? strlen(text) : (size_t)(space - text);

        p->order[p->order_count].field =
            find_column(p->resource, arena_strndup(p->arena, text, size));
        p->order[p->order_count++].descending = space != NULL && str_equal(space + 1, "desc");
    }
}

static int
make_order(struct call *c, struct list_plan *p, struct fault *f)
{
    const char *key;

    if (c->dialect->sort_colon && call_query(c, "sort") != NULL)
        return order_from_colon(c, p, call_query(c, "sort"), f);
    for (size_t i = 0; c->dialect->sort_pairs && (key = nth(c, "sort_key", i)) != NULL; i++) {
        const char *direction = nth(c, "sort_dir", i);

        if (direction == NULL && c->dialect->id != DIALECT_NEUTRON)
            direction = nth(c, "sort_dir", 0) == NULL ? "desc" : nth(c, "sort_dir", 0);
        if (add_order(c, p, key, direction, f) < 0)
            return -1;
    }
    if (p->order_count == 0)
        default_order(p);
    return 0;
}

static int
make_page(struct call *c, struct list_plan *p, struct fault *f)
{
    const char *limit = call_query(c, "limit");
    const char *marker = call_query(c, "marker");
    int64_t n;

    p->limit = c->dialect->default_limit != 0 ? c->dialect->default_limit
               : c->dialect->max_limit > 0    ? c->dialect->max_limit
                                              : -1;
    if (limit != NULL) {
        if (str_to_int64(limit, 0, INT64_MAX, &n) < 0)
            return fault_raise_field(f, "limit",
                                     "Invalid input for query parameters limit. Value: %.50s. It "
                                     "must be a non-negative integer.",
                                     limit);
        p->limit_given = true;
        if (n == 0 && (c->dialect->id == DIALECT_NEUTRON || c->dialect->id == DIALECT_KEYSTONE))
            p->limit_given = false; /* No pagination. */
        else
            p->limit = c->dialect->max_limit > 0 ? MIN(n, c->dialect->max_limit) : n;
    }
    if (marker != NULL && marker[0] != '\0')
        p->marker = marker;
    p->page_reverse = c->dialect->id == DIALECT_NEUTRON && call_query_bool(c, "page_reverse");
    return 0;
}

static void
make_fields(struct call *c, struct list_plan *p)
{
    const char **items = ARENA_ARRAY(p->arena, const char *, c->request->query_count + 1);

    for (size_t i = 0; i < c->request->query_count; i++) {
        if (str_equal(c->request->query[i].name, "fields") &&
            !str_empty(c->request->query[i].value))
            items[p->fields.count++] = c->request->query[i].value;
    }
    p->fields.items = items;
}

int
list_plan_make(struct call *c, const struct resource *r, enum view view, struct list_plan *ret,
               struct fault *f)
{
    struct list_plan p = { .resource = r, .dialect = c->dialect, .arena = c->arena, .view = view };

    p.scope = call_scope_of(c, r);
    if (p.scope == NULL && r->scope == RESOURCE_PROJECT && c->dialect->list_all_tenants &&
        !call_query_bool(c, "all_tenants"))
        p.scope = c->auth.project_id;
    if (c->dialect->id == DIALECT_NEUTRON)
        make_fields(c, &p);
    if (add_filters(c, &p, f) < 0 || make_order(c, &p, f) < 0 || make_page(c, &p, f) < 0)
        return -1;
    p.filters_count = p.predicates_count;
    *ret = p;
    return 0;
}
