#include "revocations.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "catalog_cache.h"

/* One may be committed a little after one that is younger; reading again costs nothing. */
#define OVERLAP_US ((int64_t)60 * 1000000)

enum { PAGE = 20000, EVENTS_MAX = 100000 }; /* Rows of one answer. */

/* What a transaction will have ended once it is committed. */
struct ending {
    struct identity *identity;
    struct arena *arena;
    struct ended {
        struct ended *next;
        struct revocation r;
    } * first, **end;
};

static void
apply(void *object)
{
    struct ending *ending = object;
    struct identity *identity = ending->identity;

    for (struct ended *e = ending->first; e != NULL; e = e->next)
        revocations_add(authenticator_revocations(identity->daemon->authenticator), &e->r);
    catalog_cache_invalidate(identity->app_creds); /* Perhaps some have gone with it. */
}

/* One of a token, or of all that were made from one: no time matters, and no order. */
static bool
is_timeless(const struct revocation *r)
{
    return r->audit_id != NULL || r->audit_chain_id != NULL;
}

static int
store(const struct ending *ending, struct db_tx *tx, const struct revocation *r, struct fault *f)
{
    struct outbox *outbox = ending->identity->daemon->outbox;
    json_t *body = json_own(ending->arena, revocation_to_json(r));

    if (revocation_add(tx->db, body, r->expires_us, f) < 0)
        return -1;
    return outbox == NULL
               ? 0
               : outbox_add(outbox, tx, "exchange:virga.revocation", "revoke", NULL, body, f);
}

/* The last of the transaction. */
static int
settle(void *object, struct db_tx *tx, struct fault *f)
{
    struct ending *ending = object;
    const struct identity_config *config = ending->identity->config;
    /* An expired token may still be shown beside a service's own, so what ended it must be known as long. */
    int64_t lives_s = config->token_ttl_s + config->common.expired_token_window_s + 60;
    struct revocation_moment_row now = { .moment = clock_now_us() };
    bool ordered = false;

    for (struct ended *e = ending->first; e != NULL; e = e->next)
        ordered = ordered || !is_timeless(&e->r);
    if (ordered && revocation_moment(tx->db, &now, f) < 0)
        return -1;
    for (struct ended *e = ending->first; e != NULL; e = e->next) {
        e->r.issued_before_us = now.moment;
        e->r.expires_us = now.moment + lives_s * INT64_C(1000000);
        if (store(ending, tx, &e->r, f) < 0)
            return -1;
    }
    return 0;
}

static void
record(struct identity *identity, struct arena *a, struct db_tx *tx, const struct revocation *r)
{
    struct ending *ending = db_tx_told(tx, settle);
    struct ended *e = ARENA_NEW(a, struct ended);

    if (ending == NULL) {
        ending = ARENA_NEW(a, struct ending);
        *ending = (struct ending){ .identity = identity, .arena = a, .end = &ending->first };
        db_tx_before_commit(tx, settle, ending);
        db_tx_after_commit(tx, apply, ending);
    }
    *e = (struct ended){ .r = *r };
    *ending->end = e;
    ending->end = &e->next;
}

/* Tokens by trusts and application credentials hang on more than they name. A role that was taken away may have been what gave
 * theirs by implication; and a trust's user is one of two, and behind them may be others whose trust it was handed on from. */
