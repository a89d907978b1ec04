/* GET /resource_providers: all of them, or those that the query's filters leave. Answered from the mirror. */
#include "base/str.h"
#include "base/uuid.h"
#include "candidates.h"
#include "providers.h"
#include "reply.h"

static const struct query_key keys[] = {
    { "uuid", 0, false },         { "name", 0, false },       { "member_of", 1003, false },
    { "resources", 1004, false }, { "in_tree", 1014, false }, { "required", 1018, false },
    { NULL, 0, false },
};

struct filter {
    const char *uuid, *name;
    struct request_group group;
};

static int
parse(struct call *call, struct filter *ret, struct fault *f)
{
    const char *uuid = query_last(call, "uuid"), *in_tree = query_last(call, "in_tree");

    if (query_check(call, keys, f) < 0)
        return -1;
    *ret = (struct filter){ .name = query_last(call, "name"), .uuid = uuid };
    if (str_empty(ret->name))
        ret->name = NULL;
    if (uuid != NULL && !uuid_check_loose(uuid))
        return query_refuse(f, "uuid", "format", "'%.100s' is not a 'uuid'", uuid);
    if (in_tree != NULL && !uuid_check_loose(in_tree))
        return query_refuse(f, "in_tree", "format", "'%.100s' is not a 'uuid'", in_tree);
    return request_parse_group(call, NULL, &ret->group, f);
}

/* Each provider is looked at for itself: traits, aggregates and room must be its own. */
static bool
passes(const struct filter *filter, const struct plan_group *g, const struct mirror_provider *p)
{
    if (filter->uuid != NULL && !str_equal(filter->uuid, p->uuid))
        return false;
    if (filter->name != NULL && !str_equal(filter->name, p->name))
        return false;
    if (g->request->in_tree != NULL && g->in_tree != p->tree)
        return false;
    if (!plan_has_traits(g, p) || plan_has_forbidden(g, p) || !plan_in_aggregates(g, p) ||
        plan_in_forbidden(g, p))
        return false;
    for (size_t i = 0; i < g->request->wants_count; i++) {
        const struct mirror_stock *s = mirror_stock(p, g->class_ids[i]);

        if (s == NULL || !stock_fits(s, g->request->wants[i].amount))
            return false;
    }
    return true;
}

static int
write_list(struct call *call, const struct mirror *m, const struct filter *filter, struct fault *f)
{
    size_t count;
    struct mirror_provider *const *all = mirror_providers(m, &count);
    int64_t modified_us = 0;
    struct plan_group g;
    struct jsonw *w;

    if (plan_group_make(m, &filter->group, call->arena, &g, f) < 0) {
        if (str_starts(f->message, "No such trait(s)")) {
            const char *message = arena_strdup(call->arena, f->message);

            fault_clear(f);
            return fault_raise(f, FAULT_INVALID, "Invalid trait(s) in \"required\" parameter: %s",
                               message);
        }
        return -1;
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "resource_providers");
    for (size_t i = 0; i < count; i++) {
        struct provider_view view;

        if (!passes(filter, &g, all[i]))
            continue;
        view = (struct provider_view){ all[i]->uuid, all[i]->name,
                                       all[i]->parent == NULL ? NULL : all[i]->parent->uuid,
                                       mirror_root(all[i])->uuid, all[i]->generation };
        modified_us = MAX(modified_us, all[i]->updated_us);
        provider_write(call, &view, w);
    }
    jsonw_end(w);
    jsonw_end(w);
    reply_cached(call, modified_us);
    return 0;
}

int
provider_list(struct call *call, struct fault *f)
{
    struct mirror *m = placement_of(call)->mirror;
    struct filter filter;
    int r;

    if (reply_check_accept(call, f) < 0 || parse(call, &filter, f) < 0 ||
        mirror_read(m, call->db, f) < 0)
        return -1;
    r = write_list(call, m, &filter, f);
    mirror_done(m);
    return r;
}
