/* The disk inspector: real images made by qemu-img, and the same images with one thing wrong.
 *
 * The attacks are rows A1 to A7 of the threat list: each row says what it starts from, which bytes
 * are changed, and what the refusal must say. Each is fed whole, in odd chunks, and as a file that
 * the inspector may seek in. */
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/disk/inspect.h"

extern char **environ;

enum base {
    QCOW2,
    QCOW2_V2,
    QCOW2_SMALL_CLUSTERS,
    QCOW2_ZSTD,
    QCOW2_DATA_FILE,
    QCOW2_BACKED,
    VMDK,
    VMDK_STREAM,
    VMDK_FOOTER,
    VMDK_FLAT,
    VMDK_TWO_GB,
    VHD,
    VHD_FIXED,
    VHD_EXACT,
    VHDX,
    VHDX_FIXED,
    VDI,
    VDI_STATIC,
    LUKS,
    RAW,
    ISO,
    QED,
    QCOW1,
    EMPTY,
    BASES
};

static struct image {
    uint8_t *data;
    size_t size;
} images[BASES];

static char folder[] = "/tmp/test-inspect-XXXXXX";

static int
run_once(const char *const *argv)
{
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    assert_int_equal(0, posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ));
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    return status;
}

/* Several tries: LUKS measures how fast the processor derives keys, and gives up where others use it at that moment. */
static void
run(const char *const *argv)
{
    int status = -1;

    for (int tries = 0; status != 0 && tries < 10; tries++)
        status = run_once(argv);
    if (status != 0)
        fail_msg("%s %s %s: status %d", argv[0], argv[1], argv[2], status);
}

static struct image
load(const char *path)
{
    struct image image = { 0 };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(0, fstat(fd, &st));
    image.size = (size_t)st.st_size;
    image.data = malloc(image.size + 1);
    assert_non_null(image.data);
    assert_int_equal((ssize_t)image.size, read(fd, image.data, image.size));
    close(fd);
    return image;
}

static void
make(enum base base, const char *driver, const char *options, const char *source)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/image-%d", folder, base);
    run((const char *const[]){ "qemu-img", "convert", "-f", "raw", "-O", driver, "-o", options,
                               source, path, NULL });
    images[base] = load(path);
}

static void
make_source(const char *path)
{
    uint8_t block[65536];
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    memset(block, 0x5a, sizeof(block));
    assert_true(fd >= 0);
    assert_int_equal(0, ftruncate(fd, 3 << 20));
    assert_int_equal((ssize_t)sizeof(block), pwrite(fd, block, sizeof(block), 1 << 20));
    close(fd);
}

/* The smallest thing with a primary volume descriptor. */
static void
make_iso(void)
{
    struct image *iso = &images[ISO];
    uint8_t *d;

    iso->size = 40 * 2048;
    iso->data = calloc(1, iso->size);
    assert_non_null(iso->data);
    d = iso->data + 32768;
    memcpy(d, "\1CD001\1", 7);
    d[80] = d[87] = 40;
    d[129] = 8, d[130] = 8;
}

/* A streamOptimized file as VMware writes it: the header defers to a copy of itself near the end.
 */
static void
make_footer(void)
{
    const struct image *stream = &images[VMDK_STREAM];
    struct image *image = &images[VMDK_FOOTER];

    image->size = stream->size + 3 * 512;
    image->data = calloc(1, image->size);
    assert_non_null(image->data);
    memcpy(image->data, stream->data, stream->size);
    image->data[stream->size] = 1; /* Marker: one sector, of kind 3. */
    image->data[stream->size + 12] = 3;
    memcpy(image->data + stream->size + 512, stream->data, 512);
    memset(image->data + 56, 0xff, 8);
}

