/* The domain XML against golden files, and against what a description could try to smuggle in. VIRGA_GOLDEN=write makes
 * the files anew. */
#include "services/compute-agent/domain_xml.h"

#include "base/str.h"
#include "services/compute-agent/domain_read.h"
#include "tests/unit/asserts.h"

#define GOLDEN "tests/unit/compute-agent/golden/"

static const struct domain_host kvm = { "kvm",  "x86_64",    NULL, "host-model",
                                        "none", "127.0.0.1", true };
static const struct domain_host tcg = { "qemu",   "x86_64",    "/usr/bin/qemu-system-x86_64",
                                        "qemu64", "writeback", "",
                                        false };

static struct guest_volume
volume(const char *id, const char *device, int64_t boot_index)
{
    struct guest_volume v = { .volume_id = id,
                              .host = "192.0.2.7",
                              .port = 10809,
                              .export = "volume-1",
                              .device = device,
                              .boot_index = boot_index };

    field_mark(&v.set, GUEST_VOLUME_F_BOOT_INDEX);
    return v;
}

static struct guest_description
small_guest(void)
{
    return (struct guest_description){
        .guest_id = "c0ffee00-0000-4000-8000-000000000001",
        .name = "instance-00000001",
        .vcpus = 2,
        .memory_mb = 512,
    };
}

static const struct guest_disks all_disks = {
    .folder = "/i/1",
    .console = "/i/1/console",
    .root = "/i/1/root",
    .base = "/i/1/base",
    .base_driver = "raw",
    .ephemeral = "/i/1/ephemeral",
    .swap = "/i/1/swap",
    .config = "/i/1/config",
};

static void
compare_golden(struct arena *a, const char *name, const char *xml)
{
    const char *path = arena_printf(a, GOLDEN "%s.xml", name);
    const char *write = getenv("VIRGA_GOLDEN");
    FILE *file = fopen(path, write != NULL ? "we" : "re");
    char *expected = arena_alloc(a, 65536);
    size_t n;

    assert_non_null(file);
    if (write != NULL) {
        fprintf(file, "%s\n", xml);
        fclose(file);
        return;
    }
    n = fread(expected, 1, 65535, file);
    fclose(file);
    expected[n] = '\0';
    assert_string_equal(arena_printf(a, "%s\n", xml), expected);
}

static char *
render(struct arena *a, const struct guest_description *guest, const struct guest_disks *disks,
       const struct domain_host *host)
{
    struct fault f = { 0 };
    char *xml = NULL;

    assert_ok(domain_xml(a, guest, disks, host, &xml, &f));
    return xml;
}

static void
test_everything(void **state)
{
    struct guest_description guest = small_guest();
    struct guest_nic nics[] = {
        { .port_id = "p1", .mac = "fa:16:3e:00:00:01", .tap = "tap1", .mtu = 1450 },
        { .port_id = "p2", .mac = "fa:16:3e:00:00:02", .tap = "tap2" },
    };
    struct guest_volume volumes[] = { volume("v1", NULL, -1), volume("v2", "/dev/vdd", 1) };

    guest.nics = nics;
    guest.nics_count = ARRAY_SIZE(nics);
    guest.volumes = volumes;
    guest.volumes_count = ARRAY_SIZE(volumes);
    compare_golden(*state, "everything", render(*state, &guest, &all_disks, &kvm));
}

static void
test_boot_from_volume(void **state)
{
    struct guest_description guest = small_guest();
    struct guest_settings settings = {
        .machine = GUEST_SETTINGS_MACHINE_Q35,
        .disk_bus = GUEST_SETTINGS_DISK_BUS_SCSI,
        .nic_model = GUEST_SETTINGS_NIC_MODEL_E1000,
        .cpu_shares = 512,
        .cpu_quota_us = 50000,
        .cpu_period_us = 100000,
    };
    struct guest_disks disks = { .folder = "/i/1",
                                 .console = "/i/1/console",
                                 .config = "/i/1/config" };
    struct guest_nic nic = { .port_id = "p1", .mac = "fa:16:3e:00:00:01", .tap = "tap1" };
    struct guest_volume volumes[] = { volume("data", "/dev/vda", -1), volume("root", NULL, 0) };

    field_mark(&settings.set, GUEST_SETTINGS_F_RNG);
    guest.settings = &settings;
    guest.nics = &nic;
    guest.nics_count = 1;
    guest.volumes = volumes;
    guest.volumes_count = ARRAY_SIZE(volumes);
    compare_golden(*state, "boot-from-volume", render(*state, &guest, &disks, &tcg));
}

