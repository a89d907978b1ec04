/* A plan as SQL. Identifiers are the generated tables' own; every value is a parameter. */
#include "../base/array.h"
#include "../base/clock.h"
#include "list_plan.h"
#include "resource_sql.h"

struct printer {
    const struct list_plan *plan;
    struct str *sql;
    struct db_param *params;
    size_t count, capacity;
};

static void
value(struct printer *p, struct db_param param)
{
    struct db_param *at = ARRAY_PUSH(p->plan->arena, p->params, p->count, p->capacity);

    *at = param;
    str_addf(p->sql, "$%zu", p->count);
}

static void
value_list(struct printer *p, const struct predicate *x)
{
    for (size_t i = 0; i < x->values_count; i++) {
        if (i > 0)
            str_add(p->sql, ", ");
        value(p, db_text(x->values[i]));
    }
}

/* A constant condition of the service's source, its %1..%9 replaced by parameters. */
static void
constant_sql(struct printer *p, const struct predicate *x)
{
    str_add_char(p->sql, '(');
    for (const char *at = x->sql; *at != '\0'; at++) {
        if (*at == '%' && at[1] >= '1' && at[1] <= '9' && (size_t)(at[1] - '1') < x->values_count)
            value(p, db_text(x->values[*++at - '1']));
        else
            str_add_char(p->sql, *at);
    }
    str_add_char(p->sql, ')');
}

static void
predicate(struct printer *p, const struct predicate *x)
{
    static const char *const operators[] = {
        [OP_EQ] = "=",  [OP_NE] = "<>",     [OP_LT] = "<",        [OP_LE] = "<=",  [OP_GT] = ">",
        [OP_GE] = ">=", [OP_LIKE] = "LIKE", [OP_ILIKE] = "ILIKE", [OP_REGEX] = "~"
    };

    switch (x->op) {
    case OP_SQL:
        constant_sql(p, x);
        return;
    case OP_IS_NULL:
        str_addf(p->sql, "%s IS NULL", x->field->column);
        return;
    case OP_NOT_NULL:
        str_addf(p->sql, "%s IS NOT NULL", x->field->column);
        return;
    case OP_IN:
    case OP_NOT_IN:
        if (x->values_count == 0) {
            str_add(p->sql, x->op == OP_IN ? "false" : "true");
            return;
        }
        str_addf(p->sql, "%s %sIN (", x->field->column, x->op == OP_IN ? "" : "NOT ");
        value_list(p, x);
        str_add_char(p->sql, ')');
        return;
    default:
        str_addf(p->sql, "%s %s ", x->field->column, operators[x->op]);
        value(p, db_text(x->values_count == 0 ? NULL : x->values[0]));
    }
}

/* What a sort key is compared by: null sorts as the least value, so that a page can begin after it. */
static const char *
sort_expression(const struct list_plan *p, const struct field *field)
{
    if ((field->flags & F_NULL) == 0)
        return field->column;
    switch (field->type) {
    case T_INT:
    case T_NUMBER:
        return arena_printf(p->arena, "COALESCE(%s, 0)", field->column);
    case T_TIME:
        return arena_printf(p->arena, "COALESCE(%s, 'epoch')", field->column);
    case T_BOOL:
        return arena_printf(p->arena, "COALESCE(%s, false)", field->column);
    default:
        return arena_printf(p->arena, "COALESCE(%s, '')", field->column);
    }
}

static struct db_param
marker_value(const struct list_plan *p, const struct field *field, const void *row)
{
    unsigned index = (unsigned)(field - p->resource->schema->fields);

    if (!field_null(row, index))
        return resource_param(field, index, row, p->arena);
    switch (field->type) {
    case T_INT:
    case T_NUMBER:
        return db_text("0");
    case T_TIME:
        return db_text("epoch");
    case T_BOOL:
        return db_text("f");
    default:
        return db_text("");
    }
}

static const struct order_by *
key_at(const struct list_plan *p, size_t i, struct order_by *id)
{
    if (i < p->order_count)
        return &p->order[i];
    id->field = &p->resource->schema->fields[p->resource->id_field];
    /* The id follows the direction of the last key, so that equal rows page the same way. */
    id->descending = p->order_count > 0 && p->order[p->order_count - 1].descending;
    return id;
}

/* (a > $1) OR (a = $1 AND b > $2) OR ...: all rows after the marker in the order of the list. */
static void
after_marker(struct printer *p, const void *row)
{
    const struct list_plan *plan = p->plan;
    struct order_by id;

    str_add_char(p->sql, '(');
    for (size_t i = 0; i <= plan->order_count; i++) {
        str_add(p->sql, i == 0 ? "(" : " OR (");
        for (size_t j = 0; j <= i; j++) {
            const struct order_by *key = key_at(plan, j, &id);
            bool down = key->descending != plan->page_reverse;

            str_addf(p->sql, "%s%s %s ", j == 0 ? "" : " AND ", sort_expression(plan, key->field),
                     j < i  ? "="
                     : down ? "<"
                            : ">");
            value(p, marker_value(plan, key->field, row));
        }
        str_add_char(p->sql, ')');
    }
    str_add_char(p->sql, ')');
}

