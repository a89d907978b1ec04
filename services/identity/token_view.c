/* A token's body, as POST and GET /v3/auth/tokens answer it, and the catalogue. */
#include "base/clock.h"
#include "base/str.h"
#include "endpoint_url.h"
#include "federation.h"
#include "kept_text.h"
#include "tokens.h"

static void
write_named(struct jsonw *w, const char *key, const char *id, const char *name)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", id);
    jsonw_text(w, "name", name);
    jsonw_end(w);
}

static void
write_endpoint(struct jsonw *w, const struct catalog_rows_row *row, const char *url)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "id", row->endpoint_id);
    jsonw_text(w, "interface", row->interface);
    jsonw_text(w, "region_id", row->region_id);
    jsonw_text(w, "region", row->region_id);
    jsonw_text(w, "url", url);
    jsonw_end(w);
}

/* Ends the service that stands open, if one does, and begins that of 'row', if there is one. */
static void
begin_service(struct jsonw *w, const struct catalog_rows_row **open,
              const struct catalog_rows_row *row)
{
    if (*open != NULL) {
        jsonw_end(w);
        jsonw_end(w);
    }
    *open = row;
    if (row == NULL)
        return;
    jsonw_object(w, NULL);
    jsonw_text(w, "id", row->service_id);
    jsonw_text(w, "type", row->service_type);
    jsonw_text(w, "name", row->service_name == NULL ? "" : row->service_name);
    jsonw_array(w, "endpoints");
}

/* A service without an endpoint for this token stands there all the same, as upstream's does; unless the project has a filter. Returns 1 if
 * the catalogue is this user's alone, because a URL of it names him. */
static int
catalog_render(struct call *call, const void *object, struct jsonw *w, struct fault *f)
{
    const struct auth_context *token = object;
    const struct catalog_rows_row *open = NULL;
    struct catalog_rows_row *rows;
    bool personal = false;
    size_t count;

    if (catalog_rows(call->db, token->project_id, &rows, &count, f) < 0)
        return -1;
    jsonw_array(w, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct catalog_rows_row *row = &rows[i];
        const char *url = row->url == NULL ? NULL
                                           : endpoint_url_fill(call->arena, row->url,
                                                               token->project_id, token->user_id);

        if (url == NULL && row->filtered)
            continue;
        if (open == NULL || !str_equal(open->service_id, row->service_id))
            begin_service(w, &open, row);
        if (url == NULL)
            continue;
        personal = personal || strstr(row->url, "(user_id)") != NULL;
        write_endpoint(w, row, url);
    }
    begin_service(w, &open, NULL);
    jsonw_end(w);
    return personal ? 1 : 0;
}

void
catalog_changed(struct call *call)
{
    catalog_cache_invalidate(identity_of(call)->catalogs);
}

/* What the catalogue says depends on the token's project only, unless a URL names the user. */
int
catalog_write(struct call *call, const struct auth_context *token, struct jsonw *w, const char *key,
              struct fault *f)
{
    const char *project = token->project_id == NULL ? "" : token->project_id, *text;
    size_t size;

    if (kept_text(call, identity_of(call)->catalogs, project, catalog_render, token, &text, &size,
                  f) < 0)
        return -1;
    jsonw_raw(w, key, text, size);
    return 0;
}

static void
write_scope(struct jsonw *w, const struct auth_context *token)
{
    switch (token->scope) {
    case SCOPE_PROJECT:
        if (token->trust_id == NULL)
            jsonw_bool(w, "is_domain", false);
        jsonw_object(w, "project");
        jsonw_text(w, "id", token->project_id);
        jsonw_text(w, "name", token->project_name);
        write_named(w, "domain", token->project_domain_id, token->project_domain_name);
        jsonw_end(w);
        break;
    case SCOPE_DOMAIN:
        write_named(w, "domain", token->domain_id, token->domain_name);
        break;
    case SCOPE_SYSTEM:
        jsonw_object(w, "system");
        jsonw_bool(w, "all", true);
        jsonw_end(w);
        break;
    case SCOPE_NONE:
        return;
    }
    jsonw_array(w, "roles");
    for (size_t i = 0; i < token->roles_count; i++)
        write_named(w, NULL, token->role_ids[i], token->roles[i]);
    jsonw_end(w);
}

static void
write_user_ref(struct jsonw *w, const char *key, const char *id)
{
    jsonw_object(w, key);
    jsonw_text(w, "id", id);
    jsonw_end(w);
}

