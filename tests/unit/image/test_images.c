/* The rules of images that need no request, the statements against the migrated tables, and the reaper. */
#include <sys/stat.h>
#include <unistd.h>

#include "services/image/images.h"
#include "services/image/intake.h"
#include "services/image/reaper.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration image_migrations[];
extern const size_t image_migrations_count;

static int
setup(void **state)
{
    *state = pg_open_migrated(image_migrations, image_migrations_count);
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static void
test_queries(void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(*state, &db);
    if (image_queries_check(&db, &f) < 0)
        fail_msg("%s", f.message);
}

/* An upload takes a queued row once, and only with the formats that were looked at. */
static void
test_begin(void **state)
{
    static const struct {
        const char *disk_format, *container_format;
        int taken;
    } cases[] = {
        { "raw", "bare", 0 }, { "qcow2", "ovf", 0 }, { "qcow2", "bare", 1 }, { "qcow2", "bare", 0 }
    };
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct image_begin_data_row row;
    struct fault f = { 0 };
    struct db_result result;

    pg_begin(*state, &db);
    assert_ok(db_run(&db, NULL,
                     "INSERT INTO image (id, owner, disk_format, container_format) VALUES ('i', "
                     "'o', 'qcow2', 'bare')",
                     NULL, 0, &result, &f));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(image_begin_data(&db, "i", "saving", "d", cases[i].disk_format,
                                          cases[i].container_format, &row, &f),
                         cases[i].taken);
    assert_int_equal(image_finish_data(&db, "i", "other", 5, NULL, "md5", "sha", &f), 0);
    assert_int_equal(image_finish_data(&db, "i", "d", 5, NULL, "md5", "sha", &f), 1);
    assert_int_equal(image_drop_data(&db, "i", "d", &f), 0);
}

static void
test_writable(void **state)
{
    static const struct {
        const char *name;
        bool created, changed; /* May be given to a new image; may be changed. */
    } cases[] = {
        { "name", true, true },
        { "owner", true, true },
        { "tags", true, true },
        { "id", true, false },
        { "disk_format", true, true },
        { "hw_disk_bus", true, true },
        { "properties", true, true },
        { "data_id", true, true }, /* Ordinary names for properties. */
        { "status", false, false },
        { "size", false, false },
        { "virtual_size", false, false },
        { "checksum", false, false },
        { "file", false, false },
        { "self", false, false },
        { "schema", false, false },
        { "locations", false, false },
        { "direct_url", false, false },
        { "deleted", false, false },
        { "os_hash_value", false, false },
        { "os_glance_", false, false },
        { "os_glance_data_id", false, false },
        { "created_at", false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int changing = 0; changing < 2; changing++) {
            bool allowed = changing == 1 ? cases[i].changed : cases[i].created;
            struct fault f = { 0 };
            int r = image_check_writable(cases[i].name, changing == 1, &f);

            if (allowed)
                assert_ok(r);
            else
                assert_fault(r, f, FAULT_FORBIDDEN, cases[i].name);
        }
    }
}

static void
test_expected_formats(void **state)
{
    static const struct {
        enum image_disk_format disk;
        enum image_container_format container;
        enum disk_format declared;
        bool other_ok;
    } cases[] = {
        { IMAGE_DISK_FORMAT_RAW, IMAGE_CONTAINER_FORMAT_BARE, DISK_RAW, false },
        { IMAGE_DISK_FORMAT_QCOW2, IMAGE_CONTAINER_FORMAT_BARE, DISK_QCOW2, false },
        { IMAGE_DISK_FORMAT_VMDK, IMAGE_CONTAINER_FORMAT_BARE, DISK_VMDK, false },
        { IMAGE_DISK_FORMAT_ISO, IMAGE_CONTAINER_FORMAT_BARE, DISK_ISO, false },
        { IMAGE_DISK_FORMAT_AMI, IMAGE_CONTAINER_FORMAT_AMI, DISK_RAW, false },
        { IMAGE_DISK_FORMAT_AKI, IMAGE_CONTAINER_FORMAT_AKI, DISK_RAW, false },
        { IMAGE_DISK_FORMAT_RAW, IMAGE_CONTAINER_FORMAT_OVA, DISK_RAW, false },
        { IMAGE_DISK_FORMAT_VMDK, IMAGE_CONTAINER_FORMAT_OVA, DISK_VMDK, true },
        { IMAGE_DISK_FORMAT_VHD, IMAGE_CONTAINER_FORMAT_OVF, DISK_VHD, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct image image = { .disk_format = cases[i].disk,
                               .container_format = cases[i].container };
        enum disk_format declared;
        bool other_ok;

        intake_expect(&image, &declared, &other_ok);
        assert_int_equal(declared, cases[i].declared);
        assert_int_equal(other_ok, cases[i].other_ok);
    }
}

static void
test_tags(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *items[] = { "a", "b", "a", "", "b" };
    struct texts tags = { items, ARRAY_SIZE(items) };
    struct fault f = { 0 };
    char *longest = arena_alloc(a, 257);

    (void)state;
    assert_ok(image_clean_tags(a, &tags, &f));
    assert_int_equal(tags.count, 3);
    assert_string_equal(tags.items[1], "b");
    memset(longest, 'x', 256);
    tags.items[0] = longest;
    assert_fault(image_clean_tags(a, &tags, &f), f, FAULT_INVALID, "255");
}

/* One row and file of each kind; afterwards what a living upload or a whole image has is there, and nothing else. */
static void
test_reaper(void **state)
{
    struct daemon d = { .pool = pg_pool(*state) };
    struct image_service service = { .daemon = &d };
    struct store_file whole = { 0 }, living = { 0 }, broken = { 0 }, unnamed = { 0 },
                      staged = { 0 }, renamed = { 0 };
    struct fault f = { 0 };
    char folder[] = "/tmp/virga-reaper-XXXXXX", sql[2048];
    char *rows;
    int64_t size;
    int fd;

    assert_non_null(mkdtemp(folder));
    assert_ok(store_open(&service.store, folder, &f));
    assert_ok(store_create(service.store, &whole, &f));
    assert_ok(store_keep(&whole, &f));
    assert_ok(store_create(service.store, &living, &f));
    assert_ok(store_create(service.store, &broken, &f));
    assert_ok(store_create(service.store, &unnamed, &f));
    assert_ok(store_keep(&unnamed, &f));
    assert_ok(store_create(service.store, &staged, &f));
    assert_ok(store_keep(&staged, &f));
    assert_ok(store_create(service.store, &renamed, &f));
    assert_ok(store_keep(&renamed, &f)); /* Killed between the rename and the commit. */
    close(whole.fd);
    close(broken.fd);
    close(unnamed.fd);
    close(staged.fd);
    close(renamed.fd);
    snprintf(sql, sizeof(sql),
             "INSERT INTO image (id, owner, status, data_id, staged) VALUES ('whole', 'o', "
             "'active', '%s', NULL), "
             "('living', 'o', 'saving', '%s', NULL), ('broken', 'o', 'uploading', '%s', NULL), "
             "('lost', 'o', 'saving', 'x', NULL), "
             "('staged', 'o', 'uploading', '%s', '{}'), ('renamed', 'o', 'saving', '%s', NULL), "
             "('new', 'o', 'queued', NULL, NULL)",
             whole.id, living.id, broken.id, staged.id, renamed.id);
    pg_exec(*state, sql);

    assert_ok(reaper_run(&service, &f));
    rows = pg_ask(*state, "SELECT string_agg(id || ':' || status || (data_id IS NULL)::text, ' ' "
                          "ORDER BY id) FROM image");
    assert_string_equal(
        rows,
        "broken:queuedtrue living:savingfalse lost:queuedtrue new:queuedtrue renamed:queuedtrue "
        "staged:uploadingfalse whole:activefalse");
    free(rows);
    assert_true(store_is_held(service.store, living.id));
    assert_ok(store_read(service.store, whole.id, &fd, &size, &f));
    close(fd);
    assert_ok(store_read(service.store, staged.id, &fd, &size, &f));
    close(fd);
    store_file_done(&living);
    store_remove(service.store, whole.id);
    store_remove(service.store, staged.id);
    assert_int_equal(rmdir(folder), 0); /* Nothing else was left. */
    store_close(service.store);
    pg_exec(*state, "TRUNCATE image CASCADE");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),  cmocka_unit_test(test_begin),
        cmocka_unit_test(test_writable), cmocka_unit_test(test_expected_formats),
        cmocka_unit_test(test_tags),     cmocka_unit_test(test_reaper),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
