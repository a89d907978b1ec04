/* Resource providers: create, show, change, delete, and their place in a tree. Lists are in provider_list.c. */
#include "providers.h"

#include "base/str.h"
#include "base/uuid.h"
#include "reply.h"

static const struct {
    const char *name;
    int since;
} links[] = { { "inventories", 1000 },
              { "usages", 1000 },
              { "aggregates", 1001 },
              { "traits", 1006 },
              { "allocations", 1011 } };

static void
write_link(struct jsonw *w, const char *rel, const char *href)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", rel);
    jsonw_text(w, "href", href);
    jsonw_end(w);
}

void
provider_write(struct call *call, const struct provider_view *p, struct jsonw *w)
{
    char href[128];

    jsonw_object(w, NULL);
    jsonw_text(w, "uuid", p->uuid);
    jsonw_text(w, "name", p->name);
    jsonw_int(w, "generation", p->generation);
    jsonw_array(w, "links");
    snprintf(href, sizeof(href), "/resource_providers/%.40s", p->uuid);
    write_link(w, "self", href);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (call->version < links[i].since)
            continue;
        snprintf(href, sizeof(href), "/resource_providers/%.40s/%s", p->uuid, links[i].name);
        write_link(w, links[i].name, href);
    }
    jsonw_end(w);
    if (call_at_least(call, 1, 14)) {
        jsonw_text(w, "parent_provider_uuid", p->parent_uuid);
        jsonw_text(w, "root_provider_uuid", p->root_uuid);
    }
    jsonw_end(w);
}

static void
reply(struct call *call, const struct provider_row *row)
{
    struct provider_view view = { row->uuid, row->name, row->parent_uuid, row->root_uuid,
                                  row->generation };

    provider_write(call, &view, reply_json(call, row->updated_at));
}

int
provider_show(struct call *call, struct fault *f)
{
    struct provider_row row;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &row, f) < 0)
        return -1;
    reply(call, &row);
    return 0;
}

/* --- Create */

/* Words for a name or UUID that is taken, whatever else the database says. */
static int
taken(const char *uuid, const char *name, bool create, struct fault *f)
{
    if (f->kind != FAULT_CONFLICT)
        return -1;
    if (str_equal(f->code, "provider_uuid_key"))
        return fault_raise_code(f, FAULT_CONFLICT, CODE_DUPLICATE_NAME,
                                "Conflicting resource provider uuid: %s already exists.", uuid);
    if (str_equal(f->code, "provider_name_key"))
        return fault_raise_code(f, FAULT_CONFLICT, CODE_DUPLICATE_NAME,
                                "Conflicting resource provider %s%s already exists.",
                                create ? "name: " : "", name);
    return -1;
}

static int
cannot_create(const char *uuid, const char *name, const char *reason, struct fault *f)
{
    return fault_raise(
        f, FAULT_INVALID,
        "Unable to create resource provider \"%s\", %s: Object action create failed because: %s",
        name, uuid, reason);
}

