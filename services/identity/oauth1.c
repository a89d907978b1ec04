#include "oauth1.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"
#include "delegation.h"
#include "path_objects.h"
#include "revocations.h"

#define WINDOW_S 600 /* How far a signature's time may be from ours. */
#define SECOND_US INT64_C(1000000)
#define VERIFIER_SIZE 8

/* --- Consumers */

static int
prepare_create(struct call *call, struct db_tx *tx, struct consumer *row, struct fault *f)
{
    (void)tx;
    (void)f;
    row->key = uuid_make_hex(call->arena);
    field_mark(&row->set, CONSUMER_F_KEY);
    return 0;
}

/* Its secret is shown once, to who made it. */
static int
after_create(struct call *call, struct db_tx *tx, struct consumer *row, struct fault *f)
{
    (void)call;
    (void)tx;
    (void)f;
    row->secret = row->key;
    field_mark(&row->set, CONSUMER_F_SECRET);
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct consumer *old,
               struct consumer *row, struct fault *f)
{
    const json_t *body = json_object_get(call->body, "consumer");

    (void)tx;
    (void)old;
    (void)row;
    if (json_object_get(body, "secret") == NULL)
        return 0;
    return fault_raise_field(
        f, "secret", "Invalid input for field/attribute consumer. 'secret' is not changed.");
}

static int
check_delete(struct call *call, struct db_tx *tx, const struct consumer *row, struct fault *f)
{
    struct revocation r = { .consumer_id = row->id };

    return revoke_tokens(call, tx, &r, f);
}

const struct consumer_hooks consumer_hooks = {
    .prepare_create = prepare_create,
    .after_create = after_create,
    .prepare_update = prepare_update,
    .check_delete = check_delete,
};

/* --- Signed requests */

static int
refuse(const char *why, struct fault *f)
{
    fault_clear(f);
    return fault_raise(f, FAULT_UNAUTHORIZED, "%s", why);
}

int
oauth_check_signed(struct call *call, struct db *db, const struct oauth1 *o,
                   const char *token_secret, const char *refusal, struct fault *f)
{
    const char *consumer = oauth1_get(o, "oauth_consumer_key");
    int64_t now_us = clock_now_us(), signed_s = 0;
    struct oauth_consumer_secret_row row;
    int found = consumer == NULL ? 0 : oauth_consumer_secret(db, consumer, &row, f);
    int taken;

    if (found < 0)
        return -1;
    if (found == 0)
        return refuse("Provided consumer does not exist.", f);
    if (!oauth1_verify(call->arena, o, http_method_name(call->request->method),
                       call_url(call, "%s", call->request->path), call->request->query,
                       call->request->query_count, row.secret, token_secret, now_us, WINDOW_S))
        return refuse(refusal, f);
    if (str_to_int64(oauth1_get(o, "oauth_timestamp"), 0, INT64_MAX, &signed_s) < 0 ||
        oauth_forget(db, now_us - 2 * WINDOW_S * SECOND_US, f) < 0)
        return -1;
    taken = oauth_nonce_take(db, consumer, oauth1_get(o, "oauth_nonce"), signed_s * SECOND_US, f);
    return taken == 0 ? refuse(refusal, f) : taken < 0 ? -1 : 0;
}

/* The header, and that it has the parameters that the operation needs. */
static int
read_header(struct call *call, const char *const needed[], struct oauth1 *ret, struct fault *f)
{
    if (oauth1_parse(call->arena, http_header(call->request, "Authorization"), ret, f) < 0)
        return -1;
    for (size_t i = 0; needed[i] != NULL; i++) {
        if (str_empty(oauth1_get(ret, needed[i])))
            return expecting_to_find(needed[i], "request", f);
    }
    return 0;
}

static void
reply_token(struct call *call, const char *id, const char *secret, int64_t expires_us)
{
    call->response->content_type = "application/x-www-form-urlencoded";
    str_clear(&call->response->body);
    str_addf(&call->response->body, "oauth_token=%s&oauth_token_secret=%s", id, secret);
    if (expires_us != 0)
        str_addf(&call->response->body, "&oauth_expires_at=%s",
                 clock_format(call->arena, expires_us, CLOCK_MICRO_Z));
}

