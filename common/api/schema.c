/* Parsing by table: one pass over the members the client sent, then one over the fields that must be there. */
#include "schema.h"

#include <math.h>
#include <pthread.h>
#include <regex.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/map.h"
#include "../base/str.h"

struct parse {
    enum schema_mode mode;
    int version;
    struct arena *arena;
    struct fault *f;
};

static int parse_object(struct parse *p, const struct schema *s, const json_t *json,
                        const char *path, void *ret);

/* --- Patterns are compiled once per process, by their text. */

static pthread_mutex_t patterns_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct map *patterns GUARDED_BY(patterns_mutex);

static const regex_t *
pattern_get(const char *text)
{
    regex_t *re;

    pthread_mutex_lock(&patterns_mutex);
    if (patterns == NULL)
        patterns = map_new(NULL);
    re = map_get(patterns, text);
    if (re == NULL) {
        re = calloc(1, sizeof(*re));
        if (re == NULL || regcomp(re, text, REG_EXTENDED | REG_NOSUB) != 0)
            abort(); /* A pattern of our own that does not compile; the unit test of each service's tables finds it. */
        map_set(patterns, text, re);
    }
    pthread_mutex_unlock(&patterns_mutex);
    return re;
}

/* --- Values */

static int
wrong_type(struct parse *p, const char *path, const json_t *value, const char *wanted)
{
    return fault_keyword(
        p->f, "type",
        fault_raise_field(
            p->f, path,
            "Invalid input for field/attribute %s. Value: %.200s. %.200s is not of type '%s'", path,
            json_text(p->arena, value), json_repr(p->arena, value), wanted));
}

static int
enum_value(const char *const *names, const char *text)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (str_equal(names[i], text))
            return i;
    }
    return -1;
}

/* A text, or one of an array of texts. */
static int
check_text(const struct field *field, const char *text, int64_t min, int64_t max, const char *path,
           struct fault *f)
{
    size_t length = str_utf8_length(text);

    if (min >= 0 && length < (size_t)min)
        return fault_keyword(
            f, "minLength",
            fault_raise_field(
                f, path,
                "Invalid input for field/attribute %s. Value: %.200s. '%.200s' is too short", path,
                text, text));
    if (max >= 0 && length > (size_t)max)
        return fault_keyword(
            f, "maxLength",
            fault_raise_field(
                f, path,
                "Invalid input for field/attribute %s. Value: %.200s. '%.200s' is too long", path,
                text, text));
    if (field->pattern != NULL && regexec(pattern_get(field->pattern), text, 0, NULL, 0) != 0)
        return fault_keyword(
            f, "pattern",
            fault_raise_field(f, path,
                              "Invalid input for field/attribute %s. Value: %.200s. "
                              "'%.200s' does not match '%s'",
                              path, text, text, field->pattern));
    return 0;
}

int
schema_check_text(const struct field *field, const char *text, const char *path, struct fault *f)
{
    int r;

    if (check_text(field, text, field->min_length, field->max_length, path, f) < 0)
        return -1;
    r = schema_check_format(field->format, text, path, f);
    return r < 0 ? fault_keyword(f, "format", r) : r;
}

static int
parse_text(struct parse *p, const struct field *field, const json_t *value, const char *path,
           const char **ret)
{
    const char *text = json_string_value(value);

    if (text == NULL && (field->flags & F_COERCE) != 0 && json_is_integer(value))
        text = arena_printf(p->arena, "%lld", (long long)json_integer_value(value));
    if (text == NULL)
        return wrong_type(p, path, value, "string");
    text = arena_strdup(p->arena, text);
    if (p->mode != SCHEMA_TRUSTED && schema_check_text(field, text, path, p->f) < 0)
        return -1;
    *ret = text;
    return 0;
}

static const char *
number_text(struct parse *p, double value)
{
    if (fabs(value) < 9e15 && floor(value) >= value)
        return arena_printf(p->arena, "%.0f", value);
    return json_repr(p->arena, json_own(p->arena, json_real(value)));
}

