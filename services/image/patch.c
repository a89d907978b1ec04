#include "patch.h"

#include "base/str.h"

static const char *const op_names[] = {
    [PATCH_ADD] = "add", [PATCH_REPLACE] = "replace", [PATCH_REMOVE] = "remove"
};

#define PREFIX "application/openstack-images-"

int
patch_media_find(const char *content_type, enum patch_media *ret, struct fault *f)
{
    size_t size = content_type == NULL ? 0 : strcspn(content_type, "; \t");
    static const struct {
        const char *name;
        enum patch_media media;
    } table[] = { { PREFIX "v2.1-json-patch", PATCH_V2_1 },
                  { PREFIX "v2.0-json-patch", PATCH_V2_0 } };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (size == strlen(table[i].name) && strncasecmp(content_type, table[i].name, size) == 0) {
            *ret = table[i].media;
            return 0;
        }
    }
    return fault_raise(f, FAULT_MEDIA_TYPE, "The media type must be %s or %s.", table[0].name,
                       table[1].name);
}

char *
patch_pointer(struct arena *a, const char *text)
{
    char *token, *to;

    if (text == NULL || text[0] != '/' || text[1] == '\0' || strchr(text + 1, '/') != NULL)
        return NULL;
    token = arena_strdup(a, text + 1);
    to = token;
    for (const char *at = text + 1; *at != '\0'; at++) {
        if (*at != '~')
            *to++ = *at;
        else if (at[1] == '0' || at[1] == '1')
            *to++ = *++at == '0' ? '~' : '/';
        else
            return NULL;
    }
    *to = '\0';
    return token;
}

static int
find_op(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(op_names); i++) {
        if (str_equal(name, op_names[i]))
            return (int)i;
    }
    return -1;
}

/* {"op": "replace", "path": "/name", "value": ...} */
static int
read_v2_1(const json_t *change, int *ret_op, const char **ret_path, struct fault *f)
{
    const char *op = json_string_value(json_object_get(change, "op"));

    if (op == NULL)
        return fault_raise_field(f, "op", "Unable to find '%s' in JSON Schema change", "op");
    *ret_path = json_string_value(json_object_get(change, "path"));
    *ret_op = find_op(op);
    if (*ret_op < 0)
        return fault_raise_field(f, "op",
                                 "Operations must be 'add', 'replace', or 'remove', not '%.50s'.",
                                 op);
    if (*ret_path == NULL)
        return fault_raise_field(f, "path", "Unable to find '%s' in JSON Schema change", "path");
    return 0;
}

/* {"replace": "/name", "value": ...} */
static int
read_v2_0(const json_t *change, int *ret_op, const char **ret_path, struct fault *f)
{
    int found = 0;

    for (size_t i = 0; i < ARRAY_SIZE(op_names); i++) {
        const json_t *path = json_object_get(change, op_names[i]);

        if (path == NULL)
            continue;
        found++;
        *ret_op = (int)i;
        *ret_path = json_string_value(path);
    }
    if (found != 1)
        return fault_raise_field(f, "body",
                                 "Operation objects must contain only one member named \"add\", "
                                 "\"remove\", or \"replace\".");
    return 0;
}

static int
read_change(struct arena *a, const json_t *change, enum patch_media media, struct patch_change *ret,
            struct fault *f)
{
    const char *path = NULL;
    int op = -1;

    if (!json_is_object(change))
        return fault_raise_field(f, "body", "Operations must be JSON objects.");
    if ((media == PATCH_V2_1 ? read_v2_1 : read_v2_0)(change, &op, &path, f) < 0)
        return -1;
    ret->op = (enum patch_op)op;
    ret->name = patch_pointer(a, path);
    if (ret->name == NULL)
        return fault_raise_field(f, "path", "Invalid JSON pointer for this resource: '%.255s'",
                                 path == NULL ? "" : path);
    ret->value = op == PATCH_REMOVE ? NULL : json_object_get(change, "value");
    if (op != PATCH_REMOVE && ret->value == NULL)
        return fault_raise_field(f, "value", "Operation \"%s\" requires a member named \"value\".",
                                 op_names[op]);
    return 0;
}

int
patch_parse(struct arena *a, const json_t *body, enum patch_media media, struct patch_change **ret,
            size_t *ret_count, struct fault *f)
{
    size_t count = json_array_size(body);
    struct patch_change *changes = ARENA_ARRAY(a, struct patch_change, count + 1);

    if (!json_is_array(body))
        return fault_raise_field(f, "body",
                                 "Request body must be a JSON array of operation objects.");
    for (size_t i = 0; i < count; i++) {
        if (read_change(a, json_array_get(body, i), media, &changes[i], f) < 0)
            return -1;
    }
    *ret = changes;
    *ret_count = count;
    return 0;
}

static int
apply_one(const struct patch_change *c, enum patch_media media, bool is_member, json_t *members,
          json_t *properties, struct fault *f)
{
    bool there = is_member || json_object_get(properties, c->name) != NULL;

    switch (c->op) {
    case PATCH_REMOVE:
        if (is_member)
            return fault_raise(f, FAULT_FORBIDDEN, "Property %.255s may not be removed.", c->name);
        if (!there)
            return fault_raise(f, FAULT_CONFLICT, "Property %.255s does not exist.", c->name);
        json_object_del(properties, c->name);
        return 0;
    case PATCH_ADD:
        if (there && media == PATCH_V2_0)
            return fault_raise(f, FAULT_CONFLICT, "Property %.255s already present.", c->name);
        break;
    case PATCH_REPLACE:
        if (!there)
            return fault_raise(f, FAULT_CONFLICT, "Property %.255s does not exist.", c->name);
        break;
    }
    json_object_set(is_member ? members : properties, c->name, (json_t *)(uintptr_t)c->value);
    return 0;
}

int
patch_apply(const struct patch_change *changes, size_t count, enum patch_media media,
            bool (*is_member)(const char *name), json_t *members, json_t *properties,
            struct fault *f)
{
    for (size_t i = 0; i < count; i++) {
        if (apply_one(&changes[i], media, is_member(changes[i].name), members, properties, f) < 0)
            return -1;
    }
    return 0;
}
