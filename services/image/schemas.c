/* GET /v2/schemas/...: the JSON schemas that clients validate against, made from the service's own OpenAPI document. */
#include "base/json.h"
#include "base/str.h"
#include "service.h"

/* A property as clients may see it; NULL: they may not. */
static json_t *
public_property(const json_t *declared, const json_t *schemas)
{
    const json_t *engine = json_object_get(declared, "x-virga");
    const char *ref = json_get_text(declared, "$ref");
    json_t *copy;

    if (json_get_bool(engine, "spread") ||
        (json_get_bool(declared, "readOnly") && json_get_bool(declared, "writeOnly")))
        return NULL;
    copy = json_copy((json_t *)(uintptr_t)declared);
    json_object_del(copy, "x-virga");
    if (ref != NULL) {
        json_object_set(copy, "enum",
                        json_object_get(json_object_get(schemas, strrchr(ref, '/') + 1), "enum"));
        json_object_set_new(copy, "type", json_string("string"));
        json_object_del(copy, "$ref");
    }
    return copy;
}

static json_t *
links(const char *first, const char *second, const char *third)
{
    const char *words[] = { first, second, third };
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) { /* "rel member" */
        const char *space = words[i] == NULL ? NULL : strchr(words[i], ' ');

        if (space != NULL)
            json_array_append_new(list, json_pack("{s:s%, s:s}", "rel", words[i],
                                                  (size_t)(space - words[i]), "href", space + 1));
    }
    return list;
}

static json_t *
image_view(const json_t *document)
{
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    json_t *declared = json_object_get(json_object_get(schemas, "Image"), "properties");
    json_t *properties = json_object();
    const char *name;
    json_t *property;

    json_object_foreach(declared, name, property)
    {
        json_t *shown = public_property(property, schemas);

        if (shown != NULL)
            json_object_set_new(properties, name, shown);
    }
    return json_pack("{s:s, s:o, s:{s:s}, s:o}", "name", "image", "properties", properties,
                     "additionalProperties", "type", "string", "links",
                     links("self {self}", "enclosure {file}", "describedby {schema}"));
}

static json_t *
member_view(const json_t *document)
{
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    json_t *status = json_object_get(json_object_get(schemas, "ImageMemberStatus"), "enum");

    return json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:O}, s:{s:s, s:b}}}",
                     "name", "member", "properties", "created_at", "type", "string", "updated_at",
                     "type", "string", "image_id", "type", "string", "member_id", "type", "string",
                     "status", "type", "string", "enum", status, "schema", "type", "string",
                     "readOnly", 1);
}

static json_t *
list_view(const char *plural, json_t *item, bool pages)
{
    json_t *view =
        json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:s}}, s:o}", "name", plural, "properties", plural,
                  "type", "array", "items", item, "schema", "type", "string", "links",
                  pages ? links("first {first}", "next {next}", "describedby {schema}")
                        : links("describedby {schema}", NULL, NULL));

    if (pages) {
        json_object_set_new(json_object_get(view, "properties"), "first",
                            json_pack("{s:s}", "type", "string"));
        json_object_set_new(json_object_get(view, "properties"), "next",
                            json_pack("{s:s}", "type", "string"));
    }
    return view;
}

int
schemas_show(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "schema_name");
    json_t *document = json_own(call->arena, json_loads(call->api->document, 0, NULL));
    json_t *view = NULL;

    if (str_equal(name, "image"))
        view = image_view(document);
    else if (str_equal(name, "images"))
        view = list_view("images", image_view(document), true);
    else if (str_equal(name, "member"))
        view = member_view(document);
    else if (str_equal(name, "members"))
        view = list_view("members", member_view(document), false);
    if (view == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "The resource could not be found.");
    jsonw_json(call_json(call), NULL, json_own(call->arena, view));
    return 0;
}