static void
order_by(struct printer *p)
{
    struct order_by id;

    str_add(p->sql, " ORDER BY ");
    for (size_t i = 0; i <= p->plan->order_count; i++) {
        const struct order_by *key = key_at(p->plan, i, &id);

        str_addf(p->sql, "%s%s%s", i == 0 ? "" : ", ", sort_expression(p->plan, key->field),
                 key->descending != p->plan->page_reverse ? " DESC" : "");
    }
}

void
list_plan_sql(const struct list_plan *p, const void *marker_row, struct str *sql,
              struct db_param **params, size_t *params_count)
{
    struct printer printer = { .plan = p, .sql = sql };
    bool first = true;

    str_add(sql, "SELECT ");
    resource_columns(p->resource, sql);
    str_addf(sql, " FROM %s", p->resource->table);
    if (p->scope != NULL) {
        *ARRAY_PUSH(p->arena, printer.params, printer.count, printer.capacity) = db_text(p->scope);
        str_add(sql, " WHERE ");
        resource_scope_condition(p->resource, printer.count, sql);
        first = false;
    }
    for (size_t i = 0; i < p->predicates_count; i++) {
        str_add(sql, first ? " WHERE " : " AND ");
        predicate(&printer, &p->predicates[i]);
        first = false;
    }
    if (marker_row != NULL) {
        str_add(sql, first ? " WHERE " : " AND ");
        after_marker(&printer, marker_row);
    }
    order_by(&printer);
    if (p->limit >= 0) {
        str_add(sql, " LIMIT ");
        value(&printer, db_int(p->arena, p->limit == INT64_MAX ? p->limit : p->limit + 1));
    }
    *params = printer.params;
    *params_count = printer.count;
}

static void
reverse(void **rows, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        void *other = rows[i];

        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = other;
    }
}

/* Is the statement one of few, so that it is worth keeping prepared? A list with many filters, or of many values, is parsed each time: a
 * client shall not fill the statement cache with its combinations. What the service itself adds is always the same. */
static bool
is_common(const struct list_plan *p)
{
    for (size_t i = 0; i < p->predicates_count; i++) {
        if (p->predicates[i].values_count > 4)
            return false;
    }
    return p->filters_count <= 1;
}

/* The row to begin after. It must be one that the list could show but for the client's own filters: what the service hides from the
 * caller is no marker for him either, or the answer would tell that it is there. */
static int
load_marker(struct db *db, const struct list_plan *p, void **ret, struct fault *f)
{
    const struct resource *r = p->resource;
    struct list_plan own = *p;
    void **rows;
    size_t count;
    bool more;

    own.predicates += p->filters_count;
    own.predicates_count -= p->filters_count;
    own.predicates_capacity = own.predicates_count; /* Adding copies them. */
    own.filters_count = 0;
    own.marker = NULL;
    own.limit = -1;
    list_plan_where(&own, r->schema->fields[r->id_field].name, OP_EQ, p->marker);
    if (list_plan_run(db, &own, &rows, &count, &more, f) < 0)
        return -1;
    if (count == 0)
        return resource_not_found(r, p->marker, f);
    *ret = rows[0];
    return 0;
}

int
list_plan_run(struct db *db, struct list_plan *p, void ***ret, size_t *ret_count, bool *ret_more,
              struct fault *f)
{
    const struct resource *r = p->resource;
    void *marker_row = NULL;
    _cleanup_(str_done) struct str sql = { 0 };
    struct db_param *params;
    struct db_result result;
    size_t params_count, count;
    void **rows;

    if (p->marker != NULL && load_marker(db, p, &marker_row, f) < 0)
        return -1;
    list_plan_sql(p, marker_row, &sql, &params, &params_count);
    if (db_run(db, is_common(p) ? resource_statement_name(&sql, p->arena) : NULL, str_text(&sql),
               params, params_count, &result, f) < 0)
        return -1;
    *ret_more = p->limit >= 0 && result.rows > (size_t)p->limit;
    count = *ret_more ? (size_t)p->limit : result.rows;
    rows = ARENA_ARRAY(p->arena, void *, count + 1);
    for (size_t i = 0; i < count; i++) {
        rows[i] = arena_alloc(p->arena, r->schema->size);
        if (resource_read_row(r, result.values[i], p->arena, rows[i], f) < 0)
            return -1;
    }
    if (p->page_reverse)
        reverse(rows, count);
    *ret = rows;
    *ret_count = count;
    return 0;
}