/* 'json' as it came: what is too large for a double to tell apart is shown by its digits. */
static int
check_number(struct parse *p, const struct field *field, const json_t *json, double value,
             const char *path)
{
    const char *shown;

    if (p->mode == SCHEMA_TRUSTED)
        return 0;
    if ((!field->has_min || value >= field->min) && (!field->has_max || value <= field->max))
        return 0;
    shown = json_is_integer(json) ? json_repr(p->arena, json) : number_text(p, value);
    if (field->has_min && value < field->min)
        return fault_keyword(
            p->f, "minimum",
            fault_raise_field(p->f, path,
                              "Invalid input for field/attribute %s. Value: %s. %s is less "
                              "than the minimum of %s",
                              path, shown, shown, number_text(p, field->min)));
    return fault_keyword(p->f, "maximum",
                         fault_raise_field(p->f, path,
                                           "Invalid input for field/attribute %s. Value: %s. %s is "
                                           "greater than the maximum of %s",
                                           path, shown, shown, number_text(p, field->max)));
}

static int
parse_int(struct parse *p, const struct field *field, const json_t *value, const char *path,
          int64_t *ret)
{
    int64_t number;

    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value) &&
             fabs(json_real_value(value)) < 9e15)
        number = (int64_t)json_real_value(value); /* 10.0 is an integer in JSON Schema. */
    else if (!((field->flags & F_COERCE) != 0 && json_is_string(value) &&
               str_to_int64(json_string_value(value), INT64_MIN, INT64_MAX, &number) == 0))
        return wrong_type(p, path, value, "integer");
    if (check_number(p, field, value, (double)number, path) < 0)
        return -1;
    *ret = number;
    return 0;
}

static int
parse_number(struct parse *p, const struct field *field, const json_t *value, const char *path,
             double *ret)
{
    double number;

    if (json_is_number(value))
        number = json_wide_number(p->arena, value);
    else if (!((field->flags & F_COERCE) != 0 && json_is_string(value) &&
               str_to_double(json_string_value(value), &number) == 0))
        return wrong_type(p, path, value, "number");
    if (!isfinite(number))
        return wrong_type(p, path, value, "number");
    if (check_number(p, field, value, number, path) < 0)
        return -1;
    *ret = number;
    return 0;
}

static int
parse_bool(struct parse *p, const struct field *field, const json_t *value, const char *path,
           bool *ret)
{
    if (json_is_boolean(value))
        *ret = json_is_true(value);
    else if (!((field->flags & F_COERCE) != 0 &&
               ((json_is_string(value) && str_to_bool(json_string_value(value), ret) == 0) ||
                (json_is_integer(value) &&
                 str_to_bool(arena_printf(p->arena, "%lld", (long long)json_integer_value(value)),
                             ret) == 0))))
        return wrong_type(p, path, value, "boolean");
    return 0;
}

static int
check_count(struct parse *p, const struct field *field, const json_t *value, const char *path)
{
    size_t count = json_array_size(value);

    if (p->mode == SCHEMA_TRUSTED)
        return 0;
    if (field->min_length >= 0 && count < (size_t)field->min_length)
        return fault_keyword(
            p->f, "minItems",
            fault_raise_field(
                p->f, path,
                "Invalid input for field/attribute %s. Value: %.200s. %.200s is too short", path,
                json_text(p->arena, value), json_repr(p->arena, value)));
    if (field->max_length >= 0 && count > (size_t)field->max_length)
        return fault_keyword(
            p->f, "maxItems",
            fault_raise_field(
                p->f, path,
                "Invalid input for field/attribute %s. It has %zu items, more than %lld.", path,
                count, (long long)field->max_length));
    if ((field->flags & F_UNIQUE_ITEMS) == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (json_equal(json_array_get(value, i), json_array_get(value, j)))
                return fault_keyword(
                    p->f, "uniqueItems",
                    fault_raise_field(p->f, path,
                                      "Invalid input for field/attribute %s. Value: %.200s. "
                                      "%.200s has non-unique elements",
                                      path, json_text(p->arena, value),
                                      json_repr(p->arena, value)));
        }
    }
    return 0;
}