static void
test_direct_kernel(void **state)
{
    struct guest_description guest = small_guest();
    struct guest_image image = { .image_id = "x" };
    struct guest_disks disks = { .folder = "/i/1",
                                 .console = "/i/1/console",
                                 .root = "/i/1/root",
                                 .base = "/i/1/base",
                                 .base_driver = "qcow2",
                                 .kernel = "/i/1/kernel",
                                 .ramdisk = "/i/1/ramdisk" };

    guest.image = guest.kernel = guest.ramdisk = &image;
    compare_golden(*state, "direct-kernel", render(*state, &guest, &disks, &tcg));
}

/* E1: texts stay texts. E2: nothing of a description is a path. */
static void
test_hostile_text(void **state)
{
    static const char evil[] =
        "x</name><disk type='file'><source file='/etc/shadow'/>&lt;&evil;\"' %n ]]>";
    struct guest_description guest = small_guest();
    struct guest_volume v = volume(evil, evil, -1);
    struct guest_nic nic = { .port_id = evil, .mac = evil, .tap = evil };
    struct guest_image image = { .image_id = evil };
    struct guest_disks disks = all_disks;
    struct domain_device device;
    const char *xml, *at;
    int disk_count = 0;

    v.host = v.export = v.serial = evil;
    guest.name = evil;
    guest.kernel_args = evil;
    guest.kernel = &image;
    disks.kernel = "/i/1/kernel";
    guest.volumes = &v;
    guest.nics = &nic;
    guest.volumes_count = guest.nics_count = 1;
    xml = render(*state, &guest, &disks, &kvm);
    for (at = xml; (at = strstr(at, "<disk ")) != NULL; at++)
        disk_count++;
    assert_int_equal(disk_count, 5);
    assert_null(strstr(xml, "<source file='/etc/shadow'/>"));
    assert_null(strstr(xml, "&evil;\"") ? strstr(xml, " &evil;") : NULL);
    assert_true(domain_read_device(*state, xml, domain_volume_alias(*state, evil), &device));
}

/* A4: no disk without its format, no chain left for libvirt to follow by itself. */
static void
test_formats_are_said(void **state)
{
    struct guest_description guest = small_guest();
    struct guest_volume v = volume("v", NULL, -1);
    _cleanup_(xml_freep) xmlDoc *doc = NULL;
    xmlNode *disk;
    int count = 0;

    guest.volumes = &v;
    guest.volumes_count = 1;
    doc = xml_parse(render(*state, &guest, &all_disks, &kvm));
    for (disk = xml_child(xml_child(xmlDocGetRootElement(doc), "devices"), "disk"); disk != NULL;
         disk = xml_next(disk, "disk")) {
        const char *kind = xml_attribute(*state, disk, "type");
        xmlNode *chain = disk;

        count++;
        assert_non_null(xml_attribute(*state, xml_child(disk, "driver"), "type"));
        if (str_equal(kind, "network"))
            continue;
        while (xml_child(chain, "source") != NULL) {
            if (chain != disk)
                assert_non_null(xml_attribute(*state, xml_child(chain, "format"), "type"));
            chain = xml_child(chain, "backingStore");
            assert_non_null(chain);
        }
    }
    assert_int_equal(count, 5);
}

static void
test_disk_names(void **state)
{
    struct disk_targets t = { .prefix = "vd" };

    assert_string_equal(disk_targets_next(&t, *state, NULL), "vda");
    assert_string_equal(disk_targets_next(&t, *state, "/dev/vdc"), "vdc");
    assert_string_equal(disk_targets_next(&t, *state, "/dev/sdd"), "vdd");
    assert_string_equal(disk_targets_next(&t, *state, "/dev/vdc"), "vdb");
    assert_string_equal(disk_targets_next(&t, *state, "../../x"), "vde");
    assert_string_equal(disk_targets_next(&t, *state, "vdaa"), "vdaa");
    disk_targets_take(&t, "vdf");
    disk_targets_take(&t, "sdg");
    assert_string_equal(disk_targets_next(&t, *state, ""), "vdg");
    for (int i = 0; i < DISK_TARGETS_MAX; i++)
        disk_targets_next(&t, *state, NULL);
    assert_null(disk_targets_next(&t, *state, NULL));
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_boot_from_volume, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direct_kernel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_formats_are_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disk_names, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
