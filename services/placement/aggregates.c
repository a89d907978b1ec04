/* Aggregates: groups of providers, by UUIDs that mean something elsewhere (compute's host aggregates). A bare list of them up
 * to 1.18; with the provider's generation, which is then checked and moved, from 1.19. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "reply.h"

static void
reply(struct call *call, const char *const *uuids, size_t count, int64_t generation)
{
    struct jsonw *w = reply_json(call, 0);

    jsonw_object(w, NULL);
    jsonw_array(w, "aggregates");
    for (size_t i = 0; i < count; i++)
        jsonw_text(w, NULL, uuids[i]);
    jsonw_end(w);
    if (call_at_least(call, 1, 19))
        jsonw_int(w, "resource_provider_generation", generation);
    jsonw_end(w);
}

int
aggregates_show(struct call *call, struct fault *f)
{
    struct aggregate_list_row *rows;
    struct provider_row provider;
    const char **uuids;
    size_t count;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    if (aggregate_list(call->db, provider.id, &rows, &count, f) < 0)
        return -1;
    uuids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        uuids[i] = rows[i].aggregate;
    reply(call, uuids, count, provider.generation);
    return 0;
}

static int
parse(struct call *call, struct provider_aggregates *ret, struct fault *f)
{
    json_t *wrapped = call->body;

    if (!call_at_least(call, 1, 19)) {
        if (!json_is_array(call->body))
            return fault_keyword(
                f, "type",
                fault_raise_field(
                    f, "body",
                    "Invalid input for field/attribute body. %.200s is not of type 'array'",
                    json_repr(call->arena, call->body)));
        wrapped = json_own(call->arena, json_object());
        json_object_set(wrapped, "aggregates", call->body);
        json_object_set_new(wrapped, "resource_provider_generation",
                            json_integer(0)); /* Not looked at. */
    }
    if (schema_parse(&provider_aggregates_schema, wrapped, SCHEMA_CREATE, call->version, NULL,
                     call->arena, ret, f) < 0)
        return -1;
    for (size_t i = 0; i < ret->aggregates.count; i++) {
        if (!uuid_check_loose(ret->aggregates.items[i]))
            return fault_keyword(
                f, "format",
                fault_raise_field(
                    f, "aggregates",
                    "Invalid input for field/attribute aggregates. '%.100s' is not a 'uuid'",
                    ret->aggregates.items[i]));
    }
    return 0;
}

int
aggregates_update(struct call *call, struct fault *f)
{
    bool counted = call_at_least(call, 1, 19);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_aggregates in = { 0 };
    struct provider_touch_row touched;
    struct provider_lock_row provider;

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0 ||
        call_body(call, f) < 0 || parse(call, &in, f) < 0)
        return -1;
    if (counted && in.resource_provider_generation != provider.generation)
        return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                                "Resource provider's generation already changed. Please update the "
                                "generation and try again.");
    if (aggregate_set(call->db, provider.id, &in.aggregates, f) < 0 ||
        provider_touch(call->db, provider.id, counted ? 1 : 0, &touched, f) < 0)
        return -1;
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    reply(call, in.aggregates.items, in.aggregates.count, touched.generation);
    return 0;
}