static int
make_images(void **state)
{
    char source[128], extra[256], path[128];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(source, sizeof(source), "%s/source", folder);
    make_source(source);
    make(QCOW2, "qcow2", "compat=1.1", source);
    make(QCOW2_V2, "qcow2", "compat=0.10", source);
    make(QCOW2_SMALL_CLUSTERS, "qcow2", "cluster_size=512", source);
    make(QCOW2_ZSTD, "qcow2", "compression_type=zstd,extended_l2=on", source);
    snprintf(extra, sizeof(extra), "data_file=%s/data", folder);
    make(QCOW2_DATA_FILE, "qcow2", extra, source);
    make(VMDK, "vmdk", "subformat=monolithicSparse", source);
    make(VMDK_STREAM, "vmdk", "subformat=streamOptimized", source);
    make(VMDK_FLAT, "vmdk", "subformat=monolithicFlat", source);
    make(VMDK_TWO_GB, "vmdk", "subformat=twoGbMaxExtentFlat", source);
    make(VHD, "vpc", "subformat=dynamic", source);
    make(VHD_FIXED, "vpc", "subformat=fixed", source);
    make(VHD_EXACT, "vpc", "subformat=fixed,force_size=on", source);
    make(VHDX, "vhdx", "subformat=dynamic", source);
    make(VHDX_FIXED, "vhdx", "subformat=fixed", source);
    make(VDI, "vdi", "static=off", source);
    make(VDI_STATIC, "vdi", "static=on", source);
    make(QED, "qed", "cluster_size=65536", source);
    make(QCOW1, "qcow", "size=3M", source);
    snprintf(path, sizeof(path), "%s/backed", folder);
    run((const char *const[]){ "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", source,
                               path, NULL });
    images[QCOW2_BACKED] = load(path);
    snprintf(path, sizeof(path), "%s/luks", folder);
    run((const char *const[]){ "qemu-img", "create", "-q", "-f", "luks", "--object",
                               "secret,id=s,data=test", "-o", "key-secret=s,iter-time=10", path,
                               "3M", NULL });
    images[LUKS] = load(path);
    images[RAW] = load(source);
    make_iso();
    make_footer();
    images[EMPTY] = (struct image){ malloc(1), 0 };
    return 0;
}

static int
remove_images(void **state)
{
    (void)state;
    for (size_t n = 0; n < BASES; n++)
        free(images[n].data);
    run((const char *const[]){ "rm", "-rf", folder, NULL });
    return 0;
}

/* A change: bytes at an offset; negative offsets count from the end. */
struct patch {
    long at;
    const char *bytes;
    size_t size;
};
#define BYTES(at, text)                                                                            \
    {                                                                                              \
        (at), (text), sizeof(text) - 1                                                             \
    }

struct attack {
    const char *name;
    enum base base;
    enum disk_format declared;
    const char *refused; /* Part of the message; NULL: accepted. */
    struct patch patches[3];
    size_t cut; /* Keep only so many bytes; 0: all. */
};

static struct image
apply(const struct attack *attack)
{
    struct image image = images[attack->base];
    uint8_t *data = malloc(image.size + 1);

    assert_non_null(data);
    memcpy(data, image.data, image.size);
    image.data = data;
    for (size_t n = 0; n < 3 && attack->patches[n].size > 0; n++) {
        const struct patch *p = &attack->patches[n];
        size_t at = p->at < 0 ? image.size - (size_t)-p->at : (size_t)p->at;

        assert_true(at + p->size <= image.size);
        memcpy(data + at, p->bytes, p->size);
    }
    if (attack->cut != 0)
        image.size = attack->cut;
    return image;
}

static int
inspect_chunks(const struct image *image, enum disk_format declared, size_t chunk,
               struct disk_info *ret, struct fault *f)
{
    struct disk_inspector *i = disk_inspector_new(declared);
    int r = 0;

    for (size_t at = 0; r == 0 && at < image->size; at += chunk) {
        size_t size = MIN(chunk, image->size - at);
        uint8_t *copy = malloc(size); /* So that a read beyond the chunk is seen. */

        assert_non_null(copy);
        memcpy(copy, image->data + at, size);
        r = disk_inspector_feed(i, copy, size, f);
        free(copy);
    }
    if (r == 0)
        r = disk_inspector_finish(i, ret, f);
    else
        assert_true(disk_inspector_finish(i, ret, f) < 0);
    disk_inspector_free(i);
    return r;
}

static int
inspect_file(const struct image *image, enum disk_format declared, struct disk_info *ret,
             struct fault *f)
{
    int fd = memfd_create("image", MFD_CLOEXEC), r;

    assert_true(fd >= 0);
    assert_int_equal((ssize_t)image->size, write(fd, image->data, image->size));
    r = disk_inspect_file(fd, declared, ret, f);
    close(fd);
    return r;
}

