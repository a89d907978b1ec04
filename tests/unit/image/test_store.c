/* The store: what a writer leaves behind in each of its states, and what is opened and what is not. */
#include <sys/stat.h>
#include <unistd.h>

#include "services/image/store.h"
#include "tests/unit/asserts.h"

struct folder {
    char path[64];
    struct store *store;
};

static int
setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    char images[80];
    struct fault f = { 0 };

    snprintf(folder->path, sizeof(folder->path), "/tmp/virga-store-XXXXXX");
    if (mkdtemp(folder->path) == NULL)
        return -1;
    snprintf(images, sizeof(images), "%s/a/b", folder->path);
    *state = folder;
    return store_open(&folder->store, images, &f);
}

static int
teardown(void **state)
{
    struct folder *folder = *state;
    char path[80];

    store_close(folder->store);
    snprintf(path, sizeof(path), "%s/a/b", folder->path);
    rmdir(path); /* Fails, and so does the next, when a test left files. */
    snprintf(path, sizeof(path), "%s/a", folder->path);
    rmdir(path);
    if (rmdir(folder->path) < 0)
        return -1;
    free(folder);
    return 0;
}

static bool
is_there(const struct folder *folder, const char *id, const char *suffix)
{
    char path[160];
    struct stat st;

    snprintf(path, sizeof(path), "%s/a/b/%s%s", folder->path, id, suffix);
    return lstat(path, &st) == 0;
}

static void
count_free(void *owner, const char *id, bool complete)
{
    (void)id;
    *(int *)owner += complete ? 100 : 1;
}

/* Files that no writer holds: 1 for each that is not complete, 100 for each that is. */
static int
free_files(struct store *s)
{
    struct fault f = { 0 };
    int count = 0;

    assert_ok(store_each(s, count_free, &count, &f));
    return count;
}

static void
test_life(void **state)
{
    struct folder *folder = *state;
    struct store_file file = { 0 };
    struct fault f = { 0 };
    char id[UUID_TEXT], data[16] = "";
    int64_t size;
    int fd;

    assert_ok(store_create(folder->store, &file, &f));
    memcpy(id, file.id, sizeof(id));
    assert_true(is_there(folder, id, ".part"));
    assert_true(store_is_held(folder->store, id));
    assert_int_equal(free_files(folder->store), 0);
    assert_fault(store_read(folder->store, id, &fd, &size, &f), f, FAULT_NOT_FOUND, NULL);
    assert_ok(store_write(&file, "hello ", 6, 0, &f));
    assert_ok(store_write(&file, "world", 5, 6, &f));
    assert_ok(store_keep(&file, &f));
    assert_false(is_there(folder, id, ".part"));
    assert_true(store_is_held(folder->store, id));
    store_leave(&file);
    store_file_done(&file);
    assert_false(store_is_held(folder->store, id));
    assert_int_equal(free_files(folder->store), 100);
    assert_ok(store_read(folder->store, id, &fd, &size, &f));
    assert_int_equal(size, 11);
    assert_int_equal(read(fd, data, sizeof(data)), 11);
    assert_string_equal(data, "hello world");
    close(fd);
    store_remove(folder->store, id);
    store_remove(folder->store, id);
    assert_int_equal(free_files(folder->store), 0);
}

static void
test_given_up(void **state)
{
    struct folder *folder = *state;

    for (int kept = 0; kept < 2; kept++) {
        struct store_file file = { 0 };
        struct fault f = { 0 };

        assert_ok(store_create(folder->store, &file, &f));
        if (kept == 1)
            assert_ok(store_keep(&file, &f));
        store_file_done(&file);
        store_file_done(&file);
        assert_int_equal(free_files(folder->store), 0);
    }
}

/* What a killed writer leaves looks so: the file is there and nobody holds it. */
static void
test_killed(void **state)
{
    struct folder *folder = *state;
    struct store_file file = { 0 };
    struct fault f = { 0 };
    char id[UUID_TEXT];

    assert_ok(store_create(folder->store, &file, &f));
    memcpy(id, file.id, sizeof(id));
    close(file.fd);
    assert_false(store_is_held(folder->store, id));
    assert_int_equal(free_files(folder->store), 1);
    store_remove(folder->store, id);
}

static void
test_removed_meanwhile(void **state)
{
    struct folder *folder = *state;
    struct store_file file = { 0 };
    struct fault f = { 0 };

    assert_ok(store_create(folder->store, &file, &f));
    store_remove(folder->store, file.id);
    assert_fault(store_keep(&file, &f), f, FAULT_GONE, NULL);
    store_file_done(&file);
}

static void
test_names(void **state)
{
    static const char *const bad[] = { "",
                                       ".",
                                       "..",
                                       "../b",
                                       "/etc/passwd",
                                       "x",
                                       "00000000-0000-4000-8000-00000000000/",
                                       "00000000-0000-4000-8000-000000000000/../x" };
    static const char link[] = "00000000-0000-4000-8000-000000000000";
    struct folder *folder = *state;
    struct fault refused = { 0 };
    char path[160];
    int64_t size;
    int fd;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct fault f = { 0 };

        assert_true(store_read(folder->store, bad[i], &fd, &size, &f) < 0);
        assert_false(store_is_held(folder->store, bad[i]));
        store_remove(folder->store, bad[i]);
    }
    snprintf(path, sizeof(path), "%s/a/b/%s", folder->path, link);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_fault(store_read(folder->store, link, &fd, &size, &refused), refused, FAULT_INTERNAL,
                 NULL);
    assert_int_equal(free_files(folder->store), 0);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),   cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_killed), cmocka_unit_test(test_removed_meanwhile),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
