/* Groups and who is in them. Who leaves one loses its roles: his tokens end. */
#include "base/str.h"
#include "directory.h"
#include "owner.h"
#include "revocations.h"

static int
prepare_create(struct call *call, struct db_tx *tx, struct group *row, struct fault *f)
{
    row->name = owner_trim(call, row->name);
    if (owner_domain(call, tx, &row->set, GROUP_F_DOMAIN_ID, &row->domain_id, f) < 0)
        return -1;
    return directory_check_domain(tx->db, row->domain_id, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct group *old, struct group *row,
               struct fault *f)
{
    (void)tx;
    row->name = owner_trim(call, row->name);
    return directory_check_writable(old->directory_id, f);
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct group *row, struct fault *f)
{
    struct revocation named = { .group_id = row->id };
    struct member_ids_row *members;
    size_t count;

    if (directory_check_writable(row->directory_id, f) < 0 ||
        revoke_tokens(call, tx, &named, f) < 0 ||
        member_ids(tx->db, row->id, &members, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (revoke_user(call, tx, members[i].user_id, f) < 0)
            return -1;
    }
    return 0;
}

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    (void)f;
    directory_read_new(call, call_query(call, "domain_id"));
    owner_narrow(call, plan);
    return 0;
}

const struct group_hooks group_hooks = {
    .prepare_create = prepare_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .plan_list = plan_list,
};

/* --- Who is in which: the rules look at the user and at the group. */

/* Loads those of {group_id} and {user_id} that the path has, and asks the operation's rule. 404 names the one that is not there.
 * 'change': who is in the group is not the directory's to say. */
static int
load_path(struct call *call, bool change, struct fault *f)
{
    const char *group_id = call_param_find(call, "group_id");
    const char *user_id = call_param_find(call, "user_id");
    struct group *group = ARENA_NEW(call->arena, struct group);
    struct user *user = ARENA_NEW(call->arena, struct user);
    struct call_object objects[2];
    size_t count = 0;

    if (group_id != NULL) {
        objects[count++] = (struct call_object){ &group_resource, group };
        if (resource_load(call->db, &group_resource, group_id, NULL, false, group, f) < 0)
            return call_hide_missing(call, call->operation->policy, f);
    }
    if (user_id != NULL) {
        objects[count++] = (struct call_object){ &user_resource, user };
        if (resource_load(call->db, &user_resource, user_id, NULL, false, user, f) < 0)
            return call_hide_missing(call, call->operation->policy, f);
    }
    if (call_enforce_among(call, call->operation->policy, objects, count, f) < 0)
        return -1;
    return change ? directory_check_writable(group->directory_id, f) : 0;
}

int
group_users(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "group_id");
    struct list_plan plan;

    if (load_path(call, false, f) < 0 ||
        list_plan_make(call, &user_resource, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    list_plan_where_sql(&plan, "id IN (SELECT user_id FROM membership WHERE group_id = %1)", &id,
                        1);
    owner_narrow(call, &plan);
    return list_plan_reply(call, &plan, f);
}

int
groups_of_user(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "user_id");
    struct list_plan plan;

    if (load_path(call, false, f) < 0 ||
        list_plan_make(call, &group_resource, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    list_plan_where_sql(&plan, "id IN (SELECT group_id FROM membership WHERE user_id = %1)", &id,
                        1);
    owner_narrow(call, &plan);
    return list_plan_reply(call, &plan, f);
}

static int
check_member(struct call *call, struct fault *f)
{
    struct member_exists_row row;
    int found =
        member_exists(call->db, call_param(call, "group_id"), call_param(call, "user_id"), &row, f);

    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "User %.64s is not found in group %.64s.",
                           call_param(call, "user_id"), call_param(call, "group_id"));
    return found < 0 ? -1 : 0;
}

int
group_check_user(struct call *call, struct fault *f)
{
    return load_path(call, false, f) < 0 ? -1 : check_member(call, f);
}

int
group_add_user(struct call *call, struct fault *f)
{
    if (load_path(call, true, f) < 0)
        return -1;
    if (member_add(call->db, call_param(call, "group_id"), call_param(call, "user_id"), f) >= 0)
        return 0;
    if (f->kind != FAULT_CONFLICT)
        return -1;
    fault_clear(f); /* One of them has just gone. */
    return load_path(call, false, f) < 0 ? -1 : check_member(call, f);
}

int
group_remove_user(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *user_id = call_param(call, "user_id");

    if (load_path(call, true, f) < 0 || check_member(call, f) < 0 ||
        db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (member_remove(tx.db, call_param(call, "group_id"), user_id, f) < 0 ||
        revoke_user(call, &tx, user_id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