static int
parse_texts(struct parse *p, const struct field *field, const json_t *value, const char *path,
            struct texts *ret)
{
    struct texts texts = { 0 };

    if (!json_is_array(value))
        return wrong_type(p, path, value, "array");
    if (check_count(p, field, value, path) < 0)
        return -1;
    texts.count = json_array_size(value);
    texts.items = ARENA_ARRAY(p->arena, const char *, texts.count + 1);
    for (size_t i = 0; i < texts.count; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        const char *at = arena_printf(p->arena, "%s.%zu", path, i);

        if (text == NULL)
            return wrong_type(p, at, json_array_get(value, i), "string");
        if (p->mode != SCHEMA_TRUSTED &&
            check_text(field, text, field->item_min, field->item_max == 0 ? -1 : field->item_max,
                       at, p->f) < 0)
            return -1;
        texts.items[i] = arena_strdup(p->arena, text);
    }
    *ret = texts;
    return 0;
}

static int
parse_json(struct parse *p, const struct field *field, const json_t *value, const char *path,
           json_t **ret)
{
    const char *key;
    json_t *member;

    if ((field->flags & F_ANY_OBJECT) != 0 && !json_is_object(value))
        return wrong_type(p, path, value, "object");
    if ((field->flags & F_ANY_ARRAY) != 0) {
        if (!json_is_array(value))
            return wrong_type(p, path, value, "array");
        if (check_count(p, field, value, path) < 0)
            return -1;
    }
    if ((field->flags & F_TEXT_VALUES) != 0 && p->mode != SCHEMA_TRUSTED) {
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            const char *at = arena_printf(p->arena, "%s.%s", path, key);

            if (key[0] == '\0' || str_utf8_length(key) > 255)
                return fault_raise_field(
                    p->f, at,
                    "Invalid input for field/attribute %s. Keys have 1 to 255 characters.", path);
            if (!json_is_string(member))
                return wrong_type(p, at, member, "string");
            if (str_utf8_length(json_string_value(member)) > 255)
                return fault_raise_field(p->f, at,
                                         "Invalid input for field/attribute %s. Value is too long.",
                                         at);
        }
    }
    *ret = json_own(p->arena, json_incref((json_t *)(uintptr_t)value));
    return 0;
}

static int
parse_objects(struct parse *p, const struct field *field, const json_t *value, const char *path,
              void *object)
{
    size_t count, size = field->object->size;
    char *items;

    if (!json_is_array(value))
        return wrong_type(p, path, value, "array");
    if (check_count(p, field, value, path) < 0)
        return -1;
    count = json_array_size(value);
    items = arena_calloc(p->arena, count + 1, size);
    for (size_t i = 0; i < count; i++) {
        if (parse_object(p, field->object, json_array_get(value, i),
                         arena_printf(p->arena, "%s.%zu", path, i), items + i * size) < 0)
            return -1;
    }
    *(void **)field_at(field, object) = items;
    *(size_t *)(void *)((char *)object + field->count_offset) = count;
    return 0;
}

