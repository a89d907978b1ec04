/* A guest's folder, made with the real tools. */
#include "services/compute-agent/disks.h"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "services/compute-agent/folder.h"
#include "tests/unit/asserts.h"

struct fixture {
    struct arena *a;
    char folder[64];
    struct image_cache *images;
    const char *source; /* The image's file. */
};

static int
send_file(void *owner, const struct guest_image *image,
          int (*sink)(void *o, const char *data, size_t size, struct fault *f), void *sink_owner,
          struct fault *f)
{
    const struct fixture *x = owner;
    FILE *file = fopen(x->source, "re");
    char part[65536];
    size_t n;
    int r = 0;

    (void)image;
    while (file != NULL && r == 0 && (n = fread(part, 1, sizeof(part), file)) > 0)
        r = sink(sink_owner, part, n, f);
    if (file != NULL)
        fclose(file);
    return r;
}

static int
setup(void **state)
{
    static struct fixture fixture;
    struct image_source source = { send_file, &fixture };
    struct fault f = { 0 };

    fixture = (struct fixture){ .a = arena_new(), .folder = "/tmp/virga-disks-XXXXXX" };
    *state = &fixture;
    if (mkdtemp(fixture.folder) == NULL)
        return -1;
    return image_cache_open(&fixture.images, arena_printf(fixture.a, "%s/images", fixture.folder),
                            &source, 0, 0, &f);
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    image_cache_close(x->images);
    arena_free(x->a);
    return folder_remove(x->folder);
}

static const char *
tool(struct fixture *x, const char *const *argv)
{
    struct process_run run = { .argv = argv };
    struct fault f = { 0 };

    if (process_run(x->a, &run, &f) < 0)
        fail_msg("%s: %s", argv[0], f.cause);
    return run.output;
}

/* An image of 'format' with 1 MiB of nothing, as the image service describes it. */
static struct guest_image *
make_image(struct fixture *x, const char *driver, enum guest_image_disk_format format)
{
    struct guest_image *image = ARENA_NEW(x->a, struct guest_image);
    const char *path = arena_printf(x->a, "%s/source", x->folder);
    const char *argv[] = { "qemu-img", "create", "-q", "-f", driver, path, "1M", NULL };
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *bytes = arena_alloc(x->a, 32 << 20);
    unsigned size;
    FILE *file;

    tool(x, argv);
    file = fopen(path, "re");
    assert_non_null(file);
    image->size = (int64_t)fread(bytes, 1, 32 << 20, file);
    fclose(file);
    EVP_Digest(bytes, (size_t)image->size, digest, &size, EVP_sha512(), NULL);
    image->image_id = "c0ffee00-0000-4000-8000-0000000000cc";
    image->disk_format = format;
    image->hash_value = str_hex(x->a, digest, size);
    x->source = path;
    return image;
}

static struct guest_description
describe(struct guest_image *image)
{
    return (struct guest_description){
        .guest_id = "c0ffee00-0000-4000-8000-000000000001",
        .name = "instance-00000001",
        .vcpus = 1,
        .memory_mb = 64,
        .image = image,
    };
}

static void
test_formats(void **state)
{
    static const struct {
        const char *made_as;
        enum guest_image_disk_format format;
        const char *base;
    } cases[] = {
        { "raw", GUEST_IMAGE_DISK_FORMAT_RAW, "raw" },
        { "raw", GUEST_IMAGE_DISK_FORMAT_AMI, "raw" },
        { "qcow2", GUEST_IMAGE_DISK_FORMAT_QCOW2, "qcow2" },
        { "vdi", GUEST_IMAGE_DISK_FORMAT_VDI, "qcow2" },
        { "vmdk", GUEST_IMAGE_DISK_FORMAT_VMDK, "qcow2" },
        { "vhdx", GUEST_IMAGE_DISK_FORMAT_VHDX, "qcow2" },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct guest_description guest = describe(make_image(x, cases[i].made_as, cases[i].format));
        struct guest_disks disks;
        struct fault f = { 0 };
        const char *info;

        if (guest_disks_make(x->folder, x->images, x->a, &guest, &disks, &f) < 0)
            fail_msg("%s: %s (%s)", cases[i].made_as, f.message, f.cause);
        assert_string_equal(disks.base_driver, cases[i].base);
        {
            const char *argv[] = { "qemu-img", "info", "--output=json", "-f", "qcow2",
                                   disks.root, NULL };

            info = tool(x, argv);
        }
        assert_non_null(strstr(info, "\"virtual-size\": 1048576"));
        assert_non_null(
            strstr(info, arena_printf(x->a, "\"backing-filename-format\": \"%s\"", cases[i].base)));
        assert_ok(guest_disks_remove(x->folder, x->a, guest.guest_id, &f));
        assert_ok(guest_disks_remove(x->folder, x->a, guest.guest_id, &f));
    }
}

