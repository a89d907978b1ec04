/* Identity providers, and service providers (which have nothing special but their place in tokens: token_view.c).
 *
 * A provider's users live in a domain: the one it is given, or one that is made with it. Its remote ids are rows of their
 * own, since no two providers may have the same. */
#include "base/str.h"
#include "base/uuid.h"
#include "federation.h"
#include "tokens.h"

enum { REMOTE_ID_MAX = 255 };

int
federation_revoke(struct call *call, struct db_tx *tx, const char *idp_id, const char *protocol_id,
                  struct fault *f)
{
    struct revocation r = { .idp_id = idp_id, .protocol_id = protocol_id };

    return revoke_tokens(call, tx, &r, f);
}

static int
store_remote_ids(struct db_tx *tx, const struct identity_provider *row, struct fault *f)
{
    for (size_t i = 0; i < row->remote_ids.count; i++) {
        const char *id = row->remote_ids.items[i];

        if (str_empty(id) || str_utf8_length(id) > REMOTE_ID_MAX)
            return fault_raise_field(f, "remote_ids", "A remote id has 1 to %d characters.",
                                     REMOTE_ID_MAX);
        if (remote_id_add(tx->db, id, row->id, (int32_t)i, f) >= 0)
            continue;
        if (f->kind != FAULT_CONFLICT)
            return -1;
        fault_clear(f);
        return fault_raise(f, FAULT_CONFLICT,
                           "Conflict occurred attempting to store identity_provider - Duplicate "
                           "remote ID: %.255s.",
                           id);
    }
    return 0;
}

static int
make_domain(struct db_tx *tx, struct identity_provider *row, struct fault *f)
{
    struct domain domain = { .id = uuid_make_hex(tx->db->arena), .enabled = true };

    domain.name = domain.id;
    domain.description =
        arena_printf(tx->db->arena, "Auto generated federated domain for Identity Provider: %s",
                     row->id);
    field_mark(&domain.set, DOMAIN_F_ID);
    field_mark(&domain.set, DOMAIN_F_NAME);
    field_mark(&domain.set, DOMAIN_F_DESCRIPTION);
    field_mark(&domain.set, DOMAIN_F_ENABLED);
    row->domain_id = domain.id;
    field_mark(&row->set, IDENTITY_PROVIDER_F_DOMAIN_ID);
    return resource_insert(tx->db, &domain_resource, &domain, f);
}

static int
prepare_create(struct call *call, struct db_tx *tx, struct identity_provider *row, struct fault *f)
{
    struct domain domain = { 0 };

    (void)call;
    if (row->domain_id == NULL)
        return make_domain(tx, row, f);
    return resource_load(tx->db, &domain_resource, row->domain_id, NULL, false, &domain, f);
}

static int
after_create(struct call *call, struct db_tx *tx, struct identity_provider *row, struct fault *f)
{
    (void)call;
    return store_remote_ids(tx, row, f);
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct identity_provider *old,
               struct identity_provider *row, struct fault *f)
{
    bool remote_ids = field_given(&row->set, IDENTITY_PROVIDER_F_REMOTE_IDS);
    bool disabled =
        field_given(&row->set, IDENTITY_PROVIDER_F_ENABLED) && old->enabled && !row->enabled;

    if (remote_ids &&
        (remote_ids_forget(tx->db, old->id, f) < 0 || store_remote_ids(tx, row, f) < 0))
        return -1;
    return remote_ids || disabled ? federation_revoke(call, tx, old->id, NULL, f) : 0;
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct identity_provider *row,
             struct fault *f)
{
    return federation_revoke(call, tx, row->id, NULL, f);
}

/* The remote ids of all rows in one statement. */
static int
load(struct call *call, struct db *db, struct identity_provider *const *rows, size_t count,
     struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct remote_ids_of_row *found;
    size_t found_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (remote_ids_of(db, &ids, &found, &found_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct texts *own = &rows[i]->remote_ids;

        *own = (struct texts){ .items = ARENA_ARRAY(call->arena, const char *, found_count + 1) };
        for (size_t j = 0; j < found_count; j++) {
            if (str_equal(found[j].idp_id, rows[i]->id))
                own->items[own->count++] = found[j].remote_id;
        }
        field_mark(&rows[i]->set, IDENTITY_PROVIDER_F_REMOTE_IDS);
    }
    return 0;
}

const struct identity_provider_hooks identity_provider_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
    .load = load,
};

/* They stand in every token's body, which is shown from memory. */
static void
sp_committed(struct call *call, const struct service_provider *row)
{
    (void)row;
    catalog_changed(call);
}

const struct service_provider_hooks service_provider_hooks = {
    .committed = sp_committed,
};
