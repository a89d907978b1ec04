#include "../asserts.h"
#include "base/str.h"
#include "widget.h"

#define COLUMNS                                                                                    \
    "SELECT id, project_id, name, size_gb, enabled, color, tags, metadata, parts, created_at, "    \
    "note FROM widget"

static void
check(struct list_plan *p, const void *marker, const char *expected, size_t params_expected)
{
    _cleanup_(str_done) struct str sql = { 0 };
    struct db_param *params;
    size_t count;

    list_plan_sql(p, marker, &sql, &params, &count);
    assert_string_equal(str_text(&sql), expected);
    assert_int_equal(count, params_expected);
}

static void
test_printed(void **state)
{
    struct arena *a = arena_new();
    struct list_plan p = { .resource = &widget_resource, .arena = a, .limit = -1 };
    static const char *const values[] = { "a'; DROP TABLE widget; --", "b" };

    (void)state;
    check(&p, NULL, COLUMNS " ORDER BY id", 0);
    p.scope = "project";
    p.limit = 10;
    check(&p, NULL, COLUMNS " WHERE project_id = $1 ORDER BY id LIMIT $2", 2);
    list_plan_where(&p, "name", OP_EQ, values[0]);
    list_plan_where_in(&p, "color", values, 2);
    list_plan_where(&p, "size", OP_IS_NULL, NULL);
    list_plan_where_sql(&p, "id IN (SELECT x FROM y WHERE z = %1 OR z = %2)", values, 2);
    p.limit = -1;
    check(&p, NULL,
          COLUMNS " WHERE project_id = $1 AND name = $2 AND color IN ($3, $4) AND size_gb IS NULL"
                  " AND (id IN (SELECT x FROM y WHERE z = $5 OR z = $6)) ORDER BY id",
          6);
    arena_free(a);
}

static void
test_empty_in(void **state)
{
    struct arena *a = arena_new();
    struct list_plan p = { .resource = &widget_resource, .arena = a, .limit = -1 };

    (void)state;
    list_plan_where_in(&p, "id", NULL, 0);
    check(&p, NULL, COLUMNS " WHERE false ORDER BY id", 0);
    arena_free(a);
}

/* A page begins after the marker in the order of the list, whichever way each key goes; a null sorts as the least value. */
static void
test_pages(void **state)
{
    struct arena *a = arena_new();
    struct list_plan p = { .resource = &widget_resource, .arena = a, .limit = -1 };
    struct widget marker = { .id = "m", .size = 3, .created_at = 1 };

    (void)state;
    field_mark(&marker.set, WIDGET_F_ID);
    field_mark(&marker.set, WIDGET_F_CREATED_AT);
    field_mark_null(&marker.set, WIDGET_F_SIZE);
    p.order[0] = (struct order_by){ &widget_fields[WIDGET_F_SIZE], false };
    p.order[1] = (struct order_by){ &widget_fields[WIDGET_F_CREATED_AT], true };
    p.order_count = 2;
    check(&p, &marker,
          COLUMNS
          " WHERE ((COALESCE(size_gb, 0) > $1) OR (COALESCE(size_gb, 0) = $2 AND created_at < $3)"
          " OR (COALESCE(size_gb, 0) = $4 AND created_at = $5 AND id < $6))"
          " ORDER BY COALESCE(size_gb, 0), created_at DESC, id DESC",
          6);
    p.page_reverse = true;
    check(&p, &marker,
          COLUMNS
          " WHERE ((COALESCE(size_gb, 0) < $1) OR (COALESCE(size_gb, 0) = $2 AND created_at > $3)"
          " OR (COALESCE(size_gb, 0) = $4 AND created_at = $5 AND id > $6))"
          " ORDER BY COALESCE(size_gb, 0) DESC, created_at, id",
          6);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_printed),
                                        cmocka_unit_test(test_empty_in),
                                        cmocka_unit_test(test_pages) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
