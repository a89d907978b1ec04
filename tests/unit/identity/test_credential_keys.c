/* Sealing credentials: what opens where, what a rotation keeps, and that no key is made twice. */
#include "services/identity/credential_keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/asserts.h"

static struct arena *arena;
static char folder[] = "/tmp/virga-credential-keys-XXXXXX";
static const char *path;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new();
    snprintf(folder, sizeof(folder), "/tmp/virga-credential-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    path = arena_printf(arena, "%s/keys", folder);
    return 0;
}

static size_t
each_file(bool unlink_them)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' && (entry->d_name[1] == '\0' || entry->d_name[1] == '.'))
            continue;
        count++;
        if (unlink_them)
            unlink(arena_printf(arena, "%s/%s", path, entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static int
teardown(void **state)
{
    (void)state;
    each_file(true);
    rmdir(path);
    rmdir(folder);
    arena_free(arena);
    return 0;
}

static struct credential_keys *
opened(void)
{
    struct credential_keys *k;
    struct fault f = { 0 };

    if (credential_keys_open(path, &k, &f) < 0)
        fail_msg("%s", f.cause);
    return k;
}

static void
test_what_opens(void **state)
{
    static const char *const texts[] = { "", "x", "{\"access\": \"a\", \"secret\": \"\xc3\xbc\"}" };
    struct credential_keys *k = opened();
    struct fault f = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *sealed, *again, *key, *text;
        char *changed;

        assert_ok(credential_seal(k, arena, texts[i], "a\nb", &sealed, &key, &f));
        assert_ok(credential_seal(k, arena, texts[i], "a\nb", &again, &key, &f));
        assert_string_not_equal(sealed, again);
        assert_ok(credential_unseal(k, arena, sealed, key, "a\nb", &text, &f));
        assert_string_equal(text, texts[i]);
        /* A short one may stand in any base64. */
        assert_null(strlen(texts[i]) < 8 ? NULL : strstr(sealed, texts[i]));
        /* Of another row, with another key, altered at any place, cut. */
        assert_true(credential_unseal(k, arena, sealed, key, "a\nc", &text, &f) < 0);
        assert_true(credential_unseal(k, arena, sealed, "0123456789abcdef", "a\nb", &text, &f) < 0);
        for (size_t at = 0; at < strlen(sealed); at++) {
            changed = arena_strdup(arena, sealed);
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            assert_true(credential_unseal(k, arena, changed, key, "a\nb", &text, &f) < 0);
            changed[at] = '\0';
            assert_true(credential_unseal(k, arena, changed, key, "a\nb", &text, &f) < 0);
        }
        assert_true(credential_unseal(k, arena, "not base64!", key, "a\nb", &text, &f) < 0);
    }
    credential_keys_free(k);
}

/* Two daemons: one rotates, the other neither restarts nor loses anything. */
static void
test_rotation(void **state)
{
    struct credential_keys *k = opened(), *other = opened();
    const char *sealed[4], *keys[4], *text;
    struct fault f = { 0 };

    (void)state;
    assert_int_equal(each_file(false), 2);
    for (size_t i = 0; i < ARRAY_SIZE(sealed); i++) {
        const char *current;

        assert_ok(
            credential_seal(i % 2 ? other : k, arena, "secret", "row", &sealed[i], &keys[i], &f));
        assert_ok(credential_keys_current(other, arena, &current, &f));
        assert_string_equal(current, keys[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[j], keys[i]);
        assert_ok(credential_keys_rotate(path, &f));
        assert_int_equal(each_file(false), 3);
        /* What the present key sealed until now still opens, in both; what is older has gone, as its caller wanted. */
        assert_ok(credential_unseal(k, arena, sealed[i], keys[i], "row", &text, &f));
        assert_ok(credential_unseal(other, arena, sealed[i], keys[i], "row", &text, &f));
        if (i > 0)
            assert_false(credential_keys_has(other, keys[i - 1]));
    }
    credential_keys_free(k);
    credential_keys_free(other);
}

/* The key that will seal next lies there a rotation before. */
static void
test_next_key_is_known_before(void **state)
{
    struct credential_keys *k = opened();
    const char *sealed, *key, *text, *copy = arena_printf(arena, "%s/0.key", path);
    unsigned char before[32];
    struct fault f = { 0 };
    int fd = open(copy, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(read(fd, before, 32), 32);
    close(fd);
    assert_ok(credential_keys_rotate(path, &f));
    assert_ok(credential_seal(k, arena, "secret", "row", &sealed, &key, &f));
    /* Another host that has not seen the rotation yet: the old files. */
    each_file(true);
    fd = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, before, 32), 32);
    close(fd);
    assert_ok(credential_unseal(k, arena, sealed, key, "row", &text, &f));
    credential_keys_free(k);
}

static void
test_files_that_are_refused(void **state)
{
    struct credential_keys *k = opened();
    const char *first = arena_printf(arena, "%s/1.key", path);
    struct fault f = { 0 };

    (void)state;
    credential_keys_free(k);
    chmod(first, 0640);
    assert_true(credential_keys_open(path, &k, &f) < 0);
    assert_non_null(strstr(f.cause, "must be 600"));
    chmod(first, 0600);
    assert_int_equal(truncate(first, 31), 0);
    assert_true(credential_keys_open(path, &k, &f) < 0);
    assert_non_null(strstr(f.cause, "32 bytes"));
}

static void *
open_one(void *unused)
{
    (void)unused;
    return opened();
}

/* Daemons that start at once on an empty folder agree on one key. */
static void
test_start_at_once(void **state)
{
    pthread_t threads[8];
    struct credential_keys *k[8];
    const char *key, *first = NULL;
    struct fault f = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_one, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *result;

        pthread_join(threads[i], &result);
        k[i] = result;
    }
    assert_int_equal(each_file(false), 2);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        assert_ok(credential_keys_current(k[i], arena, &key, &f));
        first = first == NULL ? key : first;
        assert_string_equal(key, first);
        credential_keys_free(k[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_opens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_next_key_is_known_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_that_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