static int
parse_value(struct parse *p, const struct field *field, const json_t *value, const char *path,
            void *object)
{
    void *at = field_at(field, object);
    void *part;
    const char *text;
    int n;

    switch (field->type) {
    case T_TEXT:
        return parse_text(p, field, value, path, at);
    case T_INT:
        return parse_int(p, field, value, path, at);
    case T_NUMBER:
        return parse_number(p, field, value, path, at);
    case T_BOOL:
        return parse_bool(p, field, value, path, at);
    case T_TIME:
        text = json_string_value(value);
        if (text == NULL || clock_parse(text, at) < 0)
            return wrong_type(p, path, value, "date-time");
        return 0;
    case T_ENUM:
        text = json_string_value(value);
        n = text == NULL ? -1 : enum_value(field->names, text);
        if (n < 0) {
            struct str words = { 0 };

            for (size_t i = 0; field->names[i] != NULL; i++)
                str_addf(&words, "%s'%s'", i == 0 ? "" : ", ", field->names[i]);
            fault_raise_field(
                p->f, path,
                "Invalid input for field/attribute %s. Value: %.200s. %.200s is not one of [%s]",
                path, text == NULL ? json_text(p->arena, value) : text, json_text(p->arena, value),
                str_text(&words));
            str_done(&words);
            return fault_keyword(p->f, "enum", -1);
        }
        *(int *)at = n;
        return 0;
    case T_TEXTS:
        return parse_texts(p, field, value, path, at);
    case T_JSON:
        return parse_json(p, field, value, path, at);
    case T_OBJECT:
        part = arena_alloc(p->arena, field->object->size);
        if (parse_object(p, field->object, value, path, part) < 0)
            return -1;
        *(void **)at = part;
        return 0;
    case T_OBJECTS:
        return parse_objects(p, field, value, path, object);
    }
    return -1;
}

static bool
in_version(const struct field *field, int version)
{
    return version == 0 || ((field->since == 0 || version >= field->since) &&
                            (field->until == 0 || version <= field->until));
}

/* The field that 'name' means at this version; two shapes of one member have disjoint ranges. */
static const struct field *
find_field(struct parse *p, const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (str_equal(s->fields[i].name, name) && in_version(&s->fields[i], p->version) &&
            (s->fields[i].flags & F_SPREAD) == 0)
            return &s->fields[i];
    }
    return NULL;
}

/* The field that collects members without a field of their own; NULL: there is none. */
static const struct field *
find_spread(const struct schema *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if ((s->fields[i].flags & F_SPREAD) != 0)
            return &s->fields[i];
    }
    return NULL;
}

static const char *
join(struct parse *p, const char *path, const char *name)
{
    return path == NULL || path[0] == '\0' ? name : arena_printf(p->arena, "%s.%s", path, name);
}

static int
parse_spread(struct parse *p, const struct field *field, unsigned index, const char *name,
             const json_t *value, const char *path, void *ret)
{
    json_t **at = field_at(field, ret);

    if (name[0] == '\0' || str_utf8_length(name) > 255)
        return fault_raise_field(
            p->f, path, "Invalid input for field/attribute %.300s. Keys have 1 to 255 characters.",
            path);
    if ((field->flags & F_SPREAD_ANY) != 0 && str_equal(name, "links"))
        return 0; /* What a client sends back of an answer. */
    if ((field->flags & F_SPREAD_ANY) == 0 && !json_is_string(value))
        return wrong_type(p, path, value, "string");
    if (field->max_length >= 0 && json_is_string(value) &&
        str_utf8_length(json_string_value(value)) > (size_t)field->max_length)
        return fault_raise_field(p->f, path,
                                 "Invalid input for field/attribute %.300s. Value is too long.",
                                 path);
    if (!field_given((struct field_set *)ret, index))
        *at = json_own(p->arena, json_object());
    json_object_set(*at, name, (json_t *)(uintptr_t)value);
    field_mark(ret, index);
    return 0;
}

static const char *
type_name(const struct field *field)
{
    switch (field->type) {
    case T_BOOL:
        return "boolean";
    case T_INT:
        return "integer";
    case T_NUMBER:
        return "number";
    case T_OBJECT:
        return "object";
    case T_TEXTS:
    case T_OBJECTS:
        return "array";
    case T_JSON:
        return (field->flags & F_ANY_ARRAY) != 0 ? "array" : "object";
    case T_TEXT:
    case T_TIME:
    case T_ENUM:
        break;
    }
    return "string";
}

