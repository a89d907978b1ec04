#include "services/compute/ssh_key.h"

#include "base/str.h"
#include "tests/unit/asserts.h"

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAINCovdEZPXD4gEGh5EZSAOFJ6IdOFBd6lx9VyN72viWf"
#define ED25519_PRINT                                                                              \
    "8f:66:a1:1d:9d:d1:90:7c:0c:dc:b9:4f:43:42:55:53" /* As ssh-keygen -l -E md5 says. */
#define ECDSA                                                                                      \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGA+W7l4cjMiDZ1iwUpFbbXIv+Ks3Ifeesp"      \
    "KfL9NTCvYiVdOwVg1yfk47w/fcJ2YrFBbD16cTQ94ZfEnt7SDD1Y="

static void
test_fingerprints(void **state)
{
    static const struct {
        const char *key, *fingerprint; /* NULL: refused */
    } cases[] = {
        { "ssh-ed25519 " ED25519 " me@there", ED25519_PRINT },
        { "ssh-ed25519 " ED25519, ED25519_PRINT },
        { "ssh-ed25519 " ED25519 "\n", ED25519_PRINT },
        { "ssh-ed25519 " ED25519 "\r\n", ED25519_PRINT },
        { "  ssh-ed25519 " ED25519 " a comment of words\n", ED25519_PRINT },
        { "ecdsa-sha2-nistp256 " ECDSA " x", "8c:c6:b2:f3:dd:1e:8f:13:ce:07:46:5d:e2:f9:cd:6c" },
        { "", NULL },
        { " ", NULL },
        { "ssh-ed25519", NULL },
        { "ssh-ed25519 ", NULL },
        { "ssh-ed25519 !!!!", NULL },
        { "ssh-ed25519 AAAA", NULL },
        { "ssh-rsa " ED25519, NULL }, /* The blob says another type. */
        { "ssh-unknown " ED25519, NULL },
        { ED25519, NULL },
        { "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n", NULL },
        { "ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519 "\n",
          NULL }, /* A second line would be a second key in the guest. */
        { "ssh-ed25519 " ED25519 " me\ncommand=\"x\" ssh-ed25519 " ED25519, NULL },
    };
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *fingerprint = NULL;
        struct fault f = { 0 };
        int r = ssh_key_fingerprint(a, cases[i].key, &fingerprint, &f);

        if (cases[i].fingerprint == NULL) {
            if (r >= 0)
                fail_msg("case %zu is taken", i);
            assert_fault(r, f, FAULT_INVALID, "failed to generate fingerprint");
            assert_string_equal(f.field, "public_key");
        } else if (r < 0 || !str_equal(fingerprint, cases[i].fingerprint)) {
            fail_msg("case %zu: %s", i, r < 0 ? f.message : fingerprint);
        }
    }
    arena_free(a);
}

static void
test_generated(void **state)
{
    struct arena *a = arena_new();
    char *public[2], *private[2];
    const char *fingerprint;
    struct fault f = { 0 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_ok(ssh_key_generate(a, "a comment", &public[i], &private[i], &f));
        assert_ok(ssh_key_fingerprint(a, public[i], &fingerprint, &f));
        assert_int_equal(strlen(fingerprint), 47);
        assert_true(str_ends(public[i], " a comment"));
        assert_true(str_starts(private[i], "-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert_true(str_ends(private[i], "\n-----END OPENSSH PRIVATE KEY-----\n"));
    }
    assert_string_not_equal(public[0], public[1]);
    assert_string_not_equal(private[0], private[1]);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fingerprints),
                                        cmocka_unit_test(test_generated) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
