#include "json.h"

#include <stdlib.h>

#include "array.h"
#include "jsonw.h"
#include "str.h"

#define DEEPEST 64

/* Before jansson sees it: its own limit on nesting is fixed, and far above what any API needs. */
static bool
nested_too_deep(const char *data, size_t size)
{
    unsigned depth = 0;
    bool in_text = false;

    for (size_t i = 0; i < size; i++) {
        char c = data[i];

        if (in_text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEEPEST)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static int
read_document(struct arena *a, const char *data, size_t size, json_t **ret,
              enum json_error_code *ret_code, struct fault *f)
{
    json_error_t error;
    json_t *value;
    char *near;

    if (nested_too_deep(data, size))
        return fault_raise(f, FAULT_INVALID, "Malformed JSON: nested deeper than %d.", DEEPEST);
    value = json_loadb(data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        *ret_code = json_error_code(&error);
        /* What is near the error may be a password, and faults are logged. */
        near = strstr(error.text, " near '");
        if (near != NULL)
            *near = '\0';
        return fault_raise(f, FAULT_INVALID, "Malformed JSON: line %d, column %d: %s.", error.line,
                           error.column, error.text);
    }
    *ret = json_own(a, value);
    return 0;
}

int
json_read(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f)
{
    enum json_error_code code = json_error_unknown;

    return read_document(a, data, size, ret, &code, f);
}

/* --- Integers of more than 63 bits */

struct wide {
    const char *
        *texts; /* Of integers that are the greatest or the least, in the document's order. */
    const json_t **values; /* These integers. */
    size_t count, capacity, found;
};

/* Only marks what arena_deferred() finds: it is the arena's memory. */
static void
forget(void *wide)
{
    (void)wide;
}

/* Writes the nearest that has 63 bits over an integer that has more, and so as many characters or more. */
static void
narrow(struct arena *a, struct wide *wide, char *data, size_t size)
{
    char *text = arena_strndup(a, data, size);
    const char *nearest = text[0] == '-' ? "-9223372036854775808" : "9223372036854775807";
    const char *digits = text + (text[0] == '-');
    int64_t value;

    if (size < strlen(nearest) || digits[0] == '0' || digits[strspn(digits, "0123456789")] != '\0')
        return; /* Not too large, or a fraction, or no number at all. */
    if (str_to_int64(text, INT64_MIN, INT64_MAX, &value) < 0) {
        for (size_t i = 0; i < size; i++)
            data[i] = i < strlen(nearest) ? nearest[i] : ' ';
    } else if (value != INT64_MIN && value != INT64_MAX) {
        return;
    }
    wide->texts = array_grow(a, wide->texts, wide->count, &wide->capacity, sizeof(*wide->texts));
    wide->texts[wide->count++] = text;
}

static bool
is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static void
narrow_all(struct arena *a, struct wide *wide, char *data, size_t size)
{
    bool in_text = false;

    for (size_t i = 0, end; i < size; i++) {
        if (data[i] == '\\' && in_text)
            i++;
        else if (data[i] == '"')
            in_text = !in_text;
        if (in_text || (data[i] != '-' && (data[i] < '0' || data[i] > '9')))
            continue;
        for (end = i; end < size && is_of_number(data[end]);)
            end++;
        narrow(a, wide, data + i, end - i);
        i = end - 1;
    }
}

/* In the document's order, which jansson keeps. */
static void
find_wide(struct wide *wide, const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item) find_wide(wide, item);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item) find_wide(wide, item);
    } else if (json_is_integer(value) && wide->found < wide->count &&
               (json_integer_value(value) == INT64_MAX || json_integer_value(value) == INT64_MIN)) {
        wide->values[wide->found++] = value;
    }
}

int
json_read_wide(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f)
{
    enum json_error_code code = json_error_unknown;
    struct wide *wide;
    char *copy;

    if (read_document(a, data, size, ret, &code, f) >= 0)
        return 0;
    if (code != json_error_numeric_overflow)
        return -1;
    copy = arena_memdup(a, data, size);
    wide = ARENA_NEW(a, struct wide);
    narrow_all(a, wide, copy, size);
    fault_clear(f);
    if (read_document(a, copy, size, ret, &code, f) < 0)
        return -1;
    wide->values = ARENA_ARRAY(a, const json_t *, wide->count + 1);
    find_wide(wide, *ret);
    arena_defer(a, forget, wide);
    return 0;
}

