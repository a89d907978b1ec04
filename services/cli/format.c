/* Values as the openstack client writes them. */
#include "base/json.h"
#include "output.h"

static void
add_scalar(struct str *s, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        str_add(s, json_string_value(value));
        break;
    case JSON_INTEGER:
        str_addf(s, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: {
        char text[64];

        snprintf(text, sizeof(text), "%.12g", json_real_value(value));
        str_addf(s, "%s%s", text, strpbrk(text, ".en") == NULL ? ".0" : "");
        break;
    }
    case JSON_TRUE:
        str_add(s, "True");
        break;
    case JSON_FALSE:
        str_add(s, "False");
        break;
    case JSON_NULL:
        str_add(s, "None");
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
}

static void
add_repr(struct str *s, const json_t *value)
{
    const json_t *inner;
    const char *key;
    size_t i;
    bool first = true;

    if (json_is_array(value)) {
        str_add_char(s, '[');
        json_array_foreach(value, i, inner)
        {
            str_add(s, i > 0 ? ", " : "");
            add_repr(s, inner);
        }
        str_add_char(s, ']');
    } else if (json_is_object(value)) {
        str_add_char(s, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            str_addf(s, "%s'%s': ", first ? "" : ", ", key);
            add_repr(s, inner);
            first = false;
        }
        str_add_char(s, '}');
    } else if (json_is_string(value)) {
        str_addf(s, strchr(json_string_value(value), '\'') != NULL ? "\"%s\"" : "'%s'",
                 json_string_value(value));
    } else {
        add_scalar(s, value);
    }
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* key='value', sorted; of objects in it "key.inner='value'". */
static void
add_pairs(struct arena *a, struct str *s, const json_t *object, const char *prefix)
{
    const char **keys = ARENA_ARRAY(a, const char *, json_object_size(object) + 1), *key;
    size_t count = 0;
    const json_t *inner;

    json_object_foreach((json_t *)(uintptr_t)object, key, inner)
    {
        keys[count++] = key;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < count; i++) {
        inner = json_object_get(object, keys[i]);
        if (json_is_object(inner) && json_object_size(inner) > 0) {
            add_pairs(a, s, inner, arena_printf(a, "%s%s.", prefix, keys[i]));
            continue;
        }
        str_addf(s, "%s%s%s='", s->size > 0 && s->data[s->size - 1] != '\n' ? ", " : "", prefix,
                 keys[i]);
        if (json_is_array(inner))
            add_repr(s, inner);
        else
            add_scalar(s, inner);
        str_add_char(s, '\'');
    }
}

static void
add_human(struct arena *a, struct str *s, const json_t *value)
{
    const json_t *inner;
    size_t i;

    if (json_is_object(value)) {
        add_pairs(a, s, value, "");
        return;
    }
    if (!json_is_array(value)) {
        add_scalar(s, value);
        return;
    }
    json_array_foreach(value, i, inner)
    {
        if (i > 0)
            str_add(s, json_is_object(inner) ? "\n" : ", ");
        if (json_is_object(inner))
            add_pairs(a, s, inner, "");
        else if (json_is_array(inner))
            add_repr(s, inner);
        else
            add_scalar(s, inner);
    }
}

char *
format_human(struct arena *a, const json_t *value)
{
    _cleanup_(str_done) struct str s = { 0 };

    add_human(a, &s, value);
    return arena_strdup(a, str_text(&s));
}

char *
format_machine(struct arena *a, const json_t *value)
{
    _cleanup_(str_done) struct str s = { 0 };

    if (json_is_object(value) || json_is_array(value))
        add_repr(&s, value);
    else
        add_scalar(&s, value);
    return arena_strdup(a, str_text(&s));
}
