/* The file driver's folder: what is written is found again, what is half done goes, what is wrong
 * is not started with. */
#include "tests/unit/asserts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/str.h"
#include "services/volume-agent/store.h"
#include "services/volume-agent/store_record.h"

#define VOLUME "11111111-2222-4333-8444-000000000001"
#define CLONE "11111111-2222-4333-8444-000000000002"
#define SNAPSHOT "11111111-2222-4333-8444-000000000003"
#define ATTACHMENT "11111111-2222-4333-8444-000000000004"
#define LAYER(n) "aaaaaaaaaaaaaaaaaaaaaaa" #n

struct fixture {
    char folder[64];
    struct store store;
};

static int
setup(void **state)
{
    struct fixture *t = memory_calloc(1, sizeof(*t));
    struct fault f = { 0 };

    snprintf(t->folder, sizeof(t->folder), "/tmp/test-store-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    assert_ok(store_open(&t->store, t->folder, &f));
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *t = *state;
    struct arena *a = arena_new();
    struct process_run run = { .argv = (const char *const[]){ "rm", "-rf", t->folder, NULL } };
    struct fault f = { 0 };

    store_close(&t->store);
    assert_ok(process_run(a, &run, &f));
    arena_free(a);
    free(t);
    return 0;
}

static void
add_layer(struct fixture *t, const char *id, const char *parent, const char *owner)
{
    struct layer layer = { 0 };
    struct fault f = { 0 };
    char name[64];

    snprintf(layer.id, sizeof(layer.id), "%s", id);
    snprintf(layer.parent, sizeof(layer.parent), "%s", parent);
    snprintf(layer.owner, sizeof(layer.owner), "%s", owner);
    snprintf(name, sizeof(name), "%s.qcow2", id);
    assert_ok(store_make_file(&t->store, "layers", name, &f));
    assert_ok(store_put_layer(&t->store, &layer, &f));
}

static void
add_volume(struct fixture *t, const char *id, const char *layer)
{
    struct fault f = { 0 };

    assert_ok(store_new_volume(&t->store, id, layer, 7, &f));
}

static void
add_snapshot(struct fixture *t, const char *layer)
{
    struct snapshot snapshot = { .id = SNAPSHOT, .volume_id = VOLUME, .size_gb = 7 };
    struct fault f = { 0 };

    snprintf(snapshot.layer, sizeof(snapshot.layer), "%s", layer);
    assert_ok(store_put_snapshot(&t->store, &snapshot, &f));
}

static void
reopen(struct fixture *t)
{
    struct fault f = { 0 };

    store_close(&t->store);
    if (store_open(&t->store, t->folder, &f) < 0)
        fail_msg("%s", f.cause);
}

static void
write_file(const struct fixture *t, const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", t->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool
there(const struct fixture *t, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", t->folder, name);
    return access(path, F_OK) == 0;
}

static void
test_found_again(void **state)
{
    struct fixture *t = *state;
    struct volume_export *e = memory_calloc(1, sizeof(*e));
    struct fault f = { 0 };
    struct volume *v;
    struct stat st;

    add_layer(t, LAYER(1), "", VOLUME);
    add_layer(t, LAYER(2), LAYER(1), VOLUME);
    add_volume(t, VOLUME, LAYER(2));
    add_snapshot(t, LAYER(1));
    v = store_volume(&t->store, VOLUME);
    *e = (struct volume_export){ .attachment_id = ATTACHMENT,
                                 .client = "10.0.0.1 \"x\"",
                                 .read_only = true };
    list_append(&v->exports, &e->link);
    assert_ok(store_save_volume(&t->store, v, &f));

    reopen(t);
    v = store_volume(&t->store, VOLUME);
    assert_non_null(v);
    assert_int_equal(7, v->size_gb);
    assert_string_equal(LAYER(2), v->layer);
    e = volume_find_export(v, ATTACHMENT);
    assert_non_null(e);
    assert_string_equal("10.0.0.1 \"x\"", e->client);
    assert_true(e->read_only);
    assert_string_equal(VOLUME, store_snapshot(&t->store, SNAPSHOT)->volume_id);
    assert_string_equal(LAYER(1), store_layer(&t->store, LAYER(2))->parent);
    assert_string_equal(VOLUME, store_layer(&t->store, LAYER(2))->owner);
    assert_int_equal(0, fstatat(t->store.fd, "layers/" LAYER(1) ".qcow2", &st, 0));
    assert_int_equal(0600, st.st_mode & 07777);
    assert_int_equal(0, fstatat(t->store.fd, "volumes", &st, 0));
    assert_int_equal(0700, st.st_mode & 07777);
}

/* A layer stays as long as something reads through it, and no longer. */
static void
test_sweep(void **state)
{
    struct fixture *t = *state;
    struct fault f = { 0 };

    add_layer(t, LAYER(1), "", VOLUME);
    add_layer(t, LAYER(2), LAYER(1), VOLUME);
    add_layer(t, LAYER(3), LAYER(1), CLONE);
    add_volume(t, VOLUME, LAYER(2));
    add_volume(t, CLONE, LAYER(3));
    add_snapshot(t, LAYER(1));
    assert_int_equal(0, store_sweep(&t->store));
    assert_ok(store_remove_volume(&t->store, VOLUME, &f));
    assert_int_equal(1, store_sweep(&t->store));
    assert_false(there(t, "layers/" LAYER(2) ".qcow2"));
    assert_ok(store_remove_snapshot(&t->store, SNAPSHOT, &f));
    assert_int_equal(0, store_sweep(&t->store));
    assert_true(there(t, "layers/" LAYER(1) ".qcow2"));
    assert_ok(store_remove_volume(&t->store, CLONE, &f));
    assert_ok(store_remove_volume(&t->store, CLONE, &f));
    assert_int_equal(2, store_sweep(&t->store));
    assert_false(there(t, "layers/" LAYER(1) ".qcow2"));
    assert_false(there(t, "layers/" LAYER(1) ".json"));
}

/* What a crash leaves behind, at every place where there may be one. */
static void
test_half_done(void **state)
{
    struct fixture *t = *state;

    add_layer(t, LAYER(1), "", VOLUME);                /* Record and file, no volume yet. */
    write_file(t, "layers/" LAYER(2) ".qcow2", "");    /* File without record. */
    write_file(t, "volumes/" VOLUME ".json.new", "{"); /* Record that was not renamed. */
    write_file(t, "incoming/" VOLUME ".image", "x");
    reopen(t);
    assert_false(there(t, "layers/" LAYER(1) ".qcow2"));
    assert_false(there(t, "layers/" LAYER(2) ".qcow2"));
    assert_false(there(t, "volumes/" VOLUME ".json.new"));
    assert_false(there(t, "incoming/" VOLUME ".image"));
}

/* Nothing is guessed: a record that is not right keeps the driver from starting, and nothing is
 * removed. */
static void
test_damaged(void **state)
{
    static const struct {
        const char *name, *text, *cause;
    } cases[] = {
        { "volumes/x.json", "", "not JSON" },
        { "volumes/x.json", "[]", "not a record" },
        { "volumes/" VOLUME ".json", "{\"id\": \"" CLONE "\", \"layer\": \"" LAYER(1) "\"}",
          "not a record" },
        { "volumes/" VOLUME ".json", "{\"id\": \"" VOLUME "\", \"layer\": \"../../etc/passwd\"}",
          "not a record" },
        { "volumes/" VOLUME ".json", "{\"id\": \"" VOLUME "\", \"layer\": \"" LAYER(9) "\"}",
          "lacks its layer" },
        { "snapshots/" SNAPSHOT ".json",
          "{\"id\": \"" SNAPSHOT "\", \"volume_id\": \"" VOLUME "\", \"layer\": \"" LAYER(9) "\"}",
          "lacks its layer" },
        { "layers/" LAYER(2) ".json",
          "{\"id\": \"" LAYER(2) "\", \"parent\": \"" LAYER(9) "\", \"owner\": \"" VOLUME "\"}",
          "lacks its parent" },
        { "layers/" LAYER(2) ".json",
          "{\"id\": \"" LAYER(2) "\", \"parent\": \"\", \"owner\": \"x\"}", "not a record" },
    };
    struct fixture *t = *state;

    add_layer(t, LAYER(1), "", VOLUME);
    add_volume(t, VOLUME, LAYER(1));
    store_close(&t->store);
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct fault f = { 0 };
        char keep[PATH_MAX], path[PATH_MAX];
        bool replaced = there(t, cases[n].name);

        snprintf(path, sizeof(path), "%s/%s", t->folder, cases[n].name);
        snprintf(keep, sizeof(keep), "%s/keep", t->folder);
        if (replaced)
            assert_int_equal(0, rename(path, keep));
        write_file(t, cases[n].name, cases[n].text);
        if (store_open(&t->store, t->folder, &f) >= 0)
            fail_msg("case %zu was taken", n);
        if (strstr(f.cause, cases[n].cause) == NULL)
            fail_msg("case %zu: %s", n, f.cause);
        assert_true(there(t, "layers/" LAYER(1) ".qcow2"));
        assert_int_equal(0, unlink(path));
        if (replaced)
            assert_int_equal(0, rename(keep, path));
    }
    reopen(t);
}

static void
test_stays_beneath(void **state)
{
    struct fixture *t = *state;
    int fd;

    assert_true(record_open(t->store.fd, "../etc/passwd", O_RDONLY, 0) < 0);
    assert_true(record_open(t->store.fd, "/etc/passwd", O_RDONLY, 0) < 0);
    assert_int_equal(0, symlinkat("/etc/passwd", t->store.fd, "volumes/link.json"));
    assert_true(record_open(t->store.fd, "volumes/link.json", O_RDONLY, 0) < 0);
    assert_int_equal(0, symlinkat("/etc", t->store.fd, "etc"));
    assert_true(record_open(t->store.fd, "etc/passwd", O_RDONLY, 0) < 0);
    assert_int_equal(0, unlinkat(t->store.fd, "volumes/link.json", 0));
    fd = record_open(t->store.fd, "volumes", O_RDONLY | O_DIRECTORY, 0);
    assert_true(fd >= 0);
    close(fd);
}

static void
test_layer_ids(void **state)
{
    char one[LAYER_ID], two[LAYER_ID];

    (void)state;
    layer_new_id(one);
    layer_new_id(two);
    assert_int_equal(LAYER_ID - 1, strspn(one, "0123456789abcdef"));
    assert_string_not_equal(one, two);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stays_beneath, setup, teardown),
        cmocka_unit_test(test_layer_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
