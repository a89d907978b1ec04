#include "service.h"

#include "base/clock.h"
#include "base/str.h"

int
invalid_input(struct fault *f, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return fault_raise_code(f, FAULT_INVALID, "InvalidInput", "Invalid input for operation: %s.",
                            text);
}

void
standard_filters(struct call *call, struct list_plan *plan)
{
    static const struct {
        const char *name, *sql;
    } table[] = {
        { "tags", "string_to_array(%1, ',') <@ ARRAY(SELECT jsonb_array_elements_text(tags))" },
        { "tags-any", "string_to_array(%1, ',') && ARRAY(SELECT jsonb_array_elements_text(tags))" },
        { "not-tags",
          "NOT string_to_array(%1, ',') <@ ARRAY(SELECT jsonb_array_elements_text(tags))" },
        { "not-tags-any",
          "NOT string_to_array(%1, ',') && ARRAY(SELECT jsonb_array_elements_text(tags))" },
    };
    const char *since = call_query(call, "changed_since");
    int64_t us;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *text = call_query(call, table[i].name);

        if (text != NULL)
            list_plan_where_sql(plan, table[i].sql, &text, 1);
    }
    if (since != NULL && clock_parse(since, &us) == 0) {
        const char *text = clock_format(call->arena, us, CLOCK_MICRO_Z);

        list_plan_where_sql(plan, "updated_at >= %1::timestamptz", &text, 1);
    }
}

char *
join_texts(struct arena *a, const struct texts *texts)
{
    struct str s = { 0 };
    char *copy;

    for (size_t i = 0; i < texts->count; i++)
        str_addf(&s, "%s%s", i == 0 ? "" : ", ", texts->items[i]);
    copy = arena_strdup(a, str_text(&s));
    str_done(&s);
    return copy;
}
