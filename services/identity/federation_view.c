/* What a token's body shows of federation. */
#include "catalog_cache.h"
#include "federation.h"
#include "watch.h"

#define CACHE_KEY                                                                                  \
    "/service_providers" /* Among the projects' catalogues, whose ids have no slash. */

static int
render(struct call *call, struct jsonw *w, struct fault *f)
{
    struct service_providers_enabled_row *rows;
    size_t count;

    if (service_providers_enabled(call->db, &rows, &count, f) < 0)
        return -1;
    jsonw_array(w, NULL);
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "auth_url", rows[i].auth_url);
        jsonw_text(w, "id", rows[i].id);
        jsonw_text(w, "sp_url", rows[i].sp_url);
        jsonw_end(w);
    }
    jsonw_end(w);
    return 0;
}

static void
write_list(struct jsonw *w, const char *text, size_t size)
{
    if (size > strlen("[]")) /* Without any the member is not there. */
        jsonw_raw(w, "service_providers", text, size);
}

int
federation_write_service_providers(struct call *call, struct jsonw *w, struct fault *f)
{
    struct identity *identity = identity_of(call);
    bool current = watch_is_current(identity->watch);
    _cleanup_(str_done) struct str made = { 0 };
    const char *text = NULL;
    uint64_t generation;
    struct jsonw into;
    size_t size;

    if (current)
        text = catalog_cache_get(identity->catalogs, CACHE_KEY, call->arena, &size);
    if (text != NULL) {
        write_list(w, text, size);
        return 0;
    }
    if (call->at_once)
        return call_decline(call);
    generation = catalog_cache_generation(identity->catalogs);
    jsonw_init(&into, &made);
    if (render(call, &into, f) < 0)
        return -1;
    if (current)
        catalog_cache_put(identity->catalogs, CACHE_KEY, generation, made.data, made.size);
    write_list(w, made.data, made.size);
    return 0;
}

static void
write_id(struct jsonw *w, const char *key, const char *id)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", id);
    jsonw_end(w);
}

void
federation_write_user(struct jsonw *w, const struct auth_context *token)
{
    jsonw_object(w, "OS-FEDERATION");
    jsonw_array(w, "groups");
    for (size_t i = 0; i < token->group_ids_count; i++)
        write_id(w, NULL, token->group_ids[i]);
    jsonw_end(w);
    write_id(w, "identity_provider", token->idp_id);
    write_id(w, "protocol", token->protocol_id);
    jsonw_end(w);
}