static void
test_everything(void **state)
{
    struct fixture *x = *state;
    struct guest_description guest = describe(make_image(x, "raw", GUEST_IMAGE_DISK_FORMAT_RAW));
    struct guest_disks disks, again;
    struct fault f = { 0 };
    struct stat st;
    int r;

    guest.root_gb = 1;
    guest.ephemeral_gb = 1;
    guest.swap_mb = 8;
    guest.config_drive = true;
    guest.user_data = "IyEvYmluL3NoAGVjaG8=";
    guest.metadata = json_pack("{s:s, s:[{s:s, s:s}]}", "hostname", "reef", "files", "path",
                               "/../../etc/passwd", "contents", "aGVsbG8=");
    assert_ok(guest_disks_make(x->folder, x->images, x->a, &guest, &disks, &f));
    assert_int_equal(stat(disks.ephemeral, &st), 0);
    assert_int_equal(st.st_size, (off_t)1 << 30);
    assert_true(st.st_blocks < (632 << 20) / 512);
    assert_int_equal(stat(disks.config, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    {
        const char *list[] = { "isoinfo", "-R", "-f", "-i", disks.config, NULL };
        const char *label[] = { "isoinfo", "-d", "-i", disks.config, NULL };
        const char *read[] = { "isoinfo", "-R",         "-x", "/openstack/latest/meta_data.json",
                               "-i",      disks.config, NULL };
        const char *listing = tool(x, list);

        assert_non_null(strstr(listing, "/openstack/latest/user_data\n"));
        assert_non_null(strstr(listing, "/openstack/content/0000\n"));
        assert_null(strstr(listing, "passwd"));
        assert_non_null(strstr(tool(x, label), "Volume id: config-2\n"));
        assert_non_null(strstr(tool(x, read), "\"uuid\":\"c0ffee00-0000-4000-8000-000000000001\""));
    }
    r = guest_disks_find(x->folder, x->a, &guest, &again, &f);
    assert_fault(r, f, FAULT_NOT_FOUND, NULL);
    fault_clear(&f);
    assert_ok(guest_disks_set_spawned(x->folder, x->a, guest.guest_id, &f));
    assert_ok(guest_disks_find(x->folder, x->a, &guest, &again, &f));
    assert_string_equal(again.base_driver, "raw");
    unlink(disks.config);
    assert_ok(guest_disks_find(x->folder, x->a, &guest, &again, &f));
    assert_int_equal(stat(disks.config, &st), 0);
    json_decref(guest.metadata);
}

static void
test_failure_leaves_nothing(void **state)
{
    struct fixture *x = *state;
    struct guest_description guest = describe(make_image(x, "qcow2", GUEST_IMAGE_DISK_FORMAT_RAW));
    struct guest_disks disks;
    struct fault f = { 0 };
    struct stat st;
    int r = guest_disks_make(x->folder, x->images, x->a, &guest, &disks, &f);

    assert_fault(r, f, FAULT_INVALID, "not acceptable");
    assert_int_equal(stat(guest_disks_folder(x->folder, x->a, guest.guest_id), &st), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = { T(test_formats), T(test_everything),
                                        T(test_failure_leaves_nothing) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
