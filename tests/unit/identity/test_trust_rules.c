/* What may be handed on below what, and which chains are alive: each rule a line. */
#include "services/identity/trusts.h"

#include "tests/unit/asserts.h"

#define NOW INT64_C(1000000000)

static struct trust_link_row
link_row(void)
{
    static const char *roles[] = { "r1", "r2" };

    return (struct trust_link_row){
        .id = "t1",
        .trustor_user_id = "a",
        .trustee_user_id = "b",
        .project_id = "p",
        .impersonation = true,
        .expires_at_null = true,
        .remaining_uses_null = true,
        .redelegation_count = 2,
        .trustor_enabled = true,
        .trustee_enabled = true,
        .roles = { .items = roles, .count = 2 },
    };
}

static void
test_redelegation(void **state)
{
    static const char *const one[] = { "r2" }, *const other[] = { "r1", "r9" };
    static const struct {
        struct trust_wish wish;
        int64_t count, ends_us; /* Of the trust that is handed on; 0: never. */
        bool plain;             /* It does not impersonate. */
        const char *refused;
    } cases[] = {
        { { "p", true, one, 1, 0, false }, 2, 0, false, NULL },
        { { "p", false, one, 1, 0, false }, 2, 0, false, NULL },
        { { "p", true, NULL, 0, 0, false }, 1, 0, false, NULL },
        { { "p", true, one, 1, 0, false }, 0, 0, false, "depth" },
        { { "p", true, one, 1, 0, false }, 4, 0, false, "depth" },
        { { "p", true, one, 1, 0, true }, 2, 0, false, "remaining_uses" },
        { { "p", true, one, 1, NOW, false }, 2, 0, false, NULL },
        { { "p", true, one, 1, NOW, false }, 2, NOW, false, NULL },
        { { "p", true, one, 1, NOW + 1, false }, 2, NOW, false, "expiration" },
        { { "p", true, one, 1, 0, false }, 2, NOW, false, "expiration" },
        { { "q", true, one, 1, 0, false }, 2, 0, false, "project" },
        { { NULL, true, one, 1, 0, false }, 2, 0, false, "project" },
        { { "p", true, other, 2, 0, false }, 2, 0, false, "roles" },
        { { "p", true, one, 1, 0, false }, 2, 0, true, "Impersonation" },
        { { "p", false, one, 1, 0, false }, 2, 0, true, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct trust_link_row link = link_row();
        struct fault f = { 0 };
        int r;

        link.redelegation_count = cases[i].count;
        link.expires_at = cases[i].ends_us;
        link.expires_at_null = cases[i].ends_us == 0;
        link.impersonation = !cases[i].plain;
        r = trust_check_redelegation(&link, &cases[i].wish, 3, &f);
        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_FORBIDDEN, cases[i].refused);
    }
}

static void
test_alive(void **state)
{
    struct fault f = { 0 };

    (void)state;
    assert_fault(trust_check_alive("t", NULL, 0, NOW, &f), f, FAULT_NOT_FOUND,
                 "Could not find trust: t.");
    for (size_t i = 0; i < 2; i++) { /* What is wrong with one of two ends the first. */
        struct trust_link_row chain[] = { link_row(), link_row() }, *link = &chain[i];

        fault_clear(&f);
        assert_ok(trust_check_alive("t", chain, 2, NOW, &f));
        link->expires_at_null = false;
        link->expires_at = NOW + 1;
        assert_ok(trust_check_alive("t", chain, 2, NOW, &f));
        link->expires_at = NOW;
        assert_fault(trust_check_alive("t", chain, 2, NOW, &f), f, FAULT_NOT_FOUND, "trust");
        *link = link_row();
        link->remaining_uses_null = false;
        link->remaining_uses = 1;
        fault_clear(&f);
        assert_ok(trust_check_alive("t", chain, 2, NOW, &f));
        link->remaining_uses = 0;
        assert_fault(trust_check_alive("t", chain, 2, NOW, &f), f, FAULT_NOT_FOUND, "trust");
        *link = link_row();
        fault_clear(&f);
        link->trustee_enabled =
            false; /* The last one's own case is that of who asks for a token. */
        if (i == 0)
            assert_ok(trust_check_alive("t", chain, 2, NOW, &f));
        else
            assert_fault(trust_check_alive("t", chain, 2, NOW, &f), f, FAULT_FORBIDDEN, "agents");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redelegation),
        cmocka_unit_test(test_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
