/* Structs back into JSON: for the bus and for jsonb columns, where times are always RFC 3339 with microseconds. */
#include "../base/json.h"
#include "schema.h"

static bool
is_set(const struct field *field, unsigned index, const void *object)
{
    const void *at = field_at_const(field, object);

    if (field_given(object, index) || (field->flags & F_REQUIRED) != 0)
        return true;
    switch (field->type) { /* Filled by C code that marks nothing: what is not zero. */
    case T_TEXT:
    case T_JSON:
    case T_OBJECT:
        return *(void *const *)at != NULL;
    case T_INT:
    case T_TIME:
        return *(const int64_t *)at != 0;
    case T_NUMBER:
        return *(const double *)at != 0;
    case T_BOOL:
        return *(const bool *)at;
    case T_ENUM:
        return *(const int *)at != 0;
    case T_TEXTS:
        return ((const struct texts *)at)->count != 0;
    case T_OBJECTS:
        return *(void *const *)at != NULL;
    }
    return false;
}

static void
write_value(const struct field *field, const void *object, struct jsonw *w)
{
    const void *at = field_at_const(field, object);
    const struct texts *texts;
    const char *items;
    struct arena *a;
    size_t count;

    switch (field->type) {
    case T_TEXT:
        jsonw_text(w, field->name, *(const char *const *)at);
        break;
    case T_INT:
        jsonw_int(w, field->name, *(const int64_t *)at);
        break;
    case T_NUMBER:
        jsonw_double(w, field->name, *(const double *)at);
        break;
    case T_BOOL:
        jsonw_bool(w, field->name, *(const bool *)at);
        break;
    case T_TIME:
        a = arena_new();
        jsonw_text(w, field->name, clock_format(a, *(const int64_t *)at, CLOCK_MICRO_Z));
        arena_free(a);
        break;
    case T_ENUM:
        jsonw_text(w, field->name, field->names[*(const int *)at]);
        break;
    case T_TEXTS:
        texts = at;
        jsonw_array(w, field->name);
        for (size_t i = 0; i < texts->count; i++)
            jsonw_text(w, NULL, texts->items[i]);
        jsonw_end(w);
        break;
    case T_JSON:
        jsonw_json(w, field->name, *(json_t *const *)at);
        break;
    case T_OBJECT:
        if (*(void *const *)at == NULL)
            jsonw_null(w, field->name);
        else
            schema_write(field->object, *(void *const *)at, w, field->name);
        break;
    case T_OBJECTS:
        items = *(void *const *)at;
        count = *(const size_t *)(const void *)((const char *)object + field->count_offset);
        jsonw_array(w, field->name);
        for (size_t i = 0; i < count; i++)
            schema_write(field->object, items + i * field->object->size, w, NULL);
        jsonw_end(w);
        break;
    }
}

void
schema_write(const struct schema *s, const void *object, struct jsonw *w, const char *key)
{
    jsonw_object(w, key);
    for (unsigned i = 0; i < s->count; i++) {
        const struct field *field = &s->fields[i];

        if (field_given(object, i) && field_null(object, i))
            jsonw_null(w, field->name);
        else if (is_set(field, i, object))
            write_value(field, object, w);
    }
    jsonw_end(w);
}

json_t *
schema_json(const struct schema *s, const void *object, struct arena *a)
{
    struct str text = { 0 };
    struct jsonw w;
    json_t *value;

    jsonw_init(&w, &text);
    schema_write(s, object, &w, NULL);
    value = json_loadb(text.data, text.size, JSON_DECODE_ANY, NULL);
    str_done(&text);
    return json_own(a, value);
}
