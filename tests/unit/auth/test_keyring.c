#include "auth/keyring.h"

#include <errno.h>
#include <fcntl.h>

#include "../asserts.h"
#include "base/clock.h"
#include "ring.h"

static char directory[32];

static int
set_up(void **state)
{
    (void)state;
    ring_make_directory(directory);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    ring_remove_directory(directory);
    return 0;
}

static void
test_rotation(void **state)
{
    unsigned char old[KEYRING_SIGNATURE], new[KEYRING_SIGNATURE];
    char first[KEYRING_KID_MAX + 1], second[KEYRING_KID_MAX + 1];
    struct fault f = { 0 };
    struct keyring *k;
    uint64_t generation;

    (void)state;
    clock_set_us(NOW);
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_open_directory(&k, directory, &f));
    assert_int_equal(keyring_count(k), 1);
    assert_ok(keyring_signer(k, first));
    assert_ok(keyring_sign(k, first, "data", 4, old));
    generation = keyring_generation(k);
    assert_ok(keyring_reload(k, &f));
    assert_true(keyring_generation(k) == generation);

    clock_set_us(NOW + 1);
    assert_ok(keyring_generate(directory, &f));
    clock_set_us(0);
    assert_ok(keyring_reload(k, &f));
    assert_true(keyring_generation(k) != generation);
    assert_int_equal(keyring_count(k), 2);
    assert_ok(keyring_signer(k, second));
    assert_string_not_equal(first, second);
    assert_ok(keyring_sign(k, second, "data", 4, new));
    assert_memory_not_equal(old, new, sizeof(old));
    assert_int_equal(keyring_verify(k, first, "data", 4, old), 0);
    assert_int_equal(keyring_verify(k, second, "data", 4, new), 0);
    assert_int_equal(keyring_verify(k, second, "data", 4, old), -EBADMSG);
    assert_int_equal(keyring_verify(k, first, "datb", 4, old), -EBADMSG);
    assert_int_equal(keyring_verify(k, "nobody", "data", 4, old), -ENOKEY);
    keyring_free(k);
    keyring_free(NULL);
}

/* A young key signs only when there is no other; of several the one that others have had most time to learn of. */
static void
test_activation(void **state)
{
    char first[KEYRING_KID_MAX + 1], kid[KEYRING_KID_MAX + 1];
    struct fault f = { 0 };
    struct keyring *k;

    (void)state;
    clock_set_us(NOW);
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_open_directory(&k, directory, &f));
    keyring_set_activation(k, 100);
    assert_ok(keyring_signer(k, first));
    for (int i = 1; i <= 2; i++) {
        clock_set_us(NOW + 10 * i);
        assert_ok(keyring_generate(directory, &f));
    }
    assert_ok(keyring_reload(k, &f));
    for (int64_t at = 20; at < 110; at += 10) {
        clock_set_us(NOW + at);
        assert_ok(keyring_signer(k, kid));
        assert_string_equal(kid, first);
    }
    clock_set_us(NOW + 110);
    assert_ok(keyring_signer(k, kid));
    assert_true(strcmp(kid, first) > 0);
    clock_set_us(NOW + 120);
    assert_ok(keyring_signer(k, first));
    assert_true(strcmp(first, kid) > 0);
    keyring_set_activation(k, 0);
    assert_ok(keyring_signer(k, kid));
    assert_string_equal(first, kid);
    clock_set_us(0);
    keyring_free(k);
}

/* What others published verifies beside the directory's own, whatever order they come in, and takes nothing from them. */
static void
test_import_beside_directory(void **state)
{
    unsigned char mine[KEYRING_SIGNATURE], theirs[KEYRING_SIGNATURE];
    char own_kid[KEYRING_KID_MAX + 1], other_kid[KEYRING_KID_MAX + 1];
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct keyring *own, *other;
    struct keyring_key *keys;
    char elsewhere[32];
    struct fault f = { 0 };
    json_t *jwks;
    uint64_t generation;

    (void)state;
    ring_make_directory(elsewhere);
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_generate(elsewhere, &f));
    assert_ok(keyring_open_directory(&own, directory, &f));
    assert_ok(keyring_open_directory(&other, elsewhere, &f));
    assert_ok(keyring_signer(own, own_kid));
    assert_ok(keyring_signer(other, other_kid));
    assert_ok(keyring_sign(own, own_kid, "data", 4, mine));
    assert_ok(keyring_sign(other, other_kid, "data", 4, theirs));
    assert_int_equal(keyring_verify(own, other_kid, "data", 4, theirs), -ENOKEY);

    jwks = keyring_jwks(other);
    assert_ok(keyring_import_jwks(own, jwks, &f));
    generation = keyring_generation(own);
    assert_int_equal(keyring_count(own), 2);
    assert_int_equal(keyring_verify(own, other_kid, "data", 4, theirs), 0);
    assert_int_equal(keyring_verify(own, own_kid, "data", 4, mine), 0);
    assert_true(keyring_imported(own, other_kid));
    assert_false(keyring_imported(own, own_kid));
    assert_ok(keyring_reload(own, &f)); /* Changes nothing: what was verified stays so. */
    assert_ok(keyring_import_jwks(own, jwks, &f));
    assert_true(keyring_generation(own) == generation);
    assert_ok(keyring_signer(own, other_kid));
    assert_string_equal(other_kid, own_kid); /* Only who has the private key signs. */
    assert_int_equal(keyring_own(own, a, &keys), 1);
    assert_string_equal(keys[0].kid, own_kid);
    assert_true(keys[0].signs);
    json_decref(jwks);

    /* Somebody who publishes another key under our kid changes nothing here. */
    jwks = keyring_jwks(other);
    json_object_set_new(json_array_get(json_object_get(jwks, "keys"), 0), "kid",
                        json_string(own_kid));
    assert_ok(keyring_import_jwks(own, jwks, &f));
    assert_int_equal(keyring_count(own), 1);
    assert_int_equal(keyring_verify(own, own_kid, "data", 4, mine), 0);
    assert_int_equal(keyring_verify(own, own_kid, "data", 4, theirs), -EBADMSG);
    json_decref(jwks);

    assert_ok(keyring_remove(elsewhere, "nobody", &f));
    assert_ok(keyring_signer(other, other_kid));
    assert_ok(keyring_remove(elsewhere, other_kid, &f));
    assert_ok(keyring_reload(other, &f));
    assert_int_equal(keyring_count(other), 0);
    assert_int_equal(keyring_signer(other, other_kid), -ENOKEY);
    keyring_free(own);
    keyring_free(other);
    ring_remove_directory(elsewhere);
}

