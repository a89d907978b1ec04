/* /servers/{id}/metadata */
#include "base/json.h"
#include "base/str.h"
#include "quotas.h"
#include "servers.h"

static void
reply_all(struct call *call, const char *key, const json_t *metadata)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_json(w, key, metadata);
    jsonw_end(w);
}

int
server_metadata_list(struct call *call, struct fault *f)
{
    struct server server;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    reply_all(call, "metadata", server.metadata);
    return 0;
}

/* Stores what 'make' makes of the old items, under the server's lock. */
static int
change(struct call *call, const json_t *given,
       json_t *(*make)(struct call *call, const json_t *old, const json_t *given), json_t **ret,
       struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct server server;
    int64_t limit;

    if (db_tx_begin(&tx, call->db, f) < 0 || server_load(call, tx.db, true, &server, f) < 0 ||
        quota_limit(call, tx.db, server.project_id, "metadata_items", &limit, f) < 0)
        return -1;
    if (server.locked && !call_is_admin(call))
        return fault_raise(f, FAULT_CONFLICT, "Instance %s is locked", server.id);
    *ret = make(call, server.metadata, given);
    if (*ret == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Metadata item was not found");
    if (limit >= 0 && json_object_size(*ret) > (size_t)limit)
        return fault_raise(f, FAULT_QUOTA, "Maximum number of metadata items exceeds %lld",
                           (long long)limit);
    if (server_set_metadata(tx.db, server.id, *ret, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

static json_t *
merge(struct call *call, const json_t *old, const json_t *given)
{
    json_t *all = json_own(call->arena, json_copy((json_t *)(uintptr_t)old));

    json_object_update(all, (json_t *)(uintptr_t)given);
    return all;
}

static json_t *
replace(struct call *call, const json_t *old, const json_t *given)
{
    (void)old;
    return json_own(call->arena, json_copy((json_t *)(uintptr_t)given));
}

static json_t *
without(struct call *call, const json_t *old, const json_t *given)
{
    json_t *all = json_own(call->arena, json_copy((json_t *)(uintptr_t)old));

    (void)given;
    return json_object_del(all, call_param(call, "key")) < 0 ? NULL : all;
}

int
server_metadata_merge(struct call *call, const struct server_metadata *in, struct fault *f)
{
    json_t *all;

    if (change(call, in->metadata, merge, &all, f) < 0)
        return -1;
    reply_all(call, "metadata", all);
    return 0;
}

int
server_metadata_replace(struct call *call, const struct server_metadata *in, struct fault *f)
{
    json_t *all;

    if (change(call, in->metadata, replace, &all, f) < 0)
        return -1;
    reply_all(call, "metadata", all);
    return 0;
}

int
server_metadata_show(struct call *call, struct fault *f)
{
    const char *key = call_param(call, "key");
    struct server server;

    if (server_load(call, call->db, false, &server, f) < 0)
        return -1;
    if (json_object_get(server.metadata, key) == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Metadata item was not found");
    reply_all(call, "meta",
              json_own(call->arena,
                       json_pack("{s:O}", key, json_object_get(server.metadata, key))));
    return 0;
}

int
server_metadata_set(struct call *call, const struct server_metadata_item *in, struct fault *f)
{
    json_t *all;

    if (json_object_size(in->meta) != 1 ||
        json_object_get(in->meta, call_param(call, "key")) == NULL)
        return fault_raise_field(f, "meta", "Request body and URI mismatch");
    if (change(call, in->meta, merge, &all, f) < 0)
        return -1;
    reply_all(call, "meta", in->meta);
    return 0;
}

int
server_metadata_delete(struct call *call, struct fault *f)
{
    json_t *all;

    return change(call, NULL, without, &all, f);
}