static int
insert(struct call *call, const char *uuid, const char *name, const char *parent_uuid,
       struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_insert_row fresh;
    struct provider_row parent;
    int r;

    if (db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (parent_uuid != NULL) {
        /* Trees are changed one at a time: two moves that are fine alone can make a circle together. */
        if (db_tx_lock(&tx, "placement.trees", f) < 0)
            return -1;
        if (str_equal(parent_uuid, uuid))
            return cannot_create(uuid, name,
                                 "parent provider UUID cannot be same as UUID. Please set parent "
                                 "provider UUID to None if "
                                 "there is no parent.",
                                 f);
        r = provider_find(call->db, parent_uuid, &parent, f);
        if (r < 0)
            return r;
        if (r == 0)
            return cannot_create(uuid, name, "parent provider UUID does not exist.", f);
    }
    if (provider_insert(call->db, uuid, name, parent_uuid, &fresh, f) < 0)
        return taken(uuid, name, true, f);
    return db_tx_commit(&tx, f);
}

int
provider_create(struct call *call, const struct provider_create *in, struct fault *f)
{
    const char *uuid =
        in->uuid == NULL ? uuid_make(call->arena) : uuid_normal(call->arena, in->uuid);
    struct provider_row row;

    if (str_empty(in->name))
        return cannot_create(uuid, in->name, "name is required", f);
    if (insert(call, uuid, in->name, in->parent_provider_uuid, f) < 0)
        return -1;
    call_header(call, "Location", call_url(call, "/resource_providers/%s", uuid));
    if (!call_at_least(call, 1, 20)) {
        call_status(call, 201);
        return 0;
    }
    if (provider_find(call->db, uuid, &row, f) <= 0)
        return f->kind != FAULT_NONE
                   ? -1
                   : fault_raise(f, FAULT_CONFLICT, "Resource provider %s was deleted meanwhile.",
                                 uuid);
    reply(call, &row);
    return 0;
}

/* --- Change */

static int
cannot_save(const struct provider_row *row, const char *action, const char *reason, struct fault *f)
{
    return fault_raise(f, FAULT_INVALID,
                       "Unable to save resource provider %s: Object action %s failed because: %s",
                       row->uuid, action, reason);
}

/* Puts the provider below 'parent_uuid', or (NULL) makes it a root. */
static int
move(struct call *call, const struct provider_row *row, const char *parent_uuid, struct fault *f)
{
    bool may_move = call_at_least(call, 1, 37);
    struct provider_is_below_row loop;
    struct provider_row parent;
    int r;

    if (parent_uuid == NULL) {
        if (row->parent_id_null)
            return 0;
        if (!may_move)
            return cannot_save(row, "update", "un-parenting a provider is not currently allowed.",
                               f);
        return provider_move(call->db, row->id, NULL, row->id, f);
    }
    r = provider_find(call->db, parent_uuid, &parent, f);
    if (r < 0)
        return r;
    if (r == 0)
        return cannot_save(row, "create", "parent provider UUID does not exist.", f);
    if (!row->parent_id_null && row->parent_id == parent.id)
        return 0;
    if (!row->parent_id_null && !may_move)
        return cannot_save(row, "update", "re-parenting a provider is not currently allowed.", f);
    if (provider_is_below(call->db, parent.id, row->id, &loop, f) < 0)
        return -1;
    if (loop.below)
        return cannot_save(row, "update", "creating loop in the provider tree is not allowed.", f);
    return provider_move(call->db, row->id, &parent.id, parent.root_id, f);
}

int
provider_update(struct call *call, const struct provider_update *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_row row;

    if (db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (field_given(&in->set, PROVIDER_UPDATE_F_PARENT_PROVIDER_UUID) &&
        db_tx_lock(&tx, "placement.trees", f) < 0)
        return -1;
    if (provider_of_path(call, &row, f) < 0)
        return -1;
    if (field_given(&in->set, PROVIDER_UPDATE_F_PARENT_PROVIDER_UUID) &&
        move(call, &row, in->parent_provider_uuid, f) < 0)
        return -1;
    if (provider_rename(call->db, row.id, in->name, f) < 0)
        return taken(row.uuid, in->name, false, f);
    if (provider_of_path(call, &row, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    reply(call, &row);
    return 0;
}

/* --- Delete */

static int
is_parent(const char *uuid, struct fault *f)
{
    return fault_raise_code(
        f, FAULT_CONFLICT, CODE_PROVIDER_IS_PARENT,
        "Unable to delete parent resource provider %s: It has child resource providers.", uuid);
}

static int
in_use(const char *uuid, struct fault *f)
{
    return fault_raise_code(
        f, FAULT_CONFLICT, CODE_PROVIDER_IN_USE,
        "Unable to delete resource provider %s: Resource provider has allocations.", uuid);
}

int
provider_delete(struct call *call, struct fault *f)
{
    const char *uuid = call_param(call, "uuid");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_has_allocations_row allocations;
    struct provider_has_children_row children;
    struct provider_lock_row row;
    int r;

    if (db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    r = provider_lock(call->db, uuid, &row, f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "No resource provider with uuid %.100s found for delete", uuid);
    if (provider_has_children(call->db, row.id, &children, f) < 0)
        return -1;
    if (children.children)
        return is_parent(uuid, f);
    if (provider_has_allocations(call->db, row.id, &allocations, f) < 0)
        return -1;
    if (allocations.allocated)
        return in_use(uuid, f);
    /* A child that was made since, or a claim, shows as a foreign key. */
    if (provider_remove(call->db, row.id, f) < 0) {
        if (str_equal(f->code, "provider_parent_fkey"))
            return is_parent(uuid, f);
        return str_equal(f->code, "allocation_inventory_fkey") ? in_use(uuid, f) : -1;
    }
    return db_tx_commit(&tx, f);
}
