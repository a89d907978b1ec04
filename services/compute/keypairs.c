/* /os-keypairs: a user's, not a project's. */
#include "base/str.h"
#include "http/url.h"
#include "quotas.h"
#include "ssh_key.h"

/* Whose: the caller's, or for operators (2.10) the one that ?user_id= names. */
static int
owner(struct call *call, const char *asked, const char **ret, struct fault *f)
{
    *ret = call->auth.user_id;
    if (asked == NULL || !call_at_least(call, 2, 10) || str_equal(asked, call->auth.user_id))
        return 0;
    if (!call_is_admin(call))
        return fault_raise(f, FAULT_FORBIDDEN, "Policy doesn't allow %s to be performed.",
                           call->operation->policy);
    *ret = asked;
    return 0;
}

static void
write_keypair(struct call *call, struct jsonw *w, const struct keypair_row *row, bool whole,
              const char *private_key)
{
    jsonw_object(w, "keypair");
    jsonw_text(w, "name", row->name);
    jsonw_text(w, "public_key", row->public_key);
    jsonw_text(w, "fingerprint", row->fingerprint);
    if (call_at_least(call, 2, 2))
        jsonw_text(w, "type", row->type);
    if (whole) {
        jsonw_text(w, "user_id", row->user_id);
        if (private_key != NULL) {
            jsonw_text(w, "private_key", private_key);
        } else if (call->request->method == HTTP_GET) {
            jsonw_int(w, "id", row->number);
            jsonw_bool(w, "deleted", false);
            call_write_time(call, w, "created_at", row->created_at);
            jsonw_text(w, "updated_at", NULL);
            jsonw_text(w, "deleted_at", NULL);
        }
    }
    jsonw_end(w);
}

int
keypair_list(struct call *call, struct fault *f)
{
    const char *limit_text = call_query(call, "limit");
    const char *marker = call_at_least(call, 2, 35) ? call_query(call, "marker") : NULL;
    struct keypair_row *rows, row;
    const char *user_id;
    int64_t limit = 1000;
    struct jsonw *w;
    size_t count, shown;

    if (owner(call, call_query(call, "user_id"), &user_id, f) < 0)
        return -1;
    if (limit_text != NULL && call_at_least(call, 2, 35) &&
        str_to_int64(limit_text, 0, 1000, &limit) < 0)
        return fault_raise_field(f, "limit",
                                 "Invalid input for query parameters limit. Value: %.50s.",
                                 limit_text);
    if (marker != NULL && keypair_get(call->db, user_id, marker, &row, f) != 1)
        return f->kind != FAULT_NONE
                   ? -1
                   : fault_raise_field(f, "marker", "marker [%.100s] not found", marker);
    if (keypairs_of(call->db, user_id, marker, limit + 1, &rows, &count, f) < 0)
        return -1;
    shown = MIN(count, (size_t)limit);
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "keypairs");
    for (size_t i = 0; i < shown; i++) {
        jsonw_object(w, NULL);
        write_keypair(call, w, &rows[i], false, NULL);
        jsonw_end(w);
    }
    jsonw_end(w);
    if (call_at_least(call, 2, 35) && count > shown && shown > 0)
        dialect_list_links(call->dialect, w, "keypairs", NULL,
                           call_url(call, "/v2.1/os-keypairs?limit=%lld&marker=%s",
                                    (long long)limit,
                                    url_encode(call->arena, rows[shown - 1].name)),
                           NULL);
    jsonw_end(w);
    return 0;
}

/* Upstream takes letters, digits, spaces and "@._-". */
static bool
name_is_good(const char *name)
{
    size_t size = strlen(name);

    return name[0] != ' ' && name[size - 1] != ' ' &&
           name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 @._-")] ==
               '\0';
}

static int
make_key(struct call *call, const struct keypair_create *in, struct keypair_row *row,
         char **private_key, struct fault *f)
{
    char *public_key = NULL;

    if (in->public_key != NULL) {
        row->public_key = in->public_key;
    } else {
        if (call_at_least(call, 2, 92))
            return fault_raise_field(
                f, "public_key",
                "Invalid input for field/attribute keypair. 'public_key' is a required property");
        if (ssh_key_generate(call->arena, "generated-by-virga", &public_key, private_key, f) < 0)
            return -1;
        row->public_key = public_key;
    }
    return ssh_key_fingerprint(call->arena, row->public_key, &row->fingerprint, f);
}

int
keypair_create(struct call *call, const struct keypair_create *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct keypair_row row = { .name = in->name, .type = "ssh" };
    struct keypairs_count_row used;
    char *private_key = NULL;
    int64_t limit;
    struct jsonw *w;
    int made;

    if (owner(call, in->user_id, &row.user_id, f) < 0)
        return -1;
    if (!name_is_good(in->name))
        return fault_raise_field(
            f, "name", "Keypair data is invalid: Keypair name contains unsafe characters");
    if (field_given(&in->set, KEYPAIR_CREATE_F_TYPE) && in->type == KEYPAIR_CREATE_TYPE_X509)
        return fault_raise_field(
            f, "type",
            "Keypair data is invalid: certificates of type x509 are not supported by this cloud");
    if (make_key(call, in, &row, &private_key, f) < 0 || db_tx_begin(&tx, call->db, f) < 0)
        return -1;
    if (db_tx_lock(&tx, arena_printf(call->arena, "keypairs:%s", row.user_id), f) < 0 ||
        keypairs_count(tx.db, row.user_id, &used, f) < 0 ||
        quota_limit(call, tx.db, call->auth.project_id == NULL ? "" : call->auth.project_id,
                    "key_pairs", &limit, f) < 0)
        return -1;
    if (limit >= 0 && used.count >= limit)
        return fault_raise(f, FAULT_QUOTA, "Quota exceeded, too many key pairs.");
    made =
        keypair_insert(tx.db, row.user_id, row.name, row.type, row.fingerprint, row.public_key, f);
    if (made == 0)
        return fault_raise(f, FAULT_CONFLICT, "Key pair '%s' already exists.", row.name);
    if (made < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    call_status(call, call_at_least(call, 2, 2) ? 201 : 200);
    w = call_json(call);
    jsonw_object(w, NULL);
    write_keypair(call, w, &row, true, private_key);
    jsonw_end(w);
    return 0;
}

int
keypair_show(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "keypair_name"), *user_id;
    struct keypair_row row;
    struct jsonw *w;
    int found;

    if (owner(call, call_query(call, "user_id"), &user_id, f) < 0)
        return -1;
    found = keypair_get(call->db, user_id, name, &row, f);
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Keypair %.255s not found for user %s", name,
                           user_id);
    if (found < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_keypair(call, w, &row, true, NULL);
    jsonw_end(w);
    return 0;
}

int
keypair_delete(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "keypair_name"), *user_id;
    int removed;

    if (owner(call, call_query(call, "user_id"), &user_id, f) < 0)
        return -1;
    removed = keypair_remove(call->db, user_id, name, f);
    if (removed == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Keypair %.255s not found for user %s", name,
                           user_id);
    call_status(call, call_at_least(call, 2, 2) ? 204 : 202);
    return removed < 0 ? -1 : 0;
}