static void
check_verdict(const struct attack *attack, int r, const struct fault *f)
{
    if (attack->refused == NULL && r < 0)
        fail_msg("%s: refused: %s", attack->name, f->message);
    if (attack->refused != NULL && r >= 0)
        fail_msg("%s: accepted", attack->name);
    if (attack->refused != NULL &&
        (f->kind != FAULT_INVALID || strstr(f->message, attack->refused) == NULL))
        fail_msg("%s: wants '%s', says '%s'", attack->name, attack->refused, f->message);
}

static void
check_attacks(const struct attack *attacks, size_t count)
{
    static const size_t chunks[] = { SIZE_MAX / 2, 65536, 4099 };

    for (size_t n = 0; n < count; n++) {
        struct image image = apply(&attacks[n]);
        struct disk_info info = { 0 };
        struct fault f = { 0 };

        for (size_t c = 0; c < ARRAY_SIZE(chunks); c++) {
            fault_clear(&f);
            check_verdict(&attacks[n],
                          inspect_chunks(&image, attacks[n].declared, chunks[c], &info, &f), &f);
        }
        fault_clear(&f);
        check_verdict(&attacks[n], inspect_file(&image, attacks[n].declared, &info, &f), &f);
        free(image.data);
    }
}

static void
test_real_images(void **state)
{
    static const struct {
        enum base base;
        enum disk_format format;
    } cases[] = {
        { QCOW2, DISK_QCOW2 },      { VHD_EXACT, DISK_VHD },
        { QCOW2_V2, DISK_QCOW2 },   { QCOW2_SMALL_CLUSTERS, DISK_QCOW2 },
        { VMDK, DISK_VMDK },        { VMDK_STREAM, DISK_VMDK },
        { VMDK_FOOTER, DISK_VMDK }, { QCOW2_ZSTD, DISK_QCOW2 },
        { VHDX, DISK_VHDX },        { VHDX_FIXED, DISK_VHDX },
        { VDI, DISK_VDI },          { RAW, DISK_RAW },
        { VDI_STATIC, DISK_VDI },   { LUKS, DISK_LUKS },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct disk_info info = { 0 };
        struct fault f = { 0 };

        if (inspect_chunks(&images[cases[n].base], cases[n].format, 5000, &info, &f) < 0)
            fail_msg("%zu: %s", n, f.message);
        assert_int_equal(cases[n].format, info.format);
        assert_int_equal(3 << 20, info.virtual_bytes);
        assert_int_equal(images[cases[n].base].size, info.file_bytes);
        if (inspect_file(&images[cases[n].base], cases[n].format, &info, &f) < 0)
            fail_msg("%zu: file: %s", n, f.message);
        assert_int_equal(3 << 20, info.virtual_bytes);
    }
}

/* VHD counts in cylinders, so its size is rounded up. */
static void
test_real_vhd(void **state)
{
    static const enum base cases[] = { VHD, VHD_FIXED };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct disk_info info = { 0 };
        struct fault f = { 0 };

        if (inspect_chunks(&images[cases[n]], DISK_VHD, 5000, &info, &f) < 0)
            fail_msg("%zu: %s", n, f.message);
        assert_in_range(info.virtual_bytes, 3 << 20, (3 << 20) + (1 << 18));
    }
}

/* Whatever a file is, it passes as that and as nothing else. */
static void
test_declared_and_found_must_agree(void **state)
{
    static const enum disk_format formats[] = { DISK_RAW,  DISK_QCOW2, DISK_VMDK, DISK_VHD,
                                                DISK_VHDX, DISK_VDI,   DISK_ISO,  DISK_LUKS };
    static const struct {
        enum base base;
        enum disk_format format;
    } cases[] = {
        { QCOW2, DISK_QCOW2 },   { VMDK, DISK_VMDK }, { VMDK_STREAM, DISK_VMDK }, { VHD, DISK_VHD },
        { VHD_FIXED, DISK_VHD }, { VHDX, DISK_VHDX }, { VDI, DISK_VDI },          { RAW, DISK_RAW },
        { ISO, DISK_ISO },       { LUKS, DISK_LUKS },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        for (size_t d = 0; d < ARRAY_SIZE(formats); d++) {
            struct disk_info info = { 0 };
            struct fault f = { 0 };
            int r = inspect_chunks(&images[cases[n].base], formats[d], 65536, &info, &f);

            if ((r == 0) != (formats[d] == cases[n].format))
                fail_msg("case %zu declared %s: %d %s", n, disk_format_name(formats[d]), r,
                         f.message);
        }
    }
}

