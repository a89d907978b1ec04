#include "federation_users.h"

#include "base/array.h"
#include "base/str.h"

static int
check_protocol(struct db *db, const char *idp_id, const char *protocol_id, struct fault *f)
{
    struct protocol_exists_row row;
    int found = protocol_exists(db, idp_id, protocol_id, &row, f);

    if (found != 0)
        return found < 0 ? -1 : 0;
    return fault_raise_field(
        f, "federated", "Could not find federated protocol %.64s for Identity Provider: %.64s.",
        protocol_id, idp_id);
}

static int
check_provider(struct db *db, const char *idp_id, struct fault *f)
{
    struct identity_provider idp = { 0 };

    if (resource_load(db, &identity_provider_resource, idp_id, NULL, false, &idp, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return fault_raise_field(f, "federated", "Could not find Identity Provider: %.64s", idp_id);
}

static int
store_one(struct db *db, const char *user_id, const struct user_federated *in, struct fault *f)
{
    if (check_provider(db, in->idp_id, f) < 0)
        return -1;
    for (size_t i = 0; i < in->protocols_count; i++) {
        const struct user_federated_protocol *p = &in->protocols[i];

        if (check_protocol(db, in->idp_id, p->protocol_id, f) < 0)
            return -1;
        if (federated_user_add(db, in->idp_id, p->protocol_id, p->unique_id, user_id, f) >= 0)
            continue;
        if (f->kind != FAULT_CONFLICT)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_CONFLICT,
                           "Conflict occurred attempting to store federated_user - Duplicate "
                           "entry found with ID %.255s.",
                           p->unique_id);
    }
    return 0;
}

int
federated_users_store(struct db *db, const struct user *row, struct fault *f)
{
    if (row->federated_count > 0 && federated_user_forget(db, row->id, f) < 0)
        return -1;
    for (size_t i = 0; i < row->federated_count; i++) {
        if (store_one(db, row->id, &row->federated[i], f) < 0)
            return -1;
    }
    return 0;
}

/* The rows of one user, in order of their providers. */
static void
fill(struct arena *a, struct user *user, const struct federated_users_of_row *found, size_t count)
{
    size_t idps_capacity = 0, capacity = 0;
    struct user_federated *idp = NULL;

    user->federated = NULL;
    user->federated_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct user_federated_protocol *p;

        if (!str_equal(found[i].user_id, user->id))
            continue;
        if (idp == NULL || !str_equal(idp->idp_id, found[i].idp_id)) {
            idp = ARRAY_PUSH(a, user->federated, user->federated_count, idps_capacity);
            idp->idp_id = found[i].idp_id;
            field_mark(&idp->set, USER_FEDERATED_F_IDP_ID);
            field_mark(&idp->set, USER_FEDERATED_F_PROTOCOLS);
            capacity = 0;
        }
        p = ARRAY_PUSH(a, idp->protocols, idp->protocols_count, capacity);
        p->protocol_id = found[i].protocol_id;
        p->unique_id = found[i].unique_id;
        field_mark(&p->set, USER_FEDERATED_PROTOCOL_F_PROTOCOL_ID);
        field_mark(&p->set, USER_FEDERATED_PROTOCOL_F_UNIQUE_ID);
    }
    if (user->federated_count > 0)
        field_mark(&user->set, USER_F_FEDERATED);
    else
        field_mark_null(&user->set, USER_F_FEDERATED); /* Not shown. */
}

int
federated_users_load(struct call *call, struct db *db, struct user *const *rows, size_t count,
                     struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count + 1),
                         .count = count };
    struct federated_users_of_row *found;
    size_t found_count, at = 0;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (federated_users_of(db, &ids, &found, &found_count, f) < 0)
        return -1;
    /* Ordered by user, as the ids were given: each user's rows are together, where the last one's ended. */
    for (size_t i = 0; i < count; i++) {
        size_t end = at;

        while (end < found_count && str_equal(found[end].user_id, rows[i]->id))
            end++;
        fill(call->arena, rows[i], found + at, end - at);
        at = end;
    }
    return 0;
}

void
federated_users_narrow(struct call *call, struct list_plan *plan)
{
    static const struct {
        const char *name, *sql;
    } filters[] = {
        { "idp_id", "id IN (SELECT user_id FROM federated_user WHERE idp_id = %1)" },
        { "protocol_id", "id IN (SELECT user_id FROM federated_user WHERE protocol_id = %1)" },
        { "unique_id", "id IN (SELECT user_id FROM federated_user WHERE unique_id = %1)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        const char *value = call_query(call, filters[i].name);

        if (value != NULL)
            list_plan_where_sql(plan, filters[i].sql, &value, 1);
    }
}
