/* Roles that imply roles: who is given the one has the other as well. */
#include "base/str.h"
#include "revocations.h"

static void
write_role(struct call *call, struct jsonw *w, const char *key, const char *id, const char *name)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", id);
    jsonw_text(w, "name", name);
    dialect_object_links(call->dialect, w, call->base_url,
                         arena_printf(call->arena, "/v3/roles/%s", id));
    jsonw_end(w);
}

/* Groups of rows with one prior role: {"prior_role": ..., "implies": [...]}. */
static void
write_inference(struct call *call, struct jsonw *w, const char *key,
                const struct implied_rows_row *rows, size_t count)
{
    jsonw_object(w, key);
    write_role(call, w, "prior_role", rows[0].prior_id, rows[0].prior_name);
    jsonw_array(w, "implies");
    for (size_t i = 0; i < count; i++)
        write_role(call, w, NULL, rows[i].implied_id, rows[i].implied_name);
    jsonw_end(w);
    jsonw_end(w);
}

int
implied_list(struct call *call, struct fault *f)
{
    struct role role = { 0 };
    struct implied_rows_row *rows;
    struct jsonw *w;
    size_t count;

    if (resource_load(call->db, &role_resource, call_param(call, "role_id"), NULL, false, &role,
                      f) < 0 ||
        implied_rows(call->db, role.id, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "role_inference");
    write_role(call, w, "prior_role", role.id, role.name);
    jsonw_array(w, "implies");
    for (size_t i = 0; i < count; i++)
        write_role(call, w, NULL, rows[i].implied_id, rows[i].implied_name);
    jsonw_end(w);
    jsonw_end(w);
    dialect_object_links(call->dialect, w, call->base_url, call->request->path);
    jsonw_end(w);
    return 0;
}

int
implied_all(struct call *call, struct fault *f)
{
    struct implied_rows_row *rows;
    struct jsonw *w;
    size_t count, first = 0;

    if (implied_rows(call->db, NULL, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "role_inferences");
    for (size_t i = 1; i <= count; i++) {
        if (i < count && str_equal(rows[i].prior_id, rows[first].prior_id))
            continue;
        write_inference(call, w, NULL, rows + first, i - first);
        first = i;
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
load_pair(struct call *call, struct role *prior, struct role *implied, struct fault *f)
{
    if (resource_load(call->db, &role_resource, call_param(call, "role_id"), NULL, false, prior,
                      f) < 0)
        return -1;
    return resource_load(call->db, &role_resource, call_param(call, "implied_role_id"), NULL, false,
                         implied, f);
}

static void
reply_pair(struct call *call, const struct role *prior, const struct role *implied)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "role_inference");
    write_role(call, w, "prior_role", prior->id, prior->name);
    write_role(call, w, "implies", implied->id, implied->name);
    jsonw_end(w);
    dialect_object_links(call->dialect, w, call->base_url, call->request->path);
    jsonw_end(w);
}

static int
check_implies(struct call *call, const struct role *prior, const struct role *implied,
              struct fault *f)
{
    struct implied_exists_row row;
    int found = implied_exists(call->db, prior->id, implied->id, &row, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "%.64s does not imply %.64s.", prior->id,
                           implied->id);
    return found < 0 ? -1 : 0;
}

int
implied_check(struct call *call, struct fault *f)
{
    struct role prior = { 0 }, implied = { 0 };

    if (load_pair(call, &prior, &implied, f) < 0)
        return -1;
    return check_implies(call, &prior, &implied, f);
}

int
implied_show(struct call *call, struct fault *f)
{
    struct role prior = { 0 }, implied = { 0 };

    if (load_pair(call, &prior, &implied, f) < 0 || check_implies(call, &prior, &implied, f) < 0)
        return -1;
    reply_pair(call, &prior, &implied);
    return 0;
}

/* Roles that nobody shall get unasked, and the way from all domains into one. */
static int
check_may_be_implied(struct call *call, const struct role *prior, const struct role *implied,
                     struct fault *f)
{
    size_t count;
    char **names =
        str_split(call->arena, identity_of(call)->config->prohibited_implied_roles, ',', &count);
    bool refused = prior->domain_id == NULL && implied->domain_id != NULL;

    for (size_t i = 0; i < count; i++)
        refused = refused || str_equal(names[i], implied->name);
    if (refused)
        return fault_raise(f, FAULT_FORBIDDEN, "%.64s cannot be an implied roles.", implied->id);
    return 0;
}

int
implied_add(struct call *call, struct fault *f)
{
    struct role prior = { 0 }, implied = { 0 };
    struct implied_leads_to_row circle;
    int found, added;

    if (load_pair(call, &prior, &implied, f) < 0 ||
        check_may_be_implied(call, &prior, &implied, f) < 0)
        return -1;
    found = implied_leads_to(call->db, implied.id, prior.id, &circle, f);
    if (found < 0)
        return -1;
    if (found == 1)
        return fault_raise_field(f, "implied_role_id",
                                 "A role cannot imply itself, directly or through others.");
    added = implied_add_row(call->db, prior.id, implied.id, f);
    if (added == 0)
        return fault_raise(f, FAULT_CONFLICT,
                           "Conflict occurred attempting to store implied_role - Duplicate entry.");
    if (added < 0)
        return -1;
    reply_pair(call, &prior, &implied);
    return 0;
}

/* Tokens name the roles that were implied when they were made: those with the prior role end. */
int
implied_remove(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct role prior = { 0 }, implied = { 0 };
    int removed;

    if (load_pair(call, &prior, &implied, f) < 0 || db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    removed = implied_remove_row(tx.db, prior.id, implied.id, f);
    if (removed == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "%.64s does not imply %.64s.", prior.id, implied.id);
    if (removed < 0 || revoke_role(call, &tx, prior.id, prior.domain_id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
