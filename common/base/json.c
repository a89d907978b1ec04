#include "json.h"

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

int
json_read(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f)
{
    json_error_t error;
    json_t *value;
    char *near;

    if (nested_too_deep(data, size))
        return fault_raise(f, FAULT_INVALID, "Malformed JSON: nested deeper than %d.", DEEPEST);
    value = json_loadb(data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
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
add_repr(struct str *out, const json_t *value)
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
            add_repr(out, item);
            between = ", ";
        }
        str_add_char(out, '}');
        break;
    case JSON_ARRAY:
        str_add_char(out, '[');
        json_array_foreach((json_t *)(uintptr_t)value, i, item)
        {
            str_add(out, between);
            add_repr(out, item);
            between = ", ";
        }
        str_add_char(out, ']');
        break;
    case JSON_STRING:
        add_repr_text(out, json_string_value(value));
        break;
    case JSON_INTEGER:
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
    add_repr(&out, value);
    return arena_strndup(a, out.data, out.size);
}