static void
test_jwks(void **state)
{
    unsigned char signature[KEYRING_SIGNATURE];
    char kid[KEYRING_KID_MAX + 1];
    struct fault f = { 0 };
    struct keyring *k, *other;
    json_auto_t *jwks = NULL;
    uint64_t generation;
    char *text;

    (void)state;
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_open_directory(&k, directory, &f));
    jwks = keyring_jwks(k);
    text = json_dumps(jwks, 0);
    assert_null(strstr(text, "\"d\"")); /* The private part. */
    free(text);
    keyring_new(&other);
    assert_ok(keyring_import_jwks(other, jwks, &f));
    assert_ok(keyring_signer(k, kid));
    assert_ok(keyring_sign(k, kid, "data", 4, signature));
    assert_int_equal(keyring_verify(other, kid, "data", 4, signature), 0);
    assert_int_equal(keyring_signer(other, kid), -ENOKEY);
    assert_int_equal(keyring_sign(other, kid, "data", 4, signature), -ENOKEY);

    generation = keyring_generation(other);
    assert_ok(keyring_import_jwks(other, jwks, &f));
    assert_true(keyring_generation(other) == generation);
    keyring_free(k);
    keyring_free(other);
}

static void
test_import_refuses(void **state)
{
#define X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    static const struct {
        const char *text, *field; /* NULL: accepted. */
        size_t count;
    } cases[] = {
        { "{\"keys\":[]}", NULL, 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "\"}]}", NULL,
          1 },
        { "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\"},{\"kty\":\"oct\",\"k\":\"AA\"}"
          "]}",
          NULL, 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":\"" X "\"}]}", NULL,
          0 },
        { "{\"keys\":[1,null,\"x\"]}", NULL, 0 },
        { "{}", "keys", 0 },
        { "[]", "keys", 0 },
        { "{\"keys\":{}}", "keys", 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}]}", "kid", 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"../a\",\"x\":\"" X "\"}]}",
          "kid", 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"\",\"x\":\"" X "\"}]}", "kid",
          0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "=\"}]}", "x",
          0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AAAA\"}]}", "x",
          0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\"}]}", "x", 0 },
        { "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "\"},"
          "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "\"}]}",
          "kid", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *jwks = json_loads(cases[i].text, 0, NULL);
        struct fault f = { 0 };
        struct keyring *k;
        int r;

        assert_non_null(jwks);
        keyring_new(&k);
        r = keyring_import_jwks(k, jwks, &f);
        if (cases[i].field == NULL) {
            assert_ok(r);
        } else {
            assert_fault(r, f, FAULT_INVALID, NULL);
            assert_string_equal(f.field, cases[i].field);
        }
        assert_int_equal(keyring_count(k), cases[i].count);
        keyring_free(k);
    }
}

static void
test_directory_refuses(void **state)
{
    char kid[KEYRING_KID_MAX + 1];
    _cleanup_(str_done) struct str path = { 0 };
    struct fault f = { 0 };
    struct keyring *k;
    int fd;

    (void)state;
    assert_fault(keyring_open_directory(&k, "/nonexistent/keys", &f), f, FAULT_INTERNAL, NULL);
    assert_ok(keyring_generate(directory, &f));
    assert_ok(keyring_open_directory(&k, directory, &f));
    assert_ok(keyring_signer(k, kid));

    /* Others may read the private key. */
    str_addf(&path, "%s/%s.pem", directory, kid);
    assert_int_equal(chmod(path.data, 0640), 0);
    assert_fault(keyring_reload(k, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "must be 600"));
    assert_int_equal(keyring_count(k), 1); /* The old set stays. */
    assert_int_equal(chmod(path.data, 0600), 0);
    assert_ok(keyring_reload(k, &f));

    /* The public key is another's, then missing. */
    fd = open(directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    str_clear(&path);
    str_addf(&path, "%s.pub.pem", kid);
    assert_int_equal(unlinkat(fd, path.data, 0), 0);
    close(fd);
    assert_fault(keyring_reload(k, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "missing"));
    keyring_free(k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_activation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_import_beside_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jwks, set_up, tear_down),
        cmocka_unit_test(test_import_refuses),
        cmocka_unit_test_setup_teardown(test_directory_refuses, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
