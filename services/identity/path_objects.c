#include "path_objects.h"

#include "base/str.h"

int
path_objects_check(struct call *call, struct db *db, bool lock, struct fault *f)
{
    static const struct {
        const char *param;
        const struct resource *resource;
    } kinds[] = {
        { "policy_id", &policy_resource },   { "endpoint_group_id", &endpoint_group_resource },
        { "service_id", &service_resource }, { "endpoint_id", &endpoint_resource },
        { "region_id", &region_resource },   { "project_id", &project_resource },
    };

    for (size_t i = 0; i < call->params_count; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
            const struct resource *r = kinds[k].resource;

            if (str_equal(call->params[i].name, kinds[k].param) &&
                resource_load(db, r, call->params[i].value, NULL, lock,
                              arena_alloc(call->arena, r->schema->size), f) < 0)
                return -1;
        }
    }
    return 0;
}

int
path_objects_reply(struct call *call, const struct resource *r, const struct catalog_id_row *ids,
                   size_t count, struct fault *f)
{
    const char **texts = ARENA_ARRAY(call->arena, const char *, count + 1);
    struct list_plan plan;

    for (size_t i = 0; i < count; i++)
        texts[i] = ids[i].id;
    if (list_plan_make(call, r, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    list_plan_where_in(&plan, "id", texts, count);
    return list_plan_reply(call, &plan, f);
}

int
expecting_to_find(const char *attribute, const char *target, struct fault *f)
{
    return fault_raise_field(f, attribute,
                             "Expecting to find %s in %s. The server could not comply with the "
                             "request since it is either malformed or otherwise incorrect. The "
                             "client is assumed to be in error.",
                             attribute, target);
}
