#include "../../../services/network/address.h"

#include <string.h>

#include "../asserts.h"

static void
test_parse(void **state)
{
    static const struct {
        const char *text, *canonical; /* NULL: refused. */
    } cases[] = {
        { "10.0.0.1", "10.0.0.1" },
        { "2001:DB8:0:0::1", "2001:db8::1" },
        { "::", "::" },
        { "010.0.0.1", NULL },
        { "10.0.0", NULL },
        { "10.0.0.256", NULL },
        { "10.0.0.1 ", NULL },
        { "fe80::1%eth0", NULL },
        { "", NULL },
        { "10.0.0.1/24", NULL },
        { "::ffff:1.2.3", NULL },
        { "::1::", NULL },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address x;
        int r = address_parse(cases[i].text, &x);

        assert_int_equal(r, cases[i].canonical == NULL ? -1 : 0);
        if (r == 0)
            assert_string_equal(address_text(a, &x), cases[i].canonical);
    }
    assert_int_equal(address_parse(NULL, &(struct address){ 0 }), -1);
    arena_free(a);
}

static void
test_cidr(void **state)
{
    static const struct {
        const char *text, *first, *last; /* NULL: refused. */
    } cases[] = {
        { "10.1.2.3/8", "10.0.0.0", "10.255.255.255" },
        { "10.1.2.3/32", "10.1.2.3", "10.1.2.3" },
        { "10.1.2.3/30", "10.1.2.0", "10.1.2.3" },
        { "0.0.0.0/0", "0.0.0.0", "255.255.255.255" },
        { "2001:db8::ff/121", "2001:db8::80", "2001:db8::ff" },
        { "10.0.0.0/33", NULL, NULL },
        { "10.0.0.0/", NULL, NULL },
        { "10.0.0.0/+8", NULL, NULL },
        { "10.0.0.0/8/8", NULL, NULL },
        { "2001:db8::/129", NULL, NULL },
        { "10.0.0.0", NULL, NULL },
    };
    struct arena *a = arena_new();
    struct address x;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address first, last;
        int r = address_parse_cidr(cases[i].text, true, &x);

        assert_int_equal(r, cases[i].first == NULL ? -1 : 0);
        if (r < 0)
            continue;
        first = address_first(&x);
        last = address_last(&x);
        assert_string_equal(address_text(a, &first), cases[i].first);
        assert_string_equal(address_text(a, &last), cases[i].last);
    }
    assert_int_equal(address_parse_cidr("10.0.0.9", false, &x), 0);
    assert_int_equal(x.prefix, 32);
    arena_free(a);
}

static struct address
cidr(const char *text)
{
    struct address x;

    assert_int_equal(address_parse_cidr(text, false, &x), 0);
    return x;
}

static void
test_overlap(void **state)
{
    static const struct {
        const char *a, *b;
        bool yes;
    } cases[] = {
        { "10.0.0.0/8", "10.1.0.0/16", true },
        { "10.1.0.0/16", "10.0.0.0/8", true },
        { "10.0.0.0/24", "10.0.1.0/24", false },
        { "10.0.0.0/24", "10.0.0.128/25", true },
        { "2001:db8::/32", "2001:db8:1::/48", true },
        { "2001:db8::/48", "2001:db8:1::/48", false },
        { "0.0.0.0/0", "::/0", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address a = cidr(cases[i].a), b = cidr(cases[i].b);

        assert_int_equal(address_overlap(&a, &b), cases[i].yes);
    }
}

static void
test_add(void **state)
{
    static const struct {
        const char *from;
        int n;
        const char *to;
    } cases[] = {
        { "10.0.0.255", 1, "10.0.1.0" },          { "10.0.1.0", -1, "10.0.0.255" },
        { "255.255.255.255", 1, "0.0.0.0" },      { "0.0.0.0", -1, "255.255.255.255" },
        { "2001:db8::ffff", 1, "2001:db8::1:0" }, { "10.0.0.0", 300, "10.0.1.44" },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address from = cidr(cases[i].from), to = address_add(&from, cases[i].n);

        assert_string_equal(address_text(a, &to), cases[i].to);
    }
    arena_free(a);
}

static void
test_eui64(void **state)
{
    struct arena *a = arena_new();
    struct address net = cidr("2001:db8::/64"), other = cidr("2001:db8::/65"), x;

    (void)state;
    assert_int_equal(address_eui64(&net, "fa:16:3e:01:02:03", &x), 0);
    assert_string_equal(address_text(a, &x), "2001:db8::f816:3eff:fe01:203");
    assert_int_equal(address_eui64(&other, "fa:16:3e:01:02:03", &x), -1);
    assert_int_equal(address_eui64(&net, "nonsense", &x), -1);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_cidr),  cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_add),   cmocka_unit_test(test_eui64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
