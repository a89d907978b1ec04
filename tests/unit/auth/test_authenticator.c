#include "auth/authenticator.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../asserts.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/json.h"
#include "ring.h"

/* Identity, as a test sees it: its keys, its revocations, and whether it answers. */
struct identity {
    char directory[32];
    struct keyring *keys;
    pthread_mutex_t lock;
    json_t *revocations;
    bool away;
    unsigned parts; /* Answers with a part of the list that are yet to come before the last. */
    atomic_uint key_fetches, revocation_fetches;
    int64_t last_since_us;
};

static int
fetch(void *owner, const char *document, struct arena *a, json_t **ret, struct fault *f)
{
    struct identity *i = owner;
    long long since;
    int r = 0;

    pthread_mutex_lock(&i->lock);
    if (i->away) {
        r = fault_raise(f, FAULT_UNAVAILABLE, "away");
    } else if (str_equal(document, "keys")) {
        atomic_fetch_add(&i->key_fetches, 1);
        *ret = json_own(a, keyring_jwks(i->keys));
    } else {
        assert_int_equal(sscanf(document, "revocations?since=%lld", &since), 1);
        i->last_since_us = since;
        atomic_fetch_add(&i->revocation_fetches, 1);
        if (i->parts > 0) {
            i->parts--;
            *ret = json_own(a, json_pack("{s:[],s:I,s:b}", "revocations", "as_of_us",
                                         (json_int_t)since + 1000, "more", 1));
        } else
            *ret = json_own(a, json_pack("{s:O,s:I}", "revocations", i->revocations, "as_of_us",
                                         (json_int_t)clock_now_us()));
    }
    pthread_mutex_unlock(&i->lock);
    return r;
}

static struct identity *
identity_new(void)
{
    struct identity *i = calloc(1, sizeof(*i));
    struct fault f = { 0 };

    assert_non_null(i);
    clock_set_us(NOW);
    pthread_mutex_init(&i->lock, NULL);
    i->revocations = json_array();
    ring_make_directory(i->directory);
    assert_ok(keyring_generate(i->directory, &f));
    assert_ok(keyring_open_directory(&i->keys, i->directory, &f));
    return i;
}

static void
identity_free(struct identity *i)
{
    ring_remove_directory(i->directory);
    keyring_free(i->keys);
    json_decref(i->revocations);
    pthread_mutex_destroy(&i->lock);
    free(i);
    clock_set_us(0);
}

static void
set_away(struct identity *i, bool away)
{
    pthread_mutex_lock(&i->lock);
    i->away = away;
    pthread_mutex_unlock(&i->lock);
}

static char *
sign(struct identity *i, struct arena *a, const struct auth_context *c)
{
    struct fault f = { 0 };
    char *token;

    assert_ok(token_sign(i->keys, a, c, &token, &f));
    return token;
}

static struct authenticator *
service_open(struct identity *i)
{
    struct authenticator_options options = { .fetch = fetch, .owner = i, .poll_s = 600 };
    struct authenticator *a;
    struct fault f = { 0 };

    atomic_store(&i->revocation_fetches, 0);
    assert_ok(authenticator_open(&a, &options, &f));
    /* The thread's one poll has begun; whoever needs its result waits for it. */
    while (!i->away && atomic_load(&i->revocation_fetches) == 0)
        sched_yield();
    return a;
}

static void
test_no_call_in_steady_state(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct authenticator *a = service_open(i);
    struct auth_context c = ring_context(), out;
    struct authenticator_stats stats, later;
    char *token = sign(i, arena, &c);
    struct fault f = { 0 };

    (void)state;
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    assert_string_equal(out.user_id, "u1");
    authenticator_stats(a, &stats);
    for (int n = 0; n < 1000; n++) {
        _cleanup_(arena_freep) struct arena *own = arena_new();

        out = (struct auth_context){ 0 };
        assert_ok(authenticator_check(a, own, token, &out, &f));
        assert_string_equal(out.project_name, "project");
        assert_string_equal(out.roles[1], "reader");
        assert_string_equal(out.role_ids[1], "role-2");
        assert_string_equal(out.methods[0], "password");
        assert_true(auth_has_role(&out, "MEMBER"));
        assert_false(auth_has_role(&out, "admin"));
    }
    authenticator_stats(a, &later);
    assert_int_equal(later.hits - stats.hits, 1000);
    assert_int_equal(later.misses, stats.misses);
    assert_int_equal(later.fetches, stats.fetches);
    authenticator_close(a);
    authenticator_close(NULL);
    identity_free(i);
}

/* What was handed out lives as long as the arena, whatever becomes of the cache. */
static void
test_context_outlives_its_entry(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct authenticator *a = service_open(i);
    struct auth_context c = ring_context(), out;
    struct fault f = { 0 };
    char *token = sign(i, arena, &c);

    (void)state;
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    authenticator_close(a);
    assert_string_equal(out.user_name, c.user_name);
    assert_string_equal(out.roles[0], "member");
    identity_free(i);
}

