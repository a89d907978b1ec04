#include "auth/revocation.h"

#include "../asserts.h"
#include "base/clock.h"
#include "ring.h"

/* Each id, alone and together with others; the token is that of ring_context(). */
static void
test_match(void **state)
{
    static const struct {
        struct revocation revocation;
        bool matches;
    } cases[] = {
        { { .audit_id = "audit-2" }, true },
        { { .audit_id = "audit-1" }, false },
        { { .audit_chain_id = "audit-1" }, true }, /* Kills all that was made from the first. */
        { { .audit_chain_id = "audit-2" }, false },
        { { .user_id = "u1" }, true },
        { { .user_id = "u2" }, false },
        { { .user_id = "U1" }, false },
        { { .project_id = "p1" }, true },
        { { .project_id = "p2" }, false },
        { { .domain_id = "default" }, true }, /* The user's. */
        { { .domain_id = "pd" }, true },      /* The project's. */
        { { .domain_id = "other" }, false },
        { { .role_id = "role-2" }, true },
        { { .role_id = "reader" }, false },
        { { .trust_id = "t" }, false },
        { { .app_cred_id = "ac" }, false },
        { { .access_token_id = "oat" }, false },
        { { .consumer_id = "oac" }, false },
        { { .user_id = "u1", .project_id = "p1" }, true },
        { { .user_id = "u1", .project_id = "p2" }, false },
        { { .user_id = "u2", .project_id = "p1" }, false },
        { { .user_id = "u1", .project_id = "p1", .role_id = "role-1" }, true },
        { { .user_id = "u1", .project_id = "p1", .role_id = "role-9" }, false },
        { { .delegated = true }, false },
        { { .user_id = "u1", .delegated = true }, false },
        { { 0 }, true }, /* Everything of before a time. */
    };
    struct auth_context c = ring_context();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const struct {
            int64_t before_us;
            bool old_enough;
        } times[] = { { NOW - 1, false }, { NOW, true }, { NOW + 1, true } };

        for (size_t t = 0; t < ARRAY_SIZE(times); t++) {
            struct revocations *r = revocations_new();
            struct revocation added = cases[i].revocation;

            added.issued_before_us = times[t].before_us;
            assert_false(revocations_match(r, &c));
            revocations_add(r, &added);
            /* What is made of a token that has ended has ended, whenever it was made. */
            assert_int_equal(revocations_match(r, &c),
                             cases[i].matches && (times[t].old_enough || added.audit_id != NULL ||
                                                  added.audit_chain_id != NULL));
            revocations_free(r);
        }
    }
    revocations_free(NULL);
}

static void
test_special_tokens(void **state)
{
    static const char *const groups[] = { "g1", "g2" };
    struct revocations *r = revocations_new();
    struct auth_context trust = ring_context(), credential = ring_context(),
                        domain = ring_context(), federated = ring_context(), other, bare = { 0 };

    (void)state;
    federated.idp_id = "acme";
    federated.protocol_id = "openid";
    federated.group_ids = groups;
    federated.group_ids_count = 2;
    other = federated;
    other.protocol_id = "saml2";
    trust.trust_id = "t";
    credential.app_cred_id = "ac";
    domain.domain_id = "scope";
    revocations_add(r, &(struct revocation){ .trust_id = "t", .issued_before_us = NOW });
    revocations_add(r, &(struct revocation){ .app_cred_id = "ac", .issued_before_us = NOW });
    revocations_add(r, &(struct revocation){ .domain_id = "scope", .issued_before_us = NOW });
    revocations_add(r, &(struct revocation){
                           .idp_id = "acme", .protocol_id = "openid", .issued_before_us = NOW });
    assert_true(revocations_match(r, &federated));
    assert_false(revocations_match(r, &other));
    revocations_add(r, &(struct revocation){ .group_id = "g2", .issued_before_us = NOW });
    assert_true(revocations_match(r, &other));
    assert_true(revocations_match(r, &trust));
    assert_true(revocations_match(r, &credential));
    assert_true(revocations_match(r, &domain));
    assert_false(revocations_match(r, &bare));
    revocations_free(r);
}

static void
test_add_again(void **state)
{
    struct revocations *r = revocations_new();
    struct revocation a = { .user_id = "u1",
                            .issued_before_us = NOW - 10,
                            .expires_us = NOW + HOUR_US };
    struct auth_context c = ring_context();
    uint64_t generation;

    (void)state;
    clock_set_us(NOW);
    revocations_add(r, &a);
    generation = revocations_generation(r);
    revocations_add(r, &a);
    assert_int_equal(revocations_count(r), 1);
    assert_true(revocations_generation(r) == generation);
    assert_false(revocations_match(r, &c));
    a.issued_before_us = NOW;
    revocations_add(r, &a);
    assert_int_equal(revocations_count(r), 1);
    assert_true(revocations_generation(r) != generation);
    assert_true(revocations_match(r, &c));
    a.issued_before_us = 5; /* An old message that comes late takes nothing back. */
    revocations_add(r, &a);
    assert_true(revocations_match(r, &c));
    clock_set_us(0);
    revocations_free(r);
}

