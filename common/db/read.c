/* PostgreSQL's texts as values of C, for results. */
#include <string.h>

#include "../base/array.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/str.h"
#include "db.h"

/* The value stays out of the fault: it may be a secret. */
static int
raise_not(const char *what, struct fault *f)
{
    return fault_raise_cause(f, "database: a column's value isn't %s", what);
}

int
db_unexpected_null(const char *column, struct fault *f)
{
    return fault_raise_cause(f, "database: %s is NULL, which its signature excludes", column);
}

int
db_read_int(const char *value, int64_t *ret, struct fault *f)
{
    int64_t number = 0;

    if (value != NULL && str_to_int64(value, INT64_MIN, INT64_MAX, &number) < 0)
        return raise_not("an integer", f);
    *ret = number;
    return 0;
}

int
db_read_int4(const char *value, int32_t *ret, struct fault *f)
{
    int64_t number = 0;

    if (value != NULL && str_to_int64(value, INT32_MIN, INT32_MAX, &number) < 0)
        return raise_not("an integer of 32 bits", f);
    *ret = (int32_t)number;
    return 0;
}

int
db_read_double(const char *value, double *ret, struct fault *f)
{
    double number = 0;

    if (value != NULL && str_to_double(value, &number) < 0)
        return raise_not("a number", f);
    *ret = number;
    return 0;
}

int
db_read_bool(const char *value, bool *ret, struct fault *f)
{
    if (value != NULL && !str_equal(value, "t") && !str_equal(value, "f"))
        return raise_not("a boolean", f);
    *ret = value != NULL && value[0] == 't';
    return 0;
}

int
db_read_time(const char *value, int64_t *ret_us, struct fault *f)
{
    int64_t time_us = 0;

    if (value != NULL && clock_parse(value, &time_us) < 0)
        return raise_not("a time", f);
    *ret_us = time_us;
    return 0;
}

int
db_read_json(struct arena *a, const char *value, json_t **ret, struct fault *f)
{
    json_t *json = NULL;

    if (value != NULL && value[0] == '{' && str_equal(value, "{}"))
        json = json_own(a, json_object()); /* Most are empty. */
    else if (value != NULL && value[0] == '[' && str_equal(value, "[]"))
        json = json_own(a, json_array());
    else if (value != NULL && json_read(a, value, strlen(value), &json, f) < 0)
        return raise_not("JSON that can be read", f);
    *ret = json;
    return 0;
}

/* One element at 'at', which ends at a comma or at the brace: its text, unescaped, or NULL in 'ret'. Returns what
 * follows it, or NULL when it isn't one. */
static const char *
read_element(struct arena *a, const char *at, const char **ret)
{
    _cleanup_(str_done) struct str text = { 0 };
    bool quoted = *at == '"';

    if (quoted)
        at++;
    for (; quoted ? *at != '"' : *at != ',' && *at != '}'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0' || (!quoted && (*at == '{' || *at == '"')))
            return NULL;
        str_add_char(&text, *at);
    }
    if (!quoted && str_equal_nocase(str_text(&text), "NULL"))
        *ret = NULL;
    else
        *ret = arena_strdup(a, str_text(&text));
    return quoted ? at + 1 : at;
}

int
db_read_texts(struct arena *a, const char *value, struct texts *ret, struct fault *f)
{
    struct texts texts = { 0 };
    size_t capacity = 0;
    const char *at = value;

    if (value != NULL && !str_equal(value, "{}")) {
        if (*at != '{')
            return raise_not("an array", f);
        do {
            const char **item = ARRAY_PUSH(a, texts.items, texts.count, capacity);

            at = read_element(a, at + 1, item);
        } while (at != NULL && *at == ',');
        if (at == NULL || !str_equal(at, "}"))
            return raise_not("an array of one dimension", f);
    }
    *ret = texts;
    return 0;
}