static void
write_trust(struct jsonw *w, const struct auth_context *token)
{
    if (token->trust_id == NULL)
        return;
    jsonw_object(w, "OS-TRUST:trust");
    jsonw_text(w, "id", token->trust_id);
    write_user_ref(w, "trustor_user", token->trustor_id);
    write_user_ref(w, "trustee_user", token->trustee_id);
    /* The second is for tokens of a daemon that did not write the first. */
    jsonw_bool(w, "impersonation",
               !token->trust_own_name && str_equal(token->user_id, token->trustor_id));
    jsonw_end(w);
}

static void
write_oauth1(struct jsonw *w, const struct auth_context *token)
{
    if (token->access_token_id == NULL)
        return;
    jsonw_object(w, "OS-OAUTH1");
    jsonw_text(w, "access_token_id", token->access_token_id);
    jsonw_text(w, "consumer_id", token->consumer_id);
    jsonw_end(w);
}

static int
app_cred_render(struct call *call, const void *object, struct jsonw *w, struct fault *f)
{
    const struct auth_context *token = object;
    const struct texts ids = { .items = (const char **)(uintptr_t)&token->app_cred_id, .count = 1 };
    struct app_cred_named_row row;
    struct app_cred_rules_row *rules = NULL;
    size_t count = 0;
    int found = app_cred_named(call->db, token->app_cred_id, &row, f);

    if (found < 0 ||
        (token->access_rules_count > 0 && app_cred_rules(call->db, &ids, &rules, &count, f) < 0))
        return -1;
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find token.");
    jsonw_object(w, NULL);
    jsonw_text(w, "id", token->app_cred_id);
    jsonw_text(w, "name", row.name);
    jsonw_bool(w, "restricted", token->app_cred_restricted);
    if (count > 0)
        jsonw_array(w, "access_rules");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "id", rules[i].id);
        jsonw_text(w, "service", rules[i].service);
        jsonw_text(w, "path", rules[i].path);
        jsonw_text(w, "method", rules[i].method);
        jsonw_end(w);
    }
    if (count > 0)
        jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* It is never changed, only deleted; so that its tokens have ended shows before anybody comes here. */
static int
write_app_cred(struct call *call, const struct auth_context *token, struct jsonw *w,
               struct fault *f)
{
    const char *text;
    size_t size;

    if (token->app_cred_id == NULL)
        return 0;
    if (kept_text(call, identity_of(call)->app_creds, token->app_cred_id, app_cred_render, token,
                  &text, &size, f) < 0)
        return -1;
    jsonw_raw(w, "application_credential", text, size);
    return 0;
}

static void
write_user(struct call *call, const struct auth_context *token, struct jsonw *w)
{
    int64_t expires_us = token->password_expires_us;

    jsonw_object(w, "user");
    jsonw_text(w, "id", token->user_id);
    jsonw_text(w, "name", token->user_name);
    write_named(w, "domain", token->user_domain_id, token->user_domain_name);
    if (token->idp_id != NULL)
        federation_write_user(w, token);
    else
        jsonw_text(w, "password_expires_at",
                   expires_us == 0 ? NULL : clock_format(call->arena, expires_us, CLOCK_MICRO));
    jsonw_end(w);
}

int
token_write(struct call *call, const struct auth_context *token, bool with_catalog, struct fault *f)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "token");
    jsonw_array(w, "methods");
    for (size_t i = 0; i < token->methods_count; i++)
        jsonw_text(w, NULL, token->methods[i]);
    jsonw_end(w);
    write_user(call, token, w);
    jsonw_array(w, "audit_ids");
    jsonw_text(w, NULL, token->audit_id);
    if (!str_equal(token->audit_id, token->audit_chain_id))
        jsonw_text(w, NULL, token->audit_chain_id);
    jsonw_end(w);
    call_write_time(call, w, "expires_at", token->expires_us);
    call_write_time(call, w, "issued_at", token->issued_us);
    write_scope(w, token);
    write_trust(w, token);
    write_oauth1(w, token);
    if (write_app_cred(call, token, w, f) < 0)
        return -1;
    if (with_catalog && token->scope != SCOPE_NONE &&
        catalog_write(call, token, w, "catalog", f) < 0)
        return -1;
    if (federation_write_service_providers(call, w, f) < 0)
        return -1;
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}
