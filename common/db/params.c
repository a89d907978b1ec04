/* Values of C as PostgreSQL's texts, for parameters. */
#include <inttypes.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/str.h"
#include "db.h"

struct db_param
db_text(const char *value)
{
    return (struct db_param){ value };
}

struct db_param
db_int(struct arena *a, int64_t value)
{
    return (struct db_param){ arena_printf(a, "%" PRId64, value) };
}

struct db_param
db_double(struct arena *a, double value)
{
    return (struct db_param){ arena_printf(a, "%.17g", value) };
}

struct db_param
db_bool(bool value)
{
    return (struct db_param){ value ? "t" : "f" };
}

struct db_param
db_time(struct arena *a, int64_t us)
{
    return (struct db_param){ clock_format(a, us, CLOCK_MICRO_Z) };
}

struct db_param
db_json(struct arena *a, const json_t *value)
{
    return (struct db_param){ value == NULL ? NULL : json_text(a, value) };
}

/* {"a","say \"hi\"",NULL}: section "Array Input and Output Syntax" of the manual. */
struct db_param
db_texts(struct arena *a, const struct texts *value)
{
    _cleanup_(str_done) struct str out = { 0 };

    if (value == NULL)
        return (struct db_param){ NULL };
    str_add_char(&out, '{');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            str_add_char(&out, ',');
        if (value->items[i] == NULL) {
            str_add(&out, "NULL");
            continue;
        }
        str_add_char(&out, '"');
        for (const char *c = value->items[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                str_add_char(&out, '\\');
            str_add_char(&out, *c);
        }
        str_add_char(&out, '"');
    }
    str_add_char(&out, '}');
    return (struct db_param){ arena_strdup(a, str_text(&out)) };
}