/* POST /v3/OS-OAUTH1/request_token */
int
oauth_request_token(struct call *call, struct fault *f)
{
    static const char *const needed[] = { "oauth_consumer_key", NULL };
    const char *project_id = http_header(call->request, "Requested-Project-Id");
    const char *id = uuid_make_hex(call->arena), *secret = uuid_make_hex(call->arena), *consumer;
    int64_t expires_us =
        clock_now_us() + identity_of(call)->config->oauth_request_ttl_s * SECOND_US;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct consumer known = { 0 };
    struct project project = { 0 };
    struct oauth1 o;

    if (read_header(call, needed, &o, f) < 0)
        return -1;
    if (str_empty(project_id))
        return expecting_to_find("Requested-Project-Id", "request", f);
    consumer = oauth1_get(&o, "oauth_consumer_key");
    if (db_tx_begin(&tx, call->db, f) < 0 ||
        resource_load(tx.db, &project_resource, project_id, NULL, false, &project, f) < 0 ||
        resource_load(tx.db, &consumer_resource, consumer, NULL, false, &known, f) < 0 ||
        oauth_check_signed(call, tx.db, &o, "", "Invalid signature", f) < 0 ||
        oauth_request_add(tx.db, id, secret, consumer, project_id, expires_us, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    reply_token(call, id, secret, expires_us);
    return 0;
}

/* A request token that is still good. */
static int
find_request(struct db *db, const char *id, struct oauth_request_find_row *ret, struct fault *f)
{
    int found = oauth_request_find(db, id, ret, f);

    if (found < 0)
        return -1;
    if (found == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "Request token not found");
    return ret->expires_at < clock_now_us() ? refuse("Request token is expired", f) : 0;
}

/* The user has each of these roles in the project: he gives away nothing else. */
static int
check_roles(struct call *call, struct db *db, const char *project_id, const struct texts *roles,
            struct fault *f)
{
    struct project project = { 0 };
    struct effective_roles_row *held;
    struct texts groups = { 0 };
    size_t count;

    if (resource_load(db, &project_resource, project_id, NULL, false, &project, f) < 0 ||
        effective_roles(db, call->auth.user_id, "project", project.id, project.domain_id, &groups,
                        &held, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < roles->count; i++) {
        bool has = false;

        for (size_t j = 0; j < count; j++)
            has = has || str_equal(held[j].id, roles->items[i]);
        if (!has)
            return refuse("authorizing user does not have role required", f);
    }
    return 0;
}

static char *
make_verifier(struct arena *a)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char *text = arena_alloc(a, VERIFIER_SIZE + 1);

    for (size_t i = 0; i < VERIFIER_SIZE; i++)
        text[i] = letters[random_below(sizeof(letters) - 1)];
    return text;
}

/* PUT /v3/OS-OAUTH1/authorize/{request_token_id}: by the user, with a token that he got himself. */
int
oauth_authorize(struct call *call, const struct request_token_authorize *in, struct fault *f)
{
    const char *id = call_param(call, "request_token_id"), *verifier = make_verifier(call->arena);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct oauth_request_find_row row;
    struct texts roles = { 0 };
    struct jsonw *w;

    if (delegation_is(&call->auth))
        return fault_raise(f, FAULT_FORBIDDEN,
                           "You are not authorized to perform the requested action: Cannot "
                           "authorize a request token with a token issued via delegation.");
    if (db_tx_begin(&tx, call->db, f) < 0 || find_request(tx.db, id, &row, f) < 0 ||
        delegation_read_roles(call, tx.db, in->roles, "roles", &roles, f) < 0 ||
        check_roles(call, tx.db, row.project_id, &roles, f) < 0 ||
        oauth_request_authorize(tx.db, id, call->auth.user_id, verifier, &roles, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_object(w, "token");
    jsonw_text(w, "oauth_verifier", verifier);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
check_authorized(const struct oauth1 *o, const struct oauth_request_find_row *row, struct fault *f)
{
    if (!str_equal(row->consumer_id, oauth1_get(o, "oauth_consumer_key")))
        return refuse("Provided consumer key does not match stored consumer key.", f);
    if (row->user_id == NULL)
        return refuse("Request Token does not have an authorizing user id.", f);
    if (!str_equal(row->verifier, oauth1_get(o, "oauth_verifier")))
        return refuse("Provided verifier does not match stored verifier", f);
    return 0;
}

/* POST /v3/OS-OAUTH1/access_token */
int
oauth_access_token(struct call *call, struct fault *f)
{
    static const char *const needed[] = { "oauth_consumer_key", "oauth_token", "oauth_verifier",
                                          NULL };
    const char *id = uuid_make_hex(call->arena), *secret = uuid_make_hex(call->arena);
    int64_t ttl_s = identity_of(call)->config->oauth_access_ttl_s;
    int64_t expires_us = ttl_s == 0 ? 0 : clock_now_us() + ttl_s * SECOND_US;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct oauth_request_find_row row;
    struct oauth1 o;

    if (read_header(call, needed, &o, f) < 0 || db_tx_begin(&tx, call->db, f) < 0 ||
        find_request(tx.db, oauth1_get(&o, "oauth_token"), &row, f) < 0 ||
        check_authorized(&o, &row, f) < 0 ||
        oauth_check_signed(call, tx.db, &o, row.secret, "Invalid signature", f) < 0)
        return -1;
    if (oauth_access_make(tx.db, oauth1_get(&o, "oauth_token"), id, secret,
                          expires_us == 0 ? NULL : &expires_us, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    reply_token(call, id, secret, expires_us);
    return 0;
}

/* --- What a user has authorized */

static int
access_check_delete(struct call *call, struct db_tx *tx, const struct access_token *row,
                    struct fault *f)
{
    struct revocation r = { .access_token_id = row->id };

    return revoke_tokens(call, tx, &r, f);
}

const struct access_token_hooks access_token_hooks = { .check_delete = access_check_delete };

/* The roles of the path's access token, as ids. */
static int
find_roles(struct call *call, struct oauth_access_roles_row **ret, size_t *ret_count,
           struct fault *f)
{
    const char *id = call_param(call, "access_token_id");
    struct access_token row = { 0 };

    if (resource_load(call->db, &access_token_resource, id, call_param(call, "user_id"), false,
                      &row, f) < 0)
        return -1;
    return oauth_access_roles(call->db, id, ret, ret_count, f) < 0 ? -1 : 0;
}

int
oauth_access_token_roles(struct call *call, struct fault *f)
{
    struct oauth_access_roles_row *rows;
    struct list_plan plan;
    const char **ids;
    size_t count;

    if (find_roles(call, &rows, &count, f) < 0 ||
        list_plan_make(call, &role_resource, VIEW_DETAIL, &plan, f) < 0)
        return -1;
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].id;
    list_plan_where_in(&plan, "id", ids, count);
    return list_plan_reply(call, &plan, f);
}

int
oauth_access_token_role(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "role_id");
    struct oauth_access_roles_row *rows;
    struct role role = { 0 };
    size_t count;

    if (find_roles(call, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].id, id))
            return resource_load(call->db, &role_resource, id, NULL, false, &role, f) < 0
                       ? -1
                       : resource_reply(call, &role_resource, &role, f);
    }
    return resource_not_found(&role_resource, id, f);
}
