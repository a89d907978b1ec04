#include "auth/online.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../asserts.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define NOW ((int64_t)1795338442000042)

static const char body[] =
    "{\"user\": {\"id\": \"u1\", \"name\": \"ann\", \"domain\": {\"id\": \"default\", \"name\": "
    "\"Default\"}},"
    " \"project\": {\"id\": \"p1\", \"name\": \"demo\", \"domain\": {\"id\": \"d\", \"name\": "
    "\"D\"}},"
    " \"roles\": [{\"id\": \"r1\", \"name\": \"member\"}, {\"id\": \"r2\", \"name\": \"reader\"}],"
    " \"methods\": [\"password\"], \"audit_ids\": [\"a2\", \"a1\"], \"issued_at\": "
    "\"2026-11-22T10:00:00.000000Z\","
    " \"expires_at\": \"2030-01-01T00:00:00.000000Z\"}";

/* Identity, as a test sees it: tokens "good..." are good. */
struct keystone {
    atomic_int asked, asked_late, now, most;
    atomic_bool away;
    sem_t *gate; /* NULL: answers at once. */
};

static int
validate(void *owner, const char *token, bool late, struct arena *a, json_t **ret, struct fault *f)
{
    struct keystone *k = owner;
    int now = atomic_fetch_add(&k->now, 1) + 1;

    atomic_fetch_add(&k->asked, 1);
    atomic_fetch_add(&k->asked_late, late);
    if (now > atomic_load(&k->most))
        atomic_store(&k->most, now);
    if (k->gate != NULL)
        sem_wait(k->gate);
    atomic_fetch_sub(&k->now, 1);
    if (atomic_load(&k->away))
        return fault_raise(f, FAULT_UNAVAILABLE, "away");
    if (!str_starts(token, "good"))
        return fault_raise(f, FAULT_NOT_FOUND, "Could not find token.");
    return json_read(a, body, strlen(body), ret, f);
}

static struct authenticator *
open_online(struct keystone *k, unsigned cache_s, unsigned concurrency)
{
    struct online_options online = {
        .validate = validate, .owner = k, .cache_s = cache_s, .concurrency = concurrency
    };
    struct authenticator_options options = { .online = &online };
    struct authenticator *a;
    struct fault f = { 0 };

    clock_set_us(NOW);
    assert_ok(authenticator_open(&a, &options, &f));
    return a;
}

static void
test_words_are_kept(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct keystone k = { 0 };
    struct authenticator *a = open_online(&k, 300, 4);
    struct auth_context c;
    struct fault f = { 0 };

    (void)state;
    assert_false(authenticator_check_cached(a, arena, "good", &c));
    for (int i = 0; i < 10; i++) {
        c = (struct auth_context){ 0 };
        assert_ok(authenticator_check(a, arena, "good", &c, &f));
        assert_string_equal(c.user_id, "u1");
        assert_string_equal(c.project_domain_name, "D");
        assert_true(auth_has_role(&c, "reader"));
        assert_string_equal(c.audit_id, "a2");
        assert_string_equal(c.audit_chain_id, "a1");
        assert_true(authenticator_check_cached(a, arena, "good", &c));
        assert_fault(authenticator_check(a, arena, "bad", &c, &f), f, FAULT_UNAUTHORIZED, NULL);
        assert_false(authenticator_check_cached(a, arena, "bad", &c));
        fault_clear(&f);
    }
    assert_int_equal(atomic_load(&k.asked), 2);

    clock_shift_ms(300 * 1000); /* Time to ask again. */
    assert_ok(authenticator_check(a, arena, "good", &c, &f));
    assert_int_equal(atomic_load(&k.asked), 3);

    /* What is known is good while identity is away; of others nothing can be said, least of all that they are bad. */
    atomic_store(&k.away, true);
    assert_ok(authenticator_check(a, arena, "good", &c, &f));
    assert_fault(authenticator_check(a, arena, "good too", &c, &f), f, FAULT_UNAVAILABLE, NULL);
    fault_clear(&f);
    for (int i = 0; i < 10; i++) {
        assert_fault(authenticator_check(a, arena, "good too", &c, &f), f, FAULT_UNAVAILABLE, NULL);
        fault_clear(&f);
    }
    assert_int_equal(atomic_load(&k.asked), 4);
    clock_shift_ms(1000);
    atomic_store(&k.away, false);
    assert_ok(authenticator_check(a, arena, "good too", &c, &f));

    clock_set_us(INT64_C(1893456000000000)); /* Its end, whatever is kept. */
    assert_fault(authenticator_check(a, arena, "good", &c, &f), f, FAULT_UNAUTHORIZED, NULL);
    assert_false(authenticator_check_cached(a, arena, "good", &c));
    fault_clear(&f);
    assert_fault(authenticator_check(a, arena, "", &c, &f), f, FAULT_UNAUTHORIZED, NULL);
    clock_set_us(0);
    clock_shift_ms(-301 * 1000);
    authenticator_close(a);
}

