#include "limits.h"

#include "base/array.h"
#include "base/str.h"
#include "path_objects.h"

/* --- Models: how limits of projects and of their domains go together. */

/* In 'strict_two_level' no project's limit may be above its domain's. */
static const struct model {
    const char *name, *description;
    bool two_levels;
} models[] = {
    { "flat",
      "Limit enforcement and validation does not take project hierarchy into consideration.",
      false },
    { "strict_two_level", "This model requires project hierarchy never exceeds a depth of two",
      true },
};

static const struct model *
find_model(const struct identity_config *config)
{
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        if (str_equal(models[i].name, config->limit_model))
            return &models[i];
    }
    return NULL;
}

int
limits_check_model(const struct identity_config *config, struct fault *f)
{
    return find_model(config) != NULL
               ? 0
               : fault_raise_field(f, "limit_model",
                                   "limit_model is flat or strict_two_level, not %.50s.",
                                   config->limit_model);
}

int64_t
limits_max_tree_depth(const struct identity_config *config)
{
    return find_model(config)->two_levels ? MIN(config->max_project_tree_depth, 2)
                                          : config->max_project_tree_depth;
}

int
limit_model(struct call *call, struct fault *f)
{
    const struct model *m = find_model(identity_of(call)->config);
    struct jsonw *w = call_json(call);

    (void)f;
    jsonw_object(w, NULL);
    jsonw_object(w, "model");
    jsonw_text(w, "name", m->name);
    jsonw_text(w, "description", m->description);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* --- References */

/* Is what a limit refers to there? Where it isn't, that is a wrong request, not a 404. */
static int
check_reference(struct db_tx *tx, const struct resource *r, const char *id, const char *member,
                const char *target, struct fault *f)
{
    if (id == NULL || resource_load(tx->db, r, id, NULL, false,
                                    arena_alloc(tx->db->arena, r->schema->size), f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return expecting_to_find(member, target, f);
}

/* --- Registered limits */

static int
registered_prepare_create(struct call *call, struct db_tx *tx, struct registered_limit *row,
                          struct fault *f)
{
    (void)call;
    if (check_reference(tx, &service_resource, row->service_id, "service_id", "registered_limit",
                        f) < 0)
        return -1;
    return check_reference(tx, &region_resource, row->region_id, "region_id", "registered_limit",
                           f);
}

/* What limits refer to stays as it is. */
static int
check_unused(struct db_tx *tx, const char *id, struct fault *f)
{
    struct registered_limit_is_used_row row;
    int used = registered_limit_is_used(tx->db, id, &row, f);

    if (used > 0)
        return fault_raise(f, FAULT_FORBIDDEN,
                           "Unable to update or delete registered limit %.64s because there are "
                           "project limits associated with it.",
                           id);
    return used;
}

static int
registered_prepare_update(struct call *call, struct db_tx *tx, const struct registered_limit *old,
                          struct registered_limit *row, struct fault *f)
{
    if (registered_prepare_create(call, tx, row, f) < 0)
        return -1;
    return check_unused(tx, old->id, f);
}

static int
registered_check_delete(struct call *call, struct db_tx *tx, const struct registered_limit *row,
                        struct fault *f)
{
    (void)call;
    return check_unused(tx, row->id, f);
}

const struct registered_limit_hooks registered_limit_hooks = {
    .prepare_create = registered_prepare_create,
    .prepare_update = registered_prepare_update,
    .check_delete = registered_check_delete,
};

/* --- Limits */

/* The limits that this request makes or changes, in call->scratch: whether they fit together can be seen when all are stored. */
struct touched {
    const char **ids;
    size_t count, capacity;
};

static void
touch(struct call *call, const char *id)
{
    if (call->scratch == NULL)
        call->scratch = ARENA_NEW(call->arena, struct touched);
    struct touched *t = call->scratch;

    *ARRAY_PUSH(call->arena, t->ids, t->count, t->capacity) = id;
}

/* Whose it is: a project, or a domain. A domain may be named as the project it also is. */
static int
settle_owner(struct db_tx *tx, struct limit *row, struct fault *f)
{
    struct project project = { 0 };
    struct domain domain = { 0 };

    if ((row->project_id == NULL) == (row->domain_id == NULL))
        return fault_raise_field(f, "project_id",
                                 "Invalid input for field/attribute limits. A limit has either a "
                                 "project_id or a domain_id.");
    if (row->project_id != NULL) {
        if (resource_load(tx->db, &project_resource, row->project_id, NULL, false, &project, f) ==
                0 &&
            !project.is_domain) {
            row->project_domain_id = project.domain_id;
            field_mark(&row->set, LIMIT_F_PROJECT_DOMAIN_ID);
            return 0;
        }
        if (f->kind != FAULT_NONE && f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
    }
    if (resource_load(tx->db, &domain_resource,
                      row->project_id != NULL ? row->project_id : row->domain_id, NULL, false,
                      &domain, f) == 0) {
        row->domain_id = domain.id;
        row->project_id = NULL;
        field_mark(&row->set, LIMIT_F_DOMAIN_ID);
        field_mark_null(&row->set, LIMIT_F_PROJECT_ID);
        return 0;
    }
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return expecting_to_find(row->project_id != NULL ? "project_id" : "domain_id", "limit", f);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct limit *row, struct fault *f)
{
    struct registered_limit_find_row registered;
    int found;

    if (check_reference(tx, &service_resource, row->service_id, "service_id", "limit", f) < 0 ||
        check_reference(tx, &region_resource, row->region_id, "region_id", "limit", f) < 0 ||
        settle_owner(tx, row, f) < 0)
        return -1;
    found = registered_limit_find(tx->db, row->service_id, row->resource_name, row->region_id,
                                  &registered, f);
    if (found <= 0)
        return found < 0 ? -1
                         : fault_raise(f, FAULT_FORBIDDEN,
                                       "Unable to create a limit that has no corresponding "
                                       "registered limit.");
    row->registered_limit_id = registered.id;
    field_mark(&row->set, LIMIT_F_REGISTERED_LIMIT_ID);
    touch(call, row->id);
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct limit *old, struct limit *row,
               struct fault *f)
{
    (void)tx;
    (void)row;
    (void)f;
    touch(call, old->id);
    return 0;
}

static int
settle(struct call *call, struct db_tx *tx, struct fault *f)
{
    const struct touched *t = call->scratch;
    struct limit_misfit_row x;
    int found;

    if (t == NULL || !find_model(identity_of(call)->config)->two_levels)
        return 0;
    found = limit_misfit(tx->db, &(struct texts){ .items = t->ids, .count = t->count }, &x, f);
    if (found <= 0)
        return found;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Invalid resource limit: The resource limit (%s: %.64s, resource_name: "
                       "%.255s, resource_limit: %lld, service_id: %.64s, region_id: %.255s) "
                       "doesn't satisfy current hierarchy model..",
                       x.level, x.object_id, x.resource_name, (long long)x.resource_limit,
                       x.service_id, x.region_id == NULL ? "None" : x.region_id);
}

/* Who is scoped to the system sees all; others what is of their domain, or their project. */
static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    switch (call->auth.scope) {
    case SCOPE_SYSTEM:
        break;
    case SCOPE_DOMAIN:
        list_plan_where_sql(plan, "domain_id = %1 OR project_domain_id = %1", &call->auth.domain_id,
                            1);
        break;
    case SCOPE_PROJECT:
        list_plan_where(plan, "project_id", OP_EQ, call->auth.project_id);
        break;
    case SCOPE_NONE:
        list_plan_where_sql(plan, "false", NULL, 0);
        break;
    }
    return 0;
}

const struct limit_hooks limit_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .settle = settle,
    .plan_list = plan_list,
};
