#include "fault_json.h"

#include "json.h"
#include "str.h"

/* A cause may quote anything, and any text may have been cut inside a character. */
static json_t *
json_of(const char *text)
{
    struct str clean = { 0 };
    json_t *value;

    if (str_is_utf8(text, strlen(text)))
        return json_string(text);
    for (const char *c = text; *c != '\0'; c++)
        str_add_char(&clean, (unsigned char)*c < 0x80 ? *c : '?');
    value = json_string(str_text(&clean));
    str_done(&clean);
    return value;
}

json_t *
fault_to_json(struct arena *a, const struct fault *f)
{
    json_t *value = json_own(a, json_object());

    json_object_set_new(value, "kind", json_string(fault_kind_name(f->kind)));
    json_object_set_new(value, "message", json_of(f->message));
    if (!str_empty(f->field))
        json_object_set_new(value, "field", json_of(f->field));
    if (!str_empty(f->code))
        json_object_set_new(value, "code", json_of(f->code));
    if (!str_empty(f->cause))
        json_object_set_new(value, "cause", json_of(f->cause));
    return value;
}

static const char *
text_of(const json_t *value, const char *key)
{
    const char *text = json_get_text(value, key);

    return text != NULL ? text : "";
}

void
fault_from_json(const json_t *value, struct fault *ret)
{
    *ret = (struct fault){ .kind = fault_kind_from_name(text_of(value, "kind")) };
    if (ret->kind == FAULT_NONE)
        ret->kind = FAULT_INTERNAL;
    snprintf(ret->field, sizeof(ret->field), "%s", text_of(value, "field"));
    snprintf(ret->code, sizeof(ret->code), "%s", text_of(value, "code"));
    snprintf(ret->message, sizeof(ret->message), "%s", text_of(value, "message"));
    snprintf(ret->cause, sizeof(ret->cause), "%s", text_of(value, "cause"));
}