static void
test_forgotten_when_expired(void **state)
{
    struct revocations *r = revocations_new();
    char id[32];

    (void)state;
    clock_set_us(NOW);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "user-%d", i % 500);
        revocations_add(r,
                        &(struct revocation){ .user_id = id,
                                              .project_id = i < 500 ? "p" : NULL,
                                              .issued_before_us = NOW,
                                              .expires_us = NOW + (i % 2 == 0 ? 1 : 2) * HOUR_US });
    }
    assert_int_equal(revocations_count(r), 1000);
    revocations_add(r, &(struct revocation){
                           .user_id = "past", .issued_before_us = NOW, .expires_us = NOW });
    assert_int_equal(revocations_count(r), 1000);
    clock_set_us(NOW + HOUR_US);
    revocations_add(r, &(struct revocation){ .user_id = "x",
                                             .issued_before_us = NOW,
                                             .expires_us = NOW + 3 * HOUR_US });
    assert_int_equal(revocations_count(r), 501);
    clock_set_us(NOW + 2 * HOUR_US);
    revocations_add(r, &(struct revocation){ .user_id = "y",
                                             .issued_before_us = NOW,
                                             .expires_us = NOW + 3 * HOUR_US });
    assert_int_equal(revocations_count(r), 2);
    clock_set_us(0);
    revocations_free(r);
}

static void
test_json(void **state)
{
    static const struct {
        const char *text, *refused;
    } cases[] = {
        { "{\"user_id\":\"u\",\"issued_before_us\":1,\"expires_us\":2}", NULL },
        { "{\"user_id\":\"u\",\"role_id\":null,\"issued_before_us\":1,\"expires_us\":2,\"new\":3}",
          NULL },
        { "{\"issued_before_us\":1,\"expires_us\":2}", "names nothing" },
        { "{\"delegated\":true,\"issued_before_us\":1,\"expires_us\":2}", NULL },
        { "{\"delegated\":false,\"issued_before_us\":1,\"expires_us\":2}", "names nothing" },
        { "{\"userid\":\"u\",\"issued_before_us\":1,\"expires_us\":2}", "names nothing" },
        { "{\"user_id\":\"\",\"issued_before_us\":1,\"expires_us\":2}", "Not an id" },
        { "{\"user_id\":1,\"issued_before_us\":1,\"expires_us\":2}", "Not an id" },
        { "{\"user_id\":\"u\",\"expires_us\":2}", "Not a time" },
        { "{\"user_id\":\"u\",\"issued_before_us\":1.5,\"expires_us\":2}", "Not a time" },
        { "{\"user_id\":\"u\",\"issued_before_us\":1,\"expires_us\":\"2\"}", "Not a time" },
        { "[]", "names nothing" },
    };
    struct revocation all = { "a", "b", "c", "d", "e", "f",  "g", "h",
                              "i", "j", "k", "l", "m", true, 12,  34 };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_auto_t *value = revocation_to_json(&all);
    struct revocation back = { 0 };
    struct fault f = { 0 };

    (void)state;
    assert_ok(revocation_from_json(a, value, &back, &f));
    assert_string_equal(back.audit_id, "a");
    assert_string_equal(back.audit_chain_id, "b");
    assert_string_equal(back.user_id, "c");
    assert_string_equal(back.project_id, "d");
    assert_string_equal(back.domain_id, "e");
    assert_string_equal(back.role_id, "f");
    assert_string_equal(back.trust_id, "g");
    assert_string_equal(back.app_cred_id, "h");
    assert_string_equal(back.access_token_id, "i");
    assert_string_equal(back.consumer_id, "j");
    assert_string_equal(back.idp_id, "k");
    assert_string_equal(back.protocol_id, "l");
    assert_string_equal(back.group_id, "m");
    assert_true(back.delegated);
    assert_true(back.issued_before_us == 12 && back.expires_us == 34);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *in = json_loads(cases[i].text, 0, NULL);
        int r = revocation_from_json(a, in, &back, &f);

        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),     cmocka_unit_test(test_special_tokens),
        cmocka_unit_test(test_add_again), cmocka_unit_test(test_forgotten_when_expired),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