static int
parse_member(struct parse *p, const struct schema *s, const char *name, const json_t *value,
             const char *path, void *ret)
{
    const struct field *field = find_field(p, s, name);
    struct field_set *set = ret;
    unsigned index;

    if (field == NULL) {
        const struct field *spread = find_spread(s);

        if (spread != NULL)
            return parse_spread(p, spread, (unsigned)(spread - s->fields), name, value,
                                join(p, path, name), ret);
        if (s->open || p->mode == SCHEMA_TRUSTED)
            return 0;
        return fault_keyword(
            p->f, "additionalProperties",
            fault_raise_field(p->f, join(p, path, name),
                              "Invalid input for field/attribute %s. Additional properties are "
                              "not allowed ('%.100s' was unexpected)",
                              path == NULL || path[0] == '\0' ? "body" : path, name));
    }
    if (p->mode != SCHEMA_TRUSTED &&
        ((field->flags & F_READ_ONLY) != 0 ||
         (p->mode == SCHEMA_UPDATE && (field->flags & F_IMMUTABLE) != 0))) {
        if (s->open)
            return 0;
        return fault_raise_field(p->f, join(p, path, name), "Attribute '%s' not allowed in %s",
                                 name, p->mode == SCHEMA_UPDATE ? "PUT" : "POST");
    }
    index = (unsigned)(field - s->fields);
    if (json_is_null(value)) {
        if ((field->flags & F_NULL) == 0 && p->mode != SCHEMA_TRUSTED)
            return wrong_type(p, join(p, path, name), value, type_name(field));
        field_mark_null(set, index);
        return 0;
    }
    if (parse_value(p, field, value, join(p, path, name), ret) < 0)
        return -1;
    field_mark(set, index);
    return 0;
}

static int
fill_default(struct parse *p, const struct field *field, unsigned index, void *ret)
{
    json_auto_t *value = json_loads(field->fallback, JSON_DECODE_ANY, NULL);

    if (json_is_null(value)) {
        field_mark_null(ret, index);
        return 0;
    }
    if (parse_value(p, field, value, field->name, ret) < 0)
        return -1;
    field_mark(ret, index);
    return 0;
}

static int
parse_object(struct parse *p, const struct schema *s, const json_t *json, const char *path,
             void *ret)
{
    const struct field_set *set = ret;
    const char *name;
    json_t *value;

    if (!json_is_object(json))
        return wrong_type(p, path == NULL || path[0] == '\0' ? "body" : path, json, "object");
    if (p->mode == SCHEMA_UPDATE && json_object_size(json) < s->min_members)
        return fault_keyword(
            p->f, "minProperties",
            fault_raise_field(p->f, path,
                              "Invalid input for field/attribute %s. Value: {}. {} does not "
                              "have enough properties",
                              path == NULL || path[0] == '\0' ? "body" : path));
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        if (parse_member(p, s, name, value, path, ret) < 0)
            return -1;
    }
    for (unsigned i = 0; i < s->count && p->mode != SCHEMA_UPDATE; i++) {
        const struct field *field = &s->fields[i];

        if (field_given(set, i) || !in_version(field, p->version))
            continue;
        if ((field->flags & F_REQUIRED) != 0 && p->mode == SCHEMA_CREATE)
            return fault_keyword(
                p->f, "required",
                fault_raise_field(
                    p->f, join(p, path, field->name),
                    "Invalid input for field/attribute %s. '%s' is a required property",
                    path == NULL || path[0] == '\0' ? "body" : path, field->name));
        if ((field->flags & F_DEFAULT) != 0 && p->mode == SCHEMA_CREATE &&
            fill_default(p, field, i, ret) < 0)
            return -1;
    }
    return 0;
}

int
schema_parse(const struct schema *s, const json_t *json, enum schema_mode mode, int version,
             const char *path, struct arena *a, void *ret, struct fault *f)
{
    struct parse p = { .mode = mode, .version = version, .arena = a, .f = f };

    if (json == NULL)
        return fault_raise_field(f, path == NULL ? "body" : path, "The request has no body.");
    return parse_object(&p, s, json, path, ret);
}