static void
test_expiry_and_revocation_of_cached_tokens(void **state)
{
    static const struct revocation kinds[] = {
        { .audit_id = "audit-2" },
        { .audit_chain_id = "audit-1" },
        { .user_id = "u1" },
        { .project_id = "p1" },
        { .domain_id = "default" },
        { .role_id = "role-1" },
        { .user_id = "u1", .project_id = "p1" },
    };
    struct identity *i = identity_new();
    struct auth_context c = ring_context();
    struct fault f = { 0 };

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct authenticator *a = service_open(i);
        struct revocation revocation = kinds[k];
        char *token = sign(i, arena, &c);
        struct auth_context out;

        assert_false(authenticator_check_cached(a, arena, token, &out));
        assert_ok(authenticator_check(a, arena, token, &out, &f));
        out = (struct auth_context){ 0 };
        assert_true(authenticator_check_cached(a, arena, token, &out));
        assert_string_equal(out.user_id, "u1");
        /* Another's revocation makes it look again, and stay. */
        revocations_add(authenticator_revocations(a),
                        &(struct revocation){ .user_id = "u2",
                                              .issued_before_us = NOW,
                                              .expires_us = NOW + HOUR_US });
        assert_ok(authenticator_check(a, arena, token, &out, &f));
        revocation.issued_before_us = NOW;
        revocation.expires_us = NOW + HOUR_US;
        revocations_add(authenticator_revocations(a), &revocation);
        assert_false(authenticator_check_cached(a, arena, token, &out));
        for (int n = 0; n < 2; n++) {
            assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED,
                         "requires authentication");
            assert_non_null(strstr(f.cause, "revoked"));
        }
        /* One issued after is another matter, unless it is of the chain that has ended. */
        c.issued_us = NOW + 1;
        if (revocation.audit_id == NULL && revocation.audit_chain_id == NULL)
            assert_ok(authenticator_check(a, arena, sign(i, arena, &c), &out, &f));
        c.issued_us = NOW;
        authenticator_close(a);
    }
    {
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct authenticator *a = service_open(i);
        char *token = sign(i, arena, &c);
        struct auth_context out;

        assert_ok(authenticator_check(a, arena, token, &out, &f));
        clock_set_us(c.expires_us - 1);
        assert_ok(authenticator_check(a, arena, token, &out, &f));
        clock_set_us(c.expires_us);
        assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
        assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
        authenticator_close(a);
    }
    identity_free(i);
}

static void
test_poll_brings_revocations(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct authenticator *a = service_open(i);
    struct auth_context c = ring_context(), out;
    char *token = sign(i, arena, &c);
    struct fault f = { 0 };

    (void)state;
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    pthread_mutex_lock(&i->lock);
    json_array_append_new(i->revocations,
                          revocation_to_json(&(struct revocation){ .user_id = "u1",
                                                                   .issued_before_us = NOW,
                                                                   .expires_us = NOW + HOUR_US }));
    pthread_mutex_unlock(&i->lock);
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    assert_ok(authenticator_poll(a, &f));
    assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_true(i->last_since_us > 0 && i->last_since_us < NOW);

    set_away(i, true);
    assert_fault(authenticator_poll(a, &f), f, FAULT_UNAVAILABLE, NULL);
    assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    authenticator_close(a);
    identity_free(i);
}

/* Unknown kids ask identity at most once in a second, however many there are. */
/* A long list comes in parts: all are read, each from where the one before ended, before anything is taken for good. */
static void
test_list_in_parts(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct auth_context c = ring_context(), out;
    struct revocation revocation = { .user_id = "u1", .issued_before_us = NOW };
    char *token = sign(i, arena, &c);
    struct authenticator *a;
    struct fault f = { 0 };

    (void)state;
    json_array_append_new(i->revocations, revocation_to_json(&revocation));
    i->parts = 3;
    a = service_open(i);
    assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED,
                 "requires authentication");
    assert_int_equal(atomic_load(&i->revocation_fetches), 4);
    assert_true(i->last_since_us == 3000);
    authenticator_close(a);
    identity_free(i);
}

