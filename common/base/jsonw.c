#include "jsonw.h"

#include <assert.h>
#include <math.h>

#include "compiler.h"

/* A quoted text. What is not UTF-8 becomes U+FFFD: the document must be JSON, whatever a file or a
 * neighbour gave us. */
static void
add_text(struct str *out, const char *text)
{
    size_t left = strlen(text);

    str_reserve(out, left + 3); /* The usual text grows by its quotes, and what follows it. */
    str_add_char(out, '"');
    while (left > 0) {
        size_t plain = 0, size;

        while (plain < left && (unsigned char)text[plain] >= 0x20 &&
               (unsigned char)text[plain] < 0x80 && text[plain] != '"' && text[plain] != '\\')
            plain++;
        str_add_n(out, text, plain);
        text += plain;
        left -= plain;
        if (left == 0)
            break;

        size = str_utf8_at(text, left);
        if (size > 1)
            str_add_n(out, text, size);
        else if (size == 0)
            str_add(out, "\xef\xbf\xbd");
        else if (*text == '"' || *text == '\\')
            str_addf(out, "\\%c", *text);
        else if (*text == '\n')
            str_add(out, "\\n");
        else if (*text == '\r')
            str_add(out, "\\r");
        else if (*text == '\t')
            str_add(out, "\\t");
        else
            str_addf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        size = MAX(size, (size_t)1);
        text += size;
        left -= size;
    }
    str_add_char(out, '"');
}

/* The shortest text that reads back as the same number, as Python's repr: 0.1, not 0.10000000000000001. */
static void
add_double(struct str *out, double value)
{
    char text[40];

    if (!isfinite(value)) {
        str_add(out, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double again;
        char *comma;

        snprintf(text, sizeof(text), "%.*g", digits, value);
        comma = strchr(text, ','); /* Of the locale. */
        if (comma != NULL)
            *comma = '.';
        if (str_to_double(text, &again) == 0 && memcmp(&again, &value, sizeof(value)) == 0)
            break;
    }
    str_add(out, text);
    if (strpbrk(text, ".e") == NULL)
        str_add(out, ".0");
}

static void
add_int(struct str *out, int64_t value)
{
    char text[24];
    char *at = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    str_add_n(out, at, (size_t)(text + sizeof(text) - at));
}

static void
add_json(struct str *out, const json_t *value)
{
    json_t *json = (json_t *)(uintptr_t)value; /* jansson's getters want it so. */
    const char *key;
    json_t *member;
    size_t index;

    switch (json_typeof(json)) {
    case JSON_OBJECT:
        str_add_char(out, '{');
        index = 0;
        json_object_foreach(json, key, member)
        {
            if (index++ > 0)
                str_add_char(out, ',');
            add_text(out, key);
            str_add_char(out, ':');
            add_json(out, member);
        }
        str_add_char(out, '}');
        return;
    case JSON_ARRAY:
        str_add_char(out, '[');
        json_array_foreach(json, index, member)
        {
            if (index > 0)
                str_add_char(out, ',');
            add_json(out, member);
        }
        str_add_char(out, ']');
        return;
    case JSON_STRING:
        add_text(out, json_string_value(json));
        return;
    case JSON_INTEGER:
        add_int(out, json_integer_value(json));
        return;
    case JSON_REAL:
        add_double(out, json_real_value(json));
        return;
    case JSON_TRUE:
        str_add(out, "true");
        return;
    case JSON_FALSE:
        str_add(out, "false");
        return;
    case JSON_NULL:
        str_add(out, "null");
        return;
    }
}

void
jsonw_init(struct jsonw *w, struct str *out)
{
    *w = (struct jsonw){ .out = out };
}

/* Comma and key: all that comes before a value. */
static void
before(struct jsonw *w, const char *key)
{
    if (w->depth == 0) {
        assert(key == NULL);
        return;
    }
    assert((key != NULL) == (w->close[w->depth - 1] == '}'));
    if (!w->first[w->depth - 1])
        str_add_char(w->out, ',');
    w->first[w->depth - 1] = false;
    if (key != NULL) {
        add_text(w->out, key);
        str_add_char(w->out, ':');
    }
}

static void
enter(struct jsonw *w, const char *key, char opening, char closing)
{
    before(w, key);
    assert(w->depth < ARRAY_SIZE(w->close));
    str_add_char(w->out, opening);
    w->first[w->depth] = true;
    w->close[w->depth] = closing;
    w->depth++;
}

void
jsonw_object(struct jsonw *w, const char *key)
{
    enter(w, key, '{', '}');
}

void
jsonw_array(struct jsonw *w, const char *key)
{
    enter(w, key, '[', ']');
}

void
jsonw_end(struct jsonw *w)
{
    assert(w->depth > 0);
    w->depth--;
    str_add_char(w->out, w->close[w->depth]);
}

void
jsonw_text(struct jsonw *w, const char *key, const char *value)
{
    before(w, key);
    if (value == NULL)
        str_add(w->out, "null");
    else
        add_text(w->out, value);
}

void
jsonw_int(struct jsonw *w, const char *key, int64_t value)
{
    before(w, key);
    add_int(w->out, value);
}

void
jsonw_double(struct jsonw *w, const char *key, double value)
{
    before(w, key);
    add_double(w->out, value);
}

void
jsonw_bool(struct jsonw *w, const char *key, bool value)
{
    before(w, key);
    str_add(w->out, value ? "true" : "false");
}

void
jsonw_null(struct jsonw *w, const char *key)
{
    before(w, key);
    str_add(w->out, "null");
}

void
jsonw_json(struct jsonw *w, const char *key, const json_t *value)
{
    before(w, key);
    if (value == NULL)
        str_add(w->out, "null");
    else
        add_json(w->out, value);
}

void
jsonw_raw(struct jsonw *w, const char *key, const char *json, size_t size)
{
    before(w, key);
    str_add_n(w->out, json, size);
}
