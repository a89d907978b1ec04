/* Which images become volumes of which size. */
#include <string.h>

#include "base/json.h"
#include "services/volume/images.h"
#include "tests/unit/asserts.h"

#define GIB "1073741824"

static void
test_check(void **state)
{
    struct arena *a = *state;
    static const struct {
        const char *image; /* The members that differ from a good one. */
        int64_t size_gb;
        const char *refused; /* NULL: it will do. */
    } cases[] = {
        { "{}", 1, NULL },
        { "{\"status\": \"queued\"}", 1, "is not active" },
        { "{\"status\": \"deactivated\"}", 1, "is not active" },
        { "{\"min_disk\": 2}", 1,
          "Volume size 1GB cannot be smaller than the image minDisk size 2GB" },
        { "{\"min_disk\": 2}", 2, NULL },
        { "{\"size\": " GIB "}", 1, NULL },
        { "{\"size\": 1073741825}", 1,
          "Size of specified image 2GB is larger than volume size 1GB" },
        { "{\"virtual_size\": 1073741825}", 1,
          "Size of specified image 2GB is larger than volume size 1GB" },
        { "{\"virtual_size\": 9223372036854775807}", 1048576, "is larger than volume size" },
        { "{\"size\": 0}", 1, "has no data" },
        { "{\"disk_format\": null}", 1, "disk format" },
        { "{\"os_hash_algo\": \"md5\"}", 1, "SHA-512" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *image =
            json_own(a, json_pack("{s:s, s:s, s:i, s:n, s:i, s:s, s:s}", "id", "i", "status",
                                  "active", "size", 5, "virtual_size", "min_disk", 0, "disk_format",
                                  "raw", "os_hash_algo", "sha512"));
        struct fault f = { 0 };
        json_t *other;
        int r;

        assert_ok(json_read(a, cases[i].image, strlen(cases[i].image), &other, &f));
        json_object_update(image, other);
        r = image_check(image, cases[i].size_gb, &f);
        if (cases[i].refused == NULL)
            assert_ok(r);
        else
            assert_fault(r, f, FAULT_INVALID, cases[i].refused);
    }
}

static void
test_metadata(void **state)
{
    struct arena *a = *state;
    json_t *image = json_own(a, json_pack("{s:s, s:s, s:i, s:s, s:[s], s:b, s:s, s:n}", "id", "i",
                                          "name", "n", "min_ram", 7, "os_distro", "debian", "tags",
                                          "t", "protected", 1, "owner", "o", "kernel_id"));
    json_t *wanted = json_own(a, json_pack("{s:s, s:s, s:s, s:s}", "image_id", "i", "image_name",
                                           "n", "min_ram", "7", "os_distro", "debian"));

    assert_true(json_equal(wanted, image_metadata(image, a)));
}

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_check),
                                        cmocka_unit_test(test_metadata) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
