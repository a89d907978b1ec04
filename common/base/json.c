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

char *
json_text(struct arena *a, const json_t *value)
{
    _cleanup_(str_done) struct str out = { 0 };
    struct jsonw w;

    jsonw_init(&w, &out);
    jsonw_json(&w, NULL, value);
    return arena_strndup(a, out.data, out.size);
}
