/* Resource classes: the standard ones, which nobody changes, and custom ones. */
#include "base/json.h"
#include "base/str.h"
#include "reply.h"

#define FIRST_CUSTOM 10000

static void
write_class(struct jsonw *w, const char *name)
{
    char href[320];

    snprintf(href, sizeof(href), "/resource_classes/%.255s", name);
    jsonw_object(w, NULL);
    jsonw_text(w, "name", name);
    jsonw_array(w, "links");
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", "self");
    jsonw_text(w, "href", href);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
}

static int
find(struct call *call, struct class_row *ret, struct fault *f)
{
    const char *name = call_param(call, "name");
    int r = class_find(call->db, name, ret, f);

    return r == 0 ? fault_raise(f, FAULT_NOT_FOUND, "No such resource class %.255s.", name) : r;
}

int
resource_class_list(struct call *call, struct fault *f)
{
    int64_t modified_us = 0;
    struct class_row *rows;
    struct jsonw *w;
    size_t count;

    if (reply_check_accept(call, f) < 0 || class_list(call->db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        modified_us = MAX(modified_us, rows[i].updated_at);
    w = reply_json(call, modified_us);
    jsonw_object(w, NULL);
    jsonw_array(w, "resource_classes");
    for (size_t i = 0; i < count; i++)
        write_class(w, rows[i].name);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
resource_class_show(struct call *call, struct fault *f)
{
    struct class_row row;

    if (reply_check_accept(call, f) < 0 || find(call, &row, f) < 0)
        return -1;
    write_class(reply_json(call, row.updated_at), row.name);
    return 0;
}

int
resource_class_create(struct call *call, const struct resource_class *in, struct fault *f)
{
    int r = class_insert(call->db, in->name, f);

    if (r == 0)
        return fault_raise(f, FAULT_CONFLICT, "Conflicting resource class already exists: %s",
                           in->name);
    if (r > 0)
        call_header(call, "Location", call_url(call, "/resource_classes/%s", in->name));
    return r;
}

/* The name in a path or body as resources must be called. */
static int
check_name(struct call *call, const json_t *body, struct resource_class *ret, struct fault *f)
{
    return schema_parse(&resource_class_schema, body, SCHEMA_CREATE, call->version, NULL,
                        call->arena, ret, f);
}

static int
rename_class(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "name");
    struct resource_class in = { 0 };
    struct class_row row;

    if (call_body(call, f) < 0 || check_name(call, call->body, &in, f) < 0 ||
        find(call, &row, f) < 0)
        return -1;
    if (row.id < FIRST_CUSTOM)
        return fault_raise(f, FAULT_INVALID, "Cannot update standard resource class %s", name);
    if (class_rename(call->db, name, in.name, f) < 0)
        return f->kind == FAULT_CONFLICT
                   ? fault_raise(f, FAULT_CONFLICT, "Resource class already exists: %s", in.name)
                   : -1;
    write_class(call_json(call), in.name);
    return 0;
}

int
resource_class_update(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "name");
    struct resource_class in = { 0 };
    int r;

    if (!call_at_least(call, 1, 7))
        return rename_class(call, f);
    if (check_name(call, json_own(call->arena, json_pack("{s:s}", "name", name)), &in, f) < 0)
        return -1;
    r = class_insert(call->db, name, f);
    if (r < 0)
        return r;
    call_status(call, r > 0 ? 201 : 204);
    call_header(call, "Location", call_url(call, "/resource_classes/%s", name));
    return 0;
}

int
resource_class_delete(struct call *call, struct fault *f)
{
    struct class_row row;

    if (find(call, &row, f) < 0)
        return -1;
    if (row.id < FIRST_CUSTOM)
        return fault_raise(
            f, FAULT_INVALID,
            "Error in delete resource class: Cannot delete standard resource class %s.", row.name);
    if (class_remove(call->db, row.name, f) < 0)
        return f->kind == FAULT_CONFLICT
                   ? fault_raise(f, FAULT_CONFLICT,
                                 "Error in delete resource class: Cannot delete resource class "
                                 "%s. Class is in use in inventory.",
                                 row.name)
                   : -1;
    return 0;
}
