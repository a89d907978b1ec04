/* /v3/users/{user_id}/credentials/OS-EC2: credentials of type "ec2" under another face. Access key and secret are made here. */
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "credential_secret.h"
#include "credentials.h"
#include "http/url.h"

static int
write_one(struct call *call, const struct credential_row *row, struct jsonw *w, const char *key,
          struct fault *f)
{
    const char *text;
    json_t *blob;

    if (credential_blob(call, row, &text, f) < 0 ||
        credential_read_ec2(call->arena, text, &blob, f) < 0)
        return -1;
    jsonw_object(w, key);
    jsonw_text(w, "user_id", row->user_id);
    jsonw_text(w, "tenant_id", row->project_id);
    jsonw_text(w, "access", json_get_text(blob, "access"));
    jsonw_text(w, "secret", json_get_text(blob, "secret"));
    jsonw_text(w, "trust_id", json_get_text(blob, "trust_id"));
    jsonw_object(w, "links");
    jsonw_text(w, "self",
               call_url(call, "/v3/users/%s/credentials/OS-EC2/%s",
                        url_encode(call->arena, row->user_id),
                        url_encode(call->arena, json_get_text(blob, "access"))));
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
reply_one(struct call *call, const struct credential_row *row, struct fault *f)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    if (write_one(call, row, w, "credential", f) < 0)
        return -1;
    jsonw_end(w);
    return 0;
}

static int
load_user(struct call *call, struct fault *f)
{
    struct user user = { 0 };

    return resource_load(call->db, &user_resource, call_param(call, "user_id"), NULL, false, &user,
                         f);
}

int
ec2_list(struct call *call, struct fault *f)
{
    const char *user_id = call_param(call, "user_id");
    struct credential_row *rows;
    struct jsonw *w;
    size_t count;

    if (credential_check_primary(call, f) < 0 || load_user(call, f) < 0 ||
        credentials_of_user(call->db, user_id, "ec2", &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "credentials");
    for (size_t i = 0; i < count; i++) {
        if (write_one(call, &rows[i], w, NULL, f) < 0)
            return -1;
    }
    jsonw_end(w);
    dialect_list_links(call->dialect, w, "credentials",
                       call_url(call, "/v3/users/%s/credentials/OS-EC2",
                                url_encode(call->arena, user_id)),
                       NULL, NULL);
    jsonw_end(w);
    return 0;
}

/* The blob of a new one, as the credentials API would have been sent it. */
static const char *
new_blob(struct arena *a, const char *access)
{
    json_t *blob = json_own(a, json_pack("{ssssso}", "access", access, "secret", uuid_make_hex(a),
                                         "trust_id", json_null()));

    return json_text(a, blob);
}

/* A domain is a project too. */
static int
check_project(struct call *call, const char *id, struct fault *f)
{
    struct domain_project domain = { 0 };
    struct project project = { 0 };

    if (resource_load(call->db, &project_resource, id, NULL, false, &project, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return resource_load(call->db, &domain_project_resource, id, NULL, false, &domain, f);
}

int
ec2_create(struct call *call, const struct ec2_create *in, struct fault *f)
{
    const char *access = uuid_make_hex(call->arena);
    struct credential row = { .id = credential_ec2_id(call->arena, access),
                              .user_id = call_param(call, "user_id"),
                              .project_id = in->tenant_id,
                              .type = "ec2",
                              .blob = new_blob(call->arena, access) };
    static const unsigned given[] = { CREDENTIAL_F_ID, CREDENTIAL_F_USER_ID,
                                      CREDENTIAL_F_PROJECT_ID, CREDENTIAL_F_TYPE };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        field_mark(&row.set, given[i]);
    if (call_enforce(call, call->operation->policy, &credential_resource, &row, f) < 0 ||
        credential_check_primary(call, f) < 0 || load_user(call, f) < 0 ||
        check_project(call, in->tenant_id, f) < 0)
        return -1;
    if (db_tx_begin(&tx, call->db, f) < 0 ||
        credential_check_limit(call, &tx, row.user_id, f) < 0 ||
        credential_hide(call, &row, f) < 0 ||
        resource_insert(tx.db, &credential_resource, &row, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    return reply_one(call,
                     &(struct credential_row){ .id = row.id,
                                               .user_id = row.user_id,
                                               .project_id = row.project_id,
                                               .type = row.type,
                                               .sealed = row.sealed,
                                               .sealed_by = row.sealed_by },
                     f);
}

/* The one that the path names, if it is that user's and the caller may. */
static int
load_one(struct call *call, struct credential_row *ret, struct fault *f)
{
    const char *id = credential_ec2_id(call->arena, call_param(call, "access"));
    struct credential seen = { 0 };
    int found = credential_find(call->db, id, ret, f);

    if (found < 0)
        return -1;
    if (found == 0 || !credential_is_ec2(ret->type) ||
        !str_equal(ret->user_id, call_param(call, "user_id")))
        return resource_not_found(&credential_resource, id, f);
    seen.id = ret->id;
    seen.user_id = ret->user_id;
    seen.project_id = ret->project_id;
    field_mark(&seen.set, CREDENTIAL_F_ID);
    field_mark(&seen.set, CREDENTIAL_F_USER_ID);
    field_mark(&seen.set, CREDENTIAL_F_PROJECT_ID);
    if (call_enforce(call, call->operation->policy, &credential_resource, &seen, f) < 0)
        return -1;
    return credential_check_primary(call, f);
}

int
ec2_show(struct call *call, struct fault *f)
{
    struct credential_row row;

    return load_one(call, &row, f) < 0 ? -1 : reply_one(call, &row, f);
}

int
ec2_delete(struct call *call, struct fault *f)
{
    struct credential_row row;

    return load_one(call, &row, f) < 0 ? -1
                                       : resource_remove(call->db, &credential_resource, row.id, f);
}
