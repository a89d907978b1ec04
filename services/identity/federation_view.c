/* What a token's body shows of federation. */
#include "federation.h"
#include "kept_text.h"

#define CACHE_KEY                                                                                  \
    "/service_providers" /* Among the projects' catalogues, whose ids have no slash. */

static int
render(struct call *call, const void *object, struct jsonw *w, struct fault *f)
{
    struct service_providers_enabled_row *rows;
    size_t count;

    (void)object;
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

int
federation_write_service_providers(struct call *call, struct jsonw *w, struct fault *f)
{
    const char *text;
    size_t size;

    if (kept_text(call, identity_of(call)->catalogs, CACHE_KEY, render, NULL, &text, &size, f) < 0)
        return -1;
    if (size > strlen("[]")) /* Without any the member is not there. */
        jsonw_raw(w, "service_providers", text, size);
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