static void
test_unknown_kids(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new(), *stranger;
    struct authenticator *a = service_open(i);
    struct auth_context c = ring_context(), out;
    char *token = sign(i, arena, &c), *other;
    struct fault f = { 0 };
    unsigned fetches;

    (void)state;
    clock_set_us(NOW + 7);
    stranger = identity_new();
    clock_set_us(NOW);
    other = sign(stranger, arena, &c);
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    fetches = atomic_load(&i->key_fetches);
    for (int n = 0; n < 100; n++)
        assert_fault(authenticator_check(a, arena, other, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_int_equal(atomic_load(&i->key_fetches), fetches);
    clock_shift_ms(1000);
    for (int n = 0; n < 100; n++)
        assert_fault(authenticator_check(a, arena, other, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_int_equal(atomic_load(&i->key_fetches), fetches + 1);

    /* A new key is found the same way, and the old one's tokens go on. */
    clock_set_us(NOW + 1);
    assert_ok(keyring_generate(i->directory, &f));
    assert_ok(keyring_reload(i->keys, &f));
    other = sign(i, arena, &c);
    assert_fault(authenticator_check(a, arena, other, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    clock_shift_ms(1000);
    assert_ok(authenticator_check(a, arena, other, &out, &f));
    assert_ok(authenticator_check(a, arena, token, &out, &f));

    /* While identity is away a strange kid may be its newest: nobody is told that the token is bad. */
    clock_shift_ms(1000);
    set_away(i, true);
    assert_fault(authenticator_check(a, arena, sign(stranger, arena, &c), &out, &f), f,
                 FAULT_UNAVAILABLE, NULL);
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    clock_shift_ms(-3000);
    authenticator_close(a);
    identity_free(stranger);
    identity_free(i);
}

static void
test_withdrawn_key(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct authenticator *a = service_open(i);
    struct auth_context c = ring_context(), out;
    char *token = sign(i, arena, &c);
    json_auto_t *nothing = json_pack("{s:[]}", "keys");
    struct fault f = { 0 };

    (void)state;
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    assert_ok(keyring_import_jwks(authenticator_keyring(a), nothing, &f));
    assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    authenticator_close(a);
    identity_free(i);
}

static void
test_identity_away_from_the_start(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct auth_context c = ring_context(), out;
    char *token = sign(i, arena, &c);
    struct authenticator *a;
    struct fault f = { 0 };

    (void)state;
    set_away(i, true);
    a = service_open(i);
    assert_fault(authenticator_check(a, arena, token, &out, &f), f, FAULT_UNAVAILABLE, NULL);
    set_away(i, false);
    clock_shift_ms(1000);
    assert_ok(authenticator_check(a, arena, token, &out, &f));
    clock_shift_ms(-1000);
    authenticator_close(a);
    identity_free(i);
}

/* Identity itself: its own keys, nobody to ask. */
static void
test_identity_itself(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct authenticator_options options = { .keyring = i->keys };
    struct auth_context c = ring_context(), out;
    struct authenticator *a;
    struct fault f = { 0 };

    (void)state;
    assert_ok(authenticator_open(&a, &options, &f));
    assert_ok(authenticator_poll(a, &f));
    assert_ok(authenticator_check(a, arena, sign(i, arena, &c), &out, &f));
    assert_fault(authenticator_check(a, arena, "nonsense", &out, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_ptr_equal(authenticator_keyring(a), i->keys);
    authenticator_close(a);
    identity_free(i);
}

/* More tokens than the cache has room for, from several threads, with revocations in between. */
#define THREADS 4
#define TOKENS 6000

struct crowd {
    struct authenticator *a;
    char *tokens[TOKENS];
    char names[TOKENS][16];
    atomic_uint wrong;
};

static void *
use_tokens(void *object)
{
    struct crowd *crowd = object;

    for (size_t n = 0; n < TOKENS; n++) {
        struct arena *arena = arena_new();
        struct auth_context out;
        struct fault f = { 0 };
        size_t which = n % 3 == 0 ? n : n % 50; /* Some often, some once. */

        if (authenticator_check(crowd->a, arena, crowd->tokens[which], &out, &f) < 0 ||
            !str_equal(out.user_id, crowd->names[which]))
            atomic_fetch_add(&crowd->wrong, 1);
        if (n % 500 == 0)
            revocations_add(authenticator_revocations(crowd->a),
                            &(struct revocation){ .user_id = "nobody",
                                                  .issued_before_us = NOW + (int64_t)n });
        arena_free(arena);
    }
    return NULL;
}

static void
test_crowd(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct identity *i = identity_new();
    struct crowd *crowd = arena_alloc(arena, sizeof(*crowd));
    pthread_t threads[THREADS];

    (void)state;
    crowd->a = service_open(i);
    for (size_t n = 0; n < TOKENS; n++) {
        struct auth_context c = ring_context();

        snprintf(crowd->names[n], sizeof(crowd->names[n]), "user-%zu", n);
        c.user_id = crowd->names[n];
        crowd->tokens[n] = sign(i, arena, &c);
    }
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, use_tokens, crowd), 0);
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    assert_int_equal(atomic_load(&crowd->wrong), 0);
    authenticator_close(crowd->a);
    identity_free(i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_call_in_steady_state),
        cmocka_unit_test(test_context_outlives_its_entry),
        cmocka_unit_test(test_expiry_and_revocation_of_cached_tokens),
        cmocka_unit_test(test_poll_brings_revocations),
        cmocka_unit_test(test_list_in_parts),
        cmocka_unit_test(test_unknown_kids),
        cmocka_unit_test(test_withdrawn_key),
        cmocka_unit_test(test_identity_away_from_the_start),
        cmocka_unit_test(test_identity_itself),
        cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