static void
test_a1_backing_file(void **state)
{
    static const struct attack attacks[] = {
        { "made by qemu-img", QCOW2_BACKED, DISK_QCOW2, "backing file", { { 0 } }, 0 },
        { "as raw", QCOW2_BACKED, DISK_RAW, "declared as raw", { { 0 } }, 0 },
        { "/etc/passwd",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13"), BYTES(512, "/etc/passwd") },
          0 },
        { "json:",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13"), BYTES(512, "json:{}    ") },
          0 },
        { "nbd://",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13"), BYTES(512, "nbd://h:1/x") },
          0 },
        { "FiLe:",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13"), BYTES(512, "FiLe:passwd") },
          0 },
        { "relative",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13"), BYTES(512, "../x/passwd") },
          0 },
        { "1023 bytes",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\3\377") },
          0 },
        { "offset without size",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0") },
          0 },
        { "size without offset", QCOW2, DISK_QCOW2, "backing file", { BYTES(16, "\0\0\0\13") }, 0 },
        { "version 2",
          QCOW2_V2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\0\0\0\0\0\0\2\0\0\0\0\13") },
          0 },
        { "beyond the end",
          QCOW2,
          DISK_QCOW2,
          "backing file",
          { BYTES(8, "\177\377\377\377\377\377\377\377\0\0\0\13") },
          0 },
        { "vhd parent", VHD, DISK_VHD, "damaged", { BYTES(512 + 40, "\1") }, 0 },
        { "vdi parent", VDI, DISK_VDI, "parent", { BYTES(0x1b8, "\1") }, 0 },
        { "vdi differencing", VDI, DISK_VDI, "neither dynamic", { BYTES(0x4c, "\4") }, 0 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

static void
test_a2_data_file(void **state)
{
    static const struct attack attacks[] = {
        { "made by qemu-img", QCOW2_DATA_FILE, DISK_QCOW2, "external data file", { { 0 } }, 0 },
        { "bit alone",
          QCOW2,
          DISK_QCOW2,
          "external data file",
          { BYTES(72, "\0\0\0\0\0\0\0\4") },
          0 },
        { "extension alone",
          QCOW2_DATA_FILE,
          DISK_QCOW2,
          "external data file",
          { BYTES(72, "\0\0\0\0\0\0\0\0") },
          0 },
        { "unknown bit", QCOW2, DISK_QCOW2, "not known", { BYTES(72, "\0\0\0\0\0\0\0\40") }, 0 },
        { "highest bit", QCOW2, DISK_QCOW2, "not known", { BYTES(72, "\200\0\0\0\0\0\0\0") }, 0 },
        { "corrupt", QCOW2, DISK_QCOW2, "corrupt", { BYTES(72, "\0\0\0\0\0\0\0\2") }, 0 },
        { "dirty is harmless", QCOW2, DISK_QCOW2, NULL, { BYTES(72, "\0\0\0\0\0\0\0\1") }, 0 },
        { "zstd without its bit", QCOW2, DISK_QCOW2, "compression", { BYTES(104, "\1") }, 0 },
        { "unknown compression", QCOW2_ZSTD, DISK_QCOW2, "compression", { BYTES(104, "\2") }, 0 },
        { "encrypted", QCOW2, DISK_QCOW2, "encrypted", { BYTES(32, "\0\0\0\1") }, 0 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

/* Offsets in a monolithicSparse file of qemu-img: header at 0, descriptor of 20 sectors at 512. */
static void
test_a3_vmdk(void **state)
{
    static const struct attack attacks[] = {
        { "monolithicFlat", VMDK_FLAT, DISK_VMDK, "consists of other files", { { 0 } }, 0 },
        { "twoGbMaxExtentFlat", VMDK_TWO_GB, DISK_VMDK, "consists of other files", { { 0 } }, 0 },
        { "descriptor as raw", VMDK_FLAT, DISK_RAW, "declared as raw", { { 0 } }, 0 },
        { "no capacity", VMDK, DISK_VMDK, "leaves the size", { BYTES(12, "\0\0\0\0\0\0\0\0") }, 0 },
        { "capacity 2^63",
          VMDK,
          DISK_VMDK,
          "1 PiB",
          { BYTES(12, "\377\377\377\377\377\377\377\177") },
          0 },
        { "no descriptor",
          VMDK,
          DISK_VMDK,
          "no vmdk descriptor",
          { BYTES(28, "\0\0\0\0\0\0\0\0") },
          0 },
        { "descriptor beyond the end",
          VMDK,
          DISK_VMDK,
          "no vmdk descriptor",
          { BYTES(28, "\0\0\0\0\0\1\0\0") },
          0 },
        { "descriptor wraps",
          VMDK,
          DISK_VMDK,
          "no vmdk descriptor",
          { BYTES(28, "\377\377\377\377\377\377\377\377") },
          0 },
        { "ESX sparse", VMDK, DISK_VMDK, "old kind", { BYTES(0, "COWD") }, 0 },
        { "grain 0", VMDK, DISK_VMDK, "grain size", { BYTES(20, "\0\0\0\0\0\0\0\0") }, 0 },
        { "grain tables of 2^32",
          VMDK,
          DISK_VMDK,
          "grain tables",
          { BYTES(44, "\377\377\377\377") },
          0 },
        { "directory beyond the end",
          VMDK,
          DISK_VMDK,
          "cut short",
          { BYTES(56, "\0\0\0\0\1\0\0\0") },
          0 },
        { "text behind the descriptor",
          VMDK,
          DISK_VMDK,
          "follows",
          { BYTES(512 + 20 * 512 - 8, "RW 1") },
          0 },
        { "stream without footer",
          VMDK_FOOTER,
          DISK_VMDK,
          "footer is missing",
          { BYTES(-1536, "\2") },
          0 },
        { "stream without end", VMDK_FOOTER, DISK_VMDK, "end marker", { BYTES(-512, "\2") }, 0 },
        { "footer of another size",
          VMDK_FOOTER,
          DISK_VMDK,
          "differ",
          { BYTES(-1024 + 12, "\0\1\0\0") },
          0 },
        { "footer leaves the size",
          VMDK_FOOTER,
          DISK_VMDK,
          "leaves the size",
          { BYTES(-1024 + 12, "\0\0\0\0\0\0\0\0") },
          0 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

/* The descriptor, replaced as a whole. */
static void
test_a3_descriptors(void **state)
{
    static const struct {
        const char *text, *refused;
    } cases[] = {
        { "# Disk "
          "DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\n"
          "RW 6144 SPARSE \"a.vmdk\"\nddb.adapterType = \"ide\"\n",
          NULL },
        { "createType=\"streamOptimized\"\r\nRDONLY 6144 SPARSE \"a\"\r\n", NULL },
        { "createType=\"monolithicSparse\"\nRW 6144 FLAT \"/dev/sda\" 0\n", "not sparse" },
        { "createType=\"monolithicSparse\"\nRW 6144 SPARSE \"/dev/sda\"\n", "elsewhere" },
        { "createType=\"monolithicSparse\"\nRW 6144 SPARSE \"..\\a\"\n", "elsewhere" },
        { "createType=\"monolithicSparse\"\nRW 6144 SPARSE \"nbd:h\"\n", "elsewhere" },
        { "createType=\"monolithicSparse\"\nRW 1 SPARSE \"a\" 7\n", "elsewhere" },
        { "createType=\"monolithicSparse\"\nRW 1 SPARSE \"a\"\nRW 1 SPARSE \"b\"\n",
          "several extents" },
        { "createType=\"monolithicSparse\"\nRW 1 ZERO\n", "not sparse" },
        { "createType=\"monolithicFlat\"\nRW 1 SPARSE \"a\"\n", "not monolithicSparse" },
        { "createType=\"vmfsRawDeviceMap\"\nRW 1 VMFSRDM \"a\"\n", "not monolithicSparse" },
        { "createType=\"monolithicSparse\"\ncreateType=\"streamOptimized\"\nRW 1 SPARSE \"a\"\n",
          "not monolithicSparse" },
        { "# Disk DescriptorFile\ncreateType=\"monolithicSparse\"\nRW 1 SPARSE \"a\"\n# Disk "
          "DescriptorFile\n",
          "several vmdk" },
        { "createType=\"monolithicSparse\"\nparentCID=0\nRW 1 SPARSE \"a\"\n", "parent" },
        { "createType=\"monolithicSparse\"\nparentFileNameHint=\"/etc/passwd\"\nRW 1 SPARSE "
          "\"a\"\n",
          "not known" },
        { "createType=\"monolithicSparse\"\nchangeTrackPath=\"x\"\nRW 1 SPARSE \"a\"\n",
          "not known" },
        { "createType=\"monolithicSparse\"\n", "lacks" },
        { "", "lacks" },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct attack attack = { cases[n].text, VMDK, DISK_VMDK, cases[n].refused, { { 0 } }, 0 };
        struct image image = apply(&attack);
        struct disk_info info = { 0 };
        struct fault f = { 0 };

        memset(image.data + 512, 0, 20 * 512);
        memcpy(image.data + 512, cases[n].text, strlen(cases[n].text));
        check_verdict(&attack, inspect_chunks(&image, DISK_VMDK, 1 << 20, &info, &f), &f);
        free(image.data);
    }
}

static void
test_a4_polyglots(void **state)
{
    static const struct attack attacks[] = {
        { "qcow2 in raw", RAW, DISK_RAW, "bytes are qcow2", { BYTES(0, "QFI\xfb\0\0\0\3") }, 0 },
        { "qcow2 of a version to come",
          RAW,
          DISK_RAW,
          "bytes are qcow2",
          { BYTES(0, "QFI\xfb\0\0\0\4") },
          0 },
        { "qcow 1 in raw", RAW, DISK_RAW, "not supported", { BYTES(0, "QFI\xfb\0\0\0\1") }, 0 },
        { "vmdk in raw", RAW, DISK_RAW, "bytes are vmdk", { BYTES(0, "KDMV") }, 0 },
        { "descriptor after comments in raw",
          RAW,
          DISK_RAW,
          "bytes are vmdk",
          { BYTES(0, "# x\n\n  # y\nversion=1\n") },
          0 },
        { "vhdx in raw", RAW, DISK_RAW, "bytes are vhdx", { BYTES(0, "vhdxfile") }, 0 },
        { "vhd in raw", RAW, DISK_RAW, "bytes are vhd", { BYTES(0, "conectix") }, 0 },
        { "vhd footer in raw", RAW, DISK_RAW, "ends as a vhd", { BYTES(-512, "conectix") }, 0 },
        { "vdi in raw", RAW, DISK_RAW, "bytes are vdi", { BYTES(64, "\x7f\x10\xda\xbe") }, 0 },
        { "luks in raw", RAW, DISK_RAW, "bytes are luks", { BYTES(0, "LUKS\xba\xbe") }, 0 },
        { "iso in raw", RAW, DISK_RAW, "bytes are iso", { BYTES(32769, "CD001") }, 0 },
        { "qed", QED, DISK_RAW, "not supported", { { 0 } }, 0 },
        { "qed as qcow2", QED, DISK_QCOW2, "not supported", { { 0 } }, 0 },
        { "qcow 1", QCOW1, DISK_QCOW2, "not supported", { { 0 } }, 0 },
        { "iso and qcow2 as iso", ISO, DISK_ISO, "at once", { BYTES(0, "QFI\xfb\0\0\0\3") }, 0 },
        { "iso and qcow2 as qcow2", QCOW2, DISK_QCOW2, "at once", { BYTES(32769, "CD001") }, 0 },
        { "iso and vmdk", ISO, DISK_ISO, "at once", { BYTES(0, "KDMV") }, 0 },
        { "iso and vdi", ISO, DISK_ISO, "at once", { BYTES(64, "\x7f\x10\xda\xbe") }, 0 },
        { "qcow2 and vdi", QCOW2, DISK_QCOW2, "at once", { BYTES(64, "\x7f\x10\xda\xbe") }, 0 },
        { "qcow2 and vhd footer",
          QCOW2,
          DISK_QCOW2,
          "ends as a vhd",
          { BYTES(-512, "conectix") },
          0 },
        { "iso that boots from disk", ISO, DISK_ISO, NULL, { BYTES(510, "\x55\xaa") }, 0 },
        { "raw with partitions",
          RAW,
          DISK_RAW,
          NULL,
          { BYTES(510, "\x55\xaa"), BYTES(512, "EFI PART") },
          0 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

/* Offsets of qemu-img's qcow2 with 64 KiB clusters: refcount table at 0x10000, L1 at 0x30000. */
static void
test_a6_bombs(void **state)
{
    static const struct attack attacks[] = {
        { "virtual size 2^63-1",
          QCOW2,
          DISK_QCOW2,
          "1 PiB",
          { BYTES(24, "\177\377\377\377\377\377\377\377") },
          0 },
        { "virtual size 2^64-1",
          QCOW2,
          DISK_QCOW2,
          "1 PiB",
          { BYTES(24, "\377\377\377\377\377\377\377\377") },
          0 },
        { "virtual size 0", QCOW2, DISK_QCOW2, "no size", { BYTES(24, "\0\0\0\0\0\0\0\0") }, 0 },
        { "1 TiB over the same L1",
          QCOW2,
          DISK_QCOW2,
          "too small",
          { BYTES(24, "\0\0\1\0\0\0\0\0") },
          0 },
        { "L1 of 32 GiB", QCOW2, DISK_QCOW2, "too large", { BYTES(36, "\377\377\377\377") }, 0 },
        { "L1 of 32 MiB in a small file",
          QCOW2,
          DISK_QCOW2,
          "table",
          { BYTES(36, "\0\100\0\0") },
          0 },
        { "L1 in the header",
          QCOW2,
          DISK_QCOW2,
          "L1 table is not",
          { BYTES(40, "\0\0\0\0\0\0\0\0") },
          0 },
        { "L1 beyond 2^63",
          QCOW2,
          DISK_QCOW2,
          "L1 table is not",
          { BYTES(40, "\377\377\377\377\377\377\0\0") },
          0 },
        { "L1 beyond the end",
          QCOW2,
          DISK_QCOW2,
          "ends before a table",
          { BYTES(40, "\0\0\0\0\177\0\0\0") },
          0 },
        { "L1 not aligned",
          QCOW2,
          DISK_QCOW2,
          "L1 table is not",
          { BYTES(40, "\0\0\0\0\0\3\0\10") },
          0 },
        { "L1 over the refcount table",
          QCOW2,
          DISK_QCOW2,
          "overlap",
          { BYTES(40, "\0\0\0\0\0\1\0\0") },
          0 },
        { "L1 entry to itself",
          QCOW2,
          DISK_QCOW2,
          "points into",
          { BYTES(0x30000, "\200\0\0\0\0\3\0\0") },
          0 },
        { "small clusters", QCOW2_SMALL_CLUSTERS, DISK_QCOW2, NULL, { { 0 } }, 0 },
        { "L1 entry beyond the end",
          QCOW2,
          DISK_QCOW2,
          "cut short",
          { BYTES(0x30000, "\200\0\0\1\0\0\0\0") },
          0 },
        { "L1 entry not aligned",
          QCOW2,
          DISK_QCOW2,
          "not a place",
          { BYTES(0x30000, "\200\0\0\0\0\4\2\0") },
          0 },
        { "refcount table to itself",
          QCOW2,
          DISK_QCOW2,
          "points into",
          { BYTES(0x10000, "\0\0\0\0\0\1\0\0") },
          0 },
        { "refcount table huge",
          QCOW2,
          DISK_QCOW2,
          "impossible size",
          { BYTES(56, "\0\1\0\0") },
          0 },
        { "refcount table none",
          QCOW2,
          DISK_QCOW2,
          "impossible size",
          { BYTES(56, "\0\0\0\0") },
          0 },
        { "clusters of 2 GiB", QCOW2, DISK_QCOW2, "cluster size", { BYTES(20, "\0\0\0\37") }, 0 },
        { "clusters of 2^255", QCOW2, DISK_QCOW2, "cluster size", { BYTES(20, "\0\0\0\377") }, 0 },
        { "2^32 snapshots",
          QCOW2,
          DISK_QCOW2,
          "snapshot table",
          { BYTES(60, "\377\377\377\377") },
          0 },
        { "header of 2^32",
          QCOW2,
          DISK_QCOW2,
          "impossible length",
          { BYTES(100, "\377\377\377\370") },
          0 },
        { "extension of 2^32",
          QCOW2,
          DISK_QCOW2,
          "longer than the header",
          { BYTES(112, "\1\2\3\4\377\377\377\377") },
          0 },
        { "vdi of 2^63", VDI, DISK_VDI, "block map", { BYTES(0x170, "\0\0\0\0\0\0\0\177") }, 0 },
        { "vdi map of 16 GiB",
          VDI,
          DISK_VDI,
          "block map",
          { BYTES(0x180, "\377\377\377\377") },
          0 },
        { "vdi in blocks of 0", VDI, DISK_VDI, "block size", { BYTES(0x178, "\0\0\0\0") }, 0 },
        { "luks payload beyond the end",
          LUKS,
          DISK_LUKS,
          "cut short",
          { BYTES(104, "\377\377\377\377") },
          0 },
        { "iso of 8 TiB",
          ISO,
          DISK_ISO,
          "cut short",
          { BYTES(32768 + 80, "\377\377\377\377\377\377\377\377") },
          0 },
        { "vhdx regions changed", VHDX, DISK_VHDX, "damaged", { BYTES(196608 + 16, "\1") }, 0 },
        { "vhdx metadata emptied", VHDX, DISK_VHDX, "metadata", { BYTES(3 << 20, "matadeta") }, 0 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

/* Every image cut at every odd place of its header, and at some others. */
static void
test_a7_truncated(void **state)
{
    static const struct {
        enum base base;
        enum disk_format format;
        size_t header;
    } cases[] = {
        { QCOW2, DISK_QCOW2, 0x30008 },       { QCOW2_V2, DISK_QCOW2, 0x30008 },
        { VMDK, DISK_VMDK, 65536 },           { VMDK_STREAM, DISK_VMDK, 65536 },
        { VMDK_FOOTER, DISK_VMDK, SIZE_MAX }, { VHD, DISK_VHD, 2048 },
        { VHD_FIXED, DISK_VHD, 3 << 20 },     { VHDX, DISK_VHDX, 4 << 20 },
        { VDI, DISK_VDI, 1 << 20 },           { LUKS, DISK_LUKS, 4096 },
        { ISO, DISK_ISO, 40 * 2048 },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        for (size_t size = 0; size < MIN(cases[n].header, images[cases[n].base].size);
             size = size < 1100 ? size + 1 : size + size / 3 + 1) {
            struct image image = { images[cases[n].base].data, size };
            struct disk_info info;
            struct fault f = { 0 };

            if (inspect_chunks(&image, cases[n].format, 1 << 20, &info, &f) == 0)
                fail_msg("case %zu: accepted with %zu bytes", n, size);
            assert_int_equal(FAULT_INVALID, f.kind);
        }
    }
}

static void
test_empty(void **state)
{
    static const struct attack attacks[] = {
        { "raw", EMPTY, DISK_RAW, "empty", { { 0 } }, 0 },
        { "qcow2", EMPTY, DISK_QCOW2, "empty", { { 0 } }, 0 },
        { "vhd", EMPTY, DISK_VHD, "empty", { { 0 } }, 0 },
        { "one byte is a raw disk", RAW, DISK_RAW, NULL, { { 0 } }, 1 },
        { "one byte is no qcow2", QCOW2, DISK_QCOW2, "no such header", { { 0 } }, 1 },
    };

    (void)state;
    check_attacks(attacks, ARRAY_SIZE(attacks));
}

/* The head is judged when it is complete, not at the end of a long upload. */
static void
test_refused_early(void **state)
{
    struct disk_inspector *i = disk_inspector_new(DISK_RAW);
    uint8_t *data = calloc(1, 1 << 20);
    struct fault f = { 0 };

    (void)state;
    memcpy(data, "QFI\xfb\0\0\0\3", 8);
    assert_true(disk_inspector_feed(i, data, 1 << 20, &f) < 0);
    fault_clear(&f);
    assert_true(disk_inspector_feed(i, data, 1, &f) < 0);
    assert_non_null(strstr(f.message, "bytes are qcow2"));
    disk_inspector_free(i);
    free(data);
}

static void
test_names(void **state)
{
    enum disk_format format = DISK_QCOW2;

    (void)state;
    assert_int_equal(0, disk_format_parse("ami", &format));
    assert_int_equal(DISK_RAW, format);
    assert_int_equal(0, disk_format_parse("vhd", &format));
    assert_string_equal("vpc", disk_format_driver(format));
    assert_string_equal("vhd", disk_format_name(format));
    assert_true(disk_format_parse("ploop", &format) < 0);
    assert_true(disk_format_parse("", &format) < 0);
    assert_int_equal(DISK_VHD, format);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_images),
        cmocka_unit_test(test_real_vhd),
        cmocka_unit_test(test_declared_and_found_must_agree),
        cmocka_unit_test(test_a1_backing_file),
        cmocka_unit_test(test_a2_data_file),
        cmocka_unit_test(test_a3_vmdk),
        cmocka_unit_test(test_a3_descriptors),
        cmocka_unit_test(test_a4_polyglots),
        cmocka_unit_test(test_a6_bombs),
        cmocka_unit_test(test_a7_truncated),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_refused_early),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, make_images, remove_images);
}