/* NULL: it is as it looks. */
static const char *
wide_digits(const struct arena *a, const json_t *value)
{
    const struct wide *wide = arena_deferred(a, forget);

    for (size_t i = 0; wide != NULL && i < wide->found; i++) {
        if (wide->values[i] == value)
            return wide->texts[i];
    }
    return NULL;
}

double
json_wide_number(struct arena *a, const json_t *value)
{
    const char *digits = json_is_integer(value) ? wide_digits(a, value) : NULL;

    return digits == NULL ? json_number_value(value) : strtod(digits, NULL);
}

const char *
json_wide_text(struct arena *a, int64_t value)
{
    const struct wide *wide = arena_deferred(a, forget);

    for (size_t i = 0; wide != NULL && i < wide->found; i++) {
        if (json_integer_value(wide->values[i]) == value)
            return wide->texts[i];
    }
    return arena_printf(a, "%lld", (long long)value);
}

static void
release(void *value)
{
    json_decref(value);
}

json_t *
json_own(struct arena *a, json_t *value)
{
    if (value != NULL)
        arena_defer(a, release, value);
    return value;
}

const char *
json_get_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t
json_get_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool
json_get_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool
json_has_text(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (json_is_string(item) && str_equal(json_string_value(item), text))
            return true;
    }
    return false;
}

char *
json_text(struct arena *a, const json_t *value)
{
    _cleanup_(str_done) struct str out = { 0 };
    struct jsonw w;

    jsonw_init(&w, &out);
    jsonw_json(&w, NULL, value);
    return arena_strndup(a, out.data, out.size);
}

static void
add_repr_text(struct str *out, const char *text)
{
    char quote = strchr(text, '\'') != NULL && strchr(text, '"') == NULL ? '"' : '\'';

    str_add_char(out, quote);
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            str_add(out, "\\n");
        else if (*text == '\t')
            str_add(out, "\\t");
        else if ((unsigned char)*text < ' ')
            str_addf(out, "\\x%02x", (unsigned)*text);
        else if (*text == '\\' || *text == quote)
            str_addf(out, "\\%c", *text);
        else
            str_add_char(out, *text);
    }
    str_add_char(out, quote);
}

/* With as few digits as tell it from its neighbours, and always as a fraction. */
static void
add_repr_real(struct str *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) >= value && strtod(text, NULL) <= value)
            break;
    }
    str_addf(out, "%s%s", text, text[strcspn(text, ".en")] == '\0' ? ".0" : "");
}

static void
add_repr(struct arena *a, struct str *out, const json_t *value)
{
    const char *key, *between = "";
    json_t *item;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        str_add_char(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            str_add(out, between);
            add_repr_text(out, key);
            str_add(out, ": ");
            add_repr(a, out, item);
            between = ", ";
        }
        str_add_char(out, '}');
        break;
    case JSON_ARRAY:
        str_add_char(out, '[');
        json_array_foreach((json_t *)(uintptr_t)value, i, item)
        {
            str_add(out, between);
            add_repr(a, out, item);
            between = ", ";
        }
        str_add_char(out, ']');
        break;
    case JSON_STRING:
        add_repr_text(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        if (wide_digits(a, value) != NULL)
            str_add(out, wide_digits(a, value));
        else
            str_addf(out, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        add_repr_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        str_add(out, "True");
        break;
    case JSON_FALSE:
        str_add(out, "False");
        break;
    case JSON_NULL:
        str_add(out, "None");
        break;
    }
}

char *
json_repr(struct arena *a, const json_t *value)
{
    _cleanup_(str_done) struct str out = { 0 };

    if (value == NULL)
        return arena_strdup(a, "None");
    add_repr(a, &out, value);
    return arena_strndup(a, out.data, out.size);
}