static void
test_late(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct keystone k = { 0 };
    struct authenticator *a = open_online(&k, 300, 4);
    int64_t end_us = INT64_C(1893456000000000);
    struct auth_context c;
    struct fault f = { 0 };

    (void)state;
    clock_set_us(end_us + 59 * INT64_C(1000000));
    assert_ok(authenticator_check_late(a, arena, "good", 60, &c, &f));
    assert_string_equal(c.user_name, "ann");
    assert_int_equal(atomic_load(&k.asked_late), 1);
    assert_fault(authenticator_check(a, arena, "good", &c, &f), f, FAULT_UNAUTHORIZED, NULL);
    fault_clear(&f);
    assert_fault(authenticator_check_late(a, arena, "bad", 60, &c, &f), f, FAULT_UNAUTHORIZED,
                 NULL);
    fault_clear(&f);
    assert_fault(authenticator_check_late(a, arena, "", 60, &c, &f), f, FAULT_UNAUTHORIZED, NULL);
    fault_clear(&f);
    clock_set_us(end_us + 60 * INT64_C(1000000));
    assert_fault(authenticator_check_late(a, arena, "good", 60, &c, &f), f, FAULT_UNAUTHORIZED,
                 NULL);
    fault_clear(&f);
    atomic_store(&k.away, true);
    assert_fault(authenticator_check_late(a, arena, "good", 90, &c, &f), f, FAULT_UNAVAILABLE,
                 NULL);
    clock_set_us(0);
    authenticator_close(a);
}

static void
test_nothing_is_kept(void **state)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct keystone k = { 0 };
    struct authenticator *a = open_online(&k, 0, 4);
    struct auth_context c;
    struct fault f = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_ok(authenticator_check(a, arena, "good", &c, &f));
        assert_fault(authenticator_check(a, arena, "bad", &c, &f), f, FAULT_UNAUTHORIZED, NULL);
        fault_clear(&f);
    }
    assert_int_equal(atomic_load(&k.asked), 6);
    clock_set_us(0);
    authenticator_close(a);
}

struct client {
    pthread_t thread;
    struct authenticator *a;
    char token[16];
    int result;
};

static void *
check(void *object)
{
    struct client *x = object;
    struct arena *arena = arena_new();
    struct auth_context c;
    struct fault f = { 0 };

    x->result = authenticator_check(x->a, arena, x->token, &c, &f);
    arena_free(arena);
    return NULL;
}

/* Many at once: one question for each token, and never more than allowed at a time. */
static void
test_crowd(void **state)
{
    enum { CLIENTS = 40, TOKENS = 8 };
    struct client clients[CLIENTS];
    sem_t gate;
    struct keystone k = { .gate = &gate };
    struct authenticator *a = open_online(&k, 300, 3);

    (void)state;
    sem_init(&gate, 0, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .a = a };
        snprintf(clients[i].token, sizeof(clients[i].token), "good %d", i % TOKENS);
        pthread_create(&clients[i].thread, NULL, check, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++)
        sem_post(&gate);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].result, 0);
    }
    assert_int_equal(atomic_load(&k.asked), TOKENS);
    assert_in_range(atomic_load(&k.most), 1, 3);
    clock_set_us(0);
    authenticator_close(a);
    sem_destroy(&gate);
}

static void
test_reading(void **state)
{
#define USER "\"user\": {\"id\": \"u\"}"
#define TIMES "\"expires_at\": \"2030-01-01T00:00:00Z\""
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "{" USER ", " TIMES "}", true },
        { "[]", false },
        { "{}", false },
        { "{" TIMES "}", false },
        { "{" USER "}", false },
        { "{" USER ", \"expires_at\": 7}", false },
        { "{" USER ", \"expires_at\": \"soon\"}", false },
        { "{\"user\": {\"id\": \"\"}, " TIMES "}", false },
        { "{" USER ", " TIMES ", \"project\": {\"name\": \"no id\"}}", false },
        { "{" USER ", " TIMES ", \"project\": {\"id\": \"p\"}, \"system\": {\"all\": true}}",
          false },
        { "{" USER ", " TIMES ", \"system\": {\"all\": true}}", true },
        { "{" USER ", " TIMES ", \"system\": {\"all\": false}}", false },
        { "{" USER ", " TIMES ", \"roles\": [{\"id\": \"r\"}]}", false },
        { "{" USER ", " TIMES ", \"roles\": [7]}", false },
        { "{" USER ", " TIMES ", \"methods\": [7]}", false },
        { "{" USER ", " TIMES ", \"OS-TRUST:trust\": {}}", false },
        { "{" USER ", " TIMES ", \"application_credential\": {}}", false },
        { "{" USER ", " TIMES
          ", \"application_credential\": {\"id\": \"a\", \"access_rules\": [{\"path\": \"/\"}]}}",
          false },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct auth_context c;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        json_t *token;

        assert_ok(json_read(a, cases[i].text, strlen(cases[i].text), &token, &f));
        if ((online_read(a, token, &c, &f) >= 0) != cases[i].good)
            fail_msg("%s", cases[i].text);
    }
}

/* No list is every request; an empty one is none. */
static void
test_access_rules(void **state)
{
    static const char *const lists[] = {
        "null", "[]",
        "[{\"id\": \"x\", \"service\": \"image\", \"method\": \"GET\", \"path\": \"/v2\"}]"
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        char *text =
            arena_printf(a,
                         "{" USER ", " TIMES ", \"application_credential\": {\"id\": \"a\", "
                         "\"restricted\": true, \"access_rules\": %s}}",
                         lists[i]);
        struct auth_context c;
        struct fault f = { 0 };
        json_t *token;

        assert_ok(json_read(a, text, strlen(text), &token, &f));
        assert_ok(online_read(a, token, &c, &f));
        assert_string_equal(c.app_cred_id, "a");
        assert_true(c.app_cred_restricted);
        assert_int_equal(c.access_rules_count, i == 0 ? 0 : 3);
        if (i > 0)
            assert_string_equal(c.access_rules[2], i == 1 ? "" : "/v2");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_kept), cmocka_unit_test(test_nothing_is_kept),
        cmocka_unit_test(test_late),           cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_reading),        cmocka_unit_test(test_access_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