static int
record_delegated(struct identity *identity, struct arena *a, struct db_tx *tx,
                 const struct revocation *r, struct fault *f)
{
    struct trusts_hanging_on_row *rows;
    size_t count;

    if (r->trust_id != NULL || r->app_cred_id != NULL || r->access_token_id != NULL ||
        r->consumer_id != NULL || r->audit_id != NULL || r->audit_chain_id != NULL)
        return 0;
    if (r->role_id != NULL) {
        struct revocation wider = *r;

        wider.role_id = NULL;
        wider.delegated = true;
        record(identity, a, tx, &wider);
    }
    if (r->user_id == NULL && r->domain_id == NULL)
        return 0;
    if (trusts_hanging_on(tx->db, r->user_id, r->domain_id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct revocation trust = { .trust_id = rows[i].id };

        record(identity, a, tx, &trust);
    }
    return 0;
}

int
revoke_tokens(struct call *call, struct db_tx *tx, const struct revocation *r, struct fault *f)
{
    return revoke_tokens_of(identity_of(call), call->arena, tx, r, f);
}

int
revoke_tokens_of(struct identity *identity, struct arena *a, struct db_tx *tx,
                 const struct revocation *r, struct fault *f)
{
    record(identity, a, tx, r);
    return record_delegated(identity, a, tx, r, f);
}

int
revoke_user(struct call *call, struct db_tx *tx, const char *user_id, struct fault *f)
{
    struct revocation r = { .user_id = user_id };

    return revoke_tokens(call, tx, &r, f);
}

int
revoke_project(struct call *call, struct db_tx *tx, const char *project_id, struct fault *f)
{
    struct revocation r = { .project_id = project_id };

    return revoke_tokens(call, tx, &r, f);
}

int
revoke_domain(struct call *call, struct db_tx *tx, const char *domain_id, struct fault *f)
{
    struct revocation r = { .domain_id = domain_id };

    return revoke_tokens(call, tx, &r, f);
}

int
revoke_role(struct call *call, struct db_tx *tx, const char *role_id, const char *domain_id,
            struct fault *f)
{
    struct revocation r = { .role_id = domain_id == NULL ? role_id : NULL, .domain_id = domain_id };

    return revoke_tokens(call, tx, &r, f);
}

/* Is this but a part of what there is? Then the next one begins at '*since_us'. */
static bool
is_page(const struct revocations_since_row *rows, size_t count, int64_t *since_us)
{
    if (count < PAGE || rows[count - 1].created_at <= *since_us)
        return false;
    *since_us = rows[count - 1].created_at;
    return true;
}

int
revocations_load(struct identity *identity, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    int64_t since_us = MAX(identity->revocations_read_us - OVERLAP_US, INT64_C(0));
    struct revocations_since_row *rows;
    struct revocation r;
    size_t count;

    if (db_pool_get(identity->daemon->pool, a, &db, f) < 0 ||
        revocations_forget(&db, clock_now_us(), f) < 0)
        return -1;
    do {
        if (revocations_since(&db, since_us, PAGE, &rows, &count, f) < 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (revocation_from_json(a, rows[i].body, &r, f) < 0)
                return -1;
            revocations_add(authenticator_revocations(identity->daemon->authenticator), &r);
            identity->revocations_read_us = MAX(identity->revocations_read_us, rows[i].created_at);
        }
    } while (is_page(rows, count, &since_us));
    return 0;
}

static void
raise_to(_Atomic int64_t *value, int64_t to)
{
    int64_t old = atomic_load(value);

    while (old < to && !atomic_compare_exchange_weak(value, &old, to))
        ;
}

int
revocations_moment(struct call *call, int64_t *ret_us, struct fault *f)
{
    struct identity *identity = identity_of(call);
    struct login_moment_row *rows;
    struct revocation r;
    size_t count;

    if (login_moment(call->db, atomic_load(&identity->revocations_ordered_us), &rows, &count, f) <
        0)
        return -1;
    for (size_t i = 1; i < count; i++) {
        if (revocation_from_json(call->arena, rows[i].ends, &r, f) < 0)
            return -1;
        revocations_add(authenticator_revocations(identity->daemon->authenticator), &r);
    }
    *ret_us = rows[0].moment;
    raise_to(&identity->revocations_ordered_us, rows[0].moment);
    return 0;
}

/* GET /v3/OS-VIRGA/revocations?since=MICROSECONDS: what the other services poll. */
int
revocation_list(struct call *call, struct fault *f)
{
    const char *text = call_query(call, "since");
    int64_t as_of_us = clock_now_us(), since = 0;
    struct revocations_since_row *rows;
    struct jsonw *w;
    bool more = false;
    size_t count;

    if (text != NULL && str_to_int64(text, 0, INT64_MAX, &since) < 0)
        return fault_raise_field(f, "since", "Invalid value for since: %.50s.", text);
    if (revocations_since(call->db, since, PAGE, &rows, &count, f) < 0)
        return -1;
    if (is_page(rows, count, &since)) {
        as_of_us = since;
        more = true;
    }
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "revocations");
    for (size_t i = 0; i < count; i++)
        jsonw_json(w, NULL, rows[i].body);
    jsonw_end(w);
    jsonw_int(w, "as_of_us", as_of_us);
    if (more)
        jsonw_bool(w, "more", true);
    jsonw_end(w);
    return 0;
}

/* One event in upstream's words. */
static void
write_event(struct call *call, struct jsonw *w, const struct revocation *r, int64_t revoked_us)
{
    const struct {
        const char *key, *value;
    } members[] = {
        { "user_id", r->user_id },
        { "role_id", r->role_id },
        { "domain_id", r->domain_id },
        { "project_id", r->project_id },
        { "audit_id", r->audit_id },
        { "audit_chain_id", r->audit_chain_id },
        { "OS-TRUST:trust_id", r->trust_id },
        { "OS-OAUTH1:consumer_id", r->consumer_id },
        { "OS-OAUTH1:access_token_id", r->access_token_id },
    };

    jsonw_object(w, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (members[i].value != NULL)
            jsonw_text(w, members[i].key, members[i].value);
    }
    call_write_time(call, w, "issued_before", r->issued_before_us);
    call_write_time(call, w, "revoked_at", revoked_us);
    jsonw_end(w);
}

/* GET /v3/OS-REVOKE/events?since=TIME: the same for upstream's own services. What narrows an event to an application
 * credential, to delegated tokens or to an identity provider has no words there, and without them would read as the end of more tokens, up to all: such events are left out. */
int
revoke_events(struct call *call, struct fault *f)
{
    const char *text = call_query(call, "since");
    struct revocations_since_row *rows;
    struct revocation r;
    int64_t since = 0;
    struct jsonw *w;
    size_t count;

    if (!str_empty(text) && clock_parse(text, &since) < 0)
        return fault_raise_field(f, "since", "invalid date format %.50s", text);
    if (revocations_since(call->db, since + 1, EVENTS_MAX, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "events");
    for (size_t i = 0; i < count; i++) {
        if (revocation_from_json(call->arena, rows[i].body, &r, f) < 0)
            return -1;
        if (r.app_cred_id == NULL && !r.delegated && r.idp_id == NULL && r.protocol_id == NULL &&
            r.group_id == NULL)
            write_event(call, w, &r, rows[i].created_at);
    }
    jsonw_end(w);
    dialect_list_links(call->dialect, w, "events", call_url(call, "/v3/OS-REVOKE/events"), NULL,
                       NULL);
    jsonw_end(w);
    return 0;
}

/* GET /v3/OS-VIRGA/keys: the public keys, as a JWK set. */
int
signing_keys(struct call *call, struct fault *f)
{
    json_t *keys = json_own(call->arena, keyring_jwks(identity_of(call)->keyring));

    (void)f;
    jsonw_json(call_json(call), NULL, keys);
    return 0;
}
