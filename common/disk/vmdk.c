/* VMDK ("Virtual Disk Format 5.0"): one sparse extent with its descriptor inside, and nothing else.
 *
 * A descriptor may name any path of the reading host as an extent, so all forms that consist of
 * more than the file itself are refused. A capacity of 0 in the sparse header makes QEMU read the
 * descriptor instead of the header; streamOptimized files are read by the copy of the header in
 * their footer. Both must tell one story. */
#include <string.h>

#include "../base/str.h"
#include "format.h"

#define SECTOR 512ull
#define AT_END UINT64_MAX
#define GRAIN_TABLE_MAX 512
#define GRAIN_MAX 128 /* Sectors. */
#define DIRECTORY_MAX (32 * 1024 * 1024)
#define DESCRIPTOR_LINES_MAX 512

/* As QEMU's vmdk_probe: comments and blank lines, then "version=". */
static bool
is_descriptor(const uint8_t *data, size_t size)
{
    size_t n = 0;

    if (size >= 21 && memcmp(data, "# Disk DescriptorFile", 21) == 0)
        return true;
    while (n < size && n < 65536) {
        if (data[n] == '#') {
            while (n < size && data[n] != '\n')
                n++;
            n++;
        } else if (data[n] == ' ' || data[n] == '\n' || data[n] == '\r') {
            n++;
        } else {
            return size - n >= 8 && memcmp(data + n, "version=", 8) == 0;
        }
    }
    return false;
}

bool
vmdk_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0, "KDMV", 4) || disk_head_has(i, 0, "COWD", 4) ||
           is_descriptor(i->head, i->head_size);
}

/* What head and footer have alike. */
static int
check_header(const uint8_t *h, struct fault *f)
{
    uint64_t capacity = le64(h + 12), grain = le64(h + 20);

    if (memcmp(h, "KDMV", 4) != 0 || le32(h + 4) < 1 || le32(h + 4) > 3)
        return disk_refuse(f, "it is not a sparse vmdk of version 1 to 3");
    if (capacity == 0)
        return disk_refuse(f, "its vmdk header leaves the size to a descriptor");
    if (capacity > DISK_VIRTUAL_MAX / SECTOR)
        return disk_refuse(f, "its disk claims a size beyond 1 PiB");
    if (grain == 0 || grain > GRAIN_MAX || (grain & (grain - 1)) != 0)
        return disk_refuse(f, "its vmdk grain size is impossible");
    if (le32(h + 44) == 0 || le32(h + 44) > GRAIN_TABLE_MAX)
        return disk_refuse(f, "its vmdk grain tables are impossible");
    return 0;
}

/* The grain directory that 'h' points to lies in the file. */
static int
claim_directory(struct disk_inspector *i, const uint8_t *h, uint64_t at, struct fault *f)
{
    uint64_t covers = le64(h + 20) * le32(h + 44), entries = le64(h + 12) / covers + 1;

    if (entries * 4 > DIRECTORY_MAX)
        return disk_refuse(f, "its vmdk grain directory is too large");
    if (at == 0 || at > INT64_MAX / SECTOR / 2)
        return disk_refuse(f, "its vmdk grain directory is not at a possible place");
    i->facts.highest = MAX(i->facts.highest, at * SECTOR + 4);
    return 0;
}

int
vmdk_start(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *h = i->head;
    int r;

    if (!disk_head_has(i, 0, "KDMV", 4))
        return disk_refuse(f, "it is a vmdk that consists of other files, or of an old kind");
    if (i->head_size < SECTOR)
        return disk_refuse(f, "its vmdk header is cut short");
    r = check_header(h, f);
    if (r < 0)
        return r;
    if (le64(h + 64) > INT64_MAX / SECTOR)
        return disk_refuse(f, "its vmdk header is longer than any file");
    i->facts.virtual_bytes = le64(h + 12) * SECTOR;
    i->facts.highest =
        le64(h + 64) * SECTOR; /* Header, descriptor and tables: before the first grain. */

    if (le64(h + 56) == AT_END)
        i->facts.footer_needed = true;
    else
        r = claim_directory(i, h, le64(h + 56), f);
    if (r < 0)
        return r;
    if (le64(h + 28) == 0 || le64(h + 28) > WINDOW_MAX / SECTOR || le64(h + 36) == 0 ||
        le64(h + 36) > WINDOW_MAX / SECTOR)
        return disk_refuse(f, "it has no vmdk descriptor of its own");
    return disk_want_window(i, le64(h + 28) * SECTOR, le64(h + 36) * SECTOR, f);
}

static int
check_footer(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *end = disk_tail(i, 0, 3 * SECTOR), *h;
    int r;

    if (end == NULL || le64(end) != 1 || le32(end + 8) != 0 || le32(end + 12) != 3)
        return disk_refuse(f, "its vmdk footer is missing");
    h = end + SECTOR;
    if (le64(end + 2 * SECTOR) != 0 || le32(end + 2 * SECTOR + 8) != 0 ||
        le32(end + 2 * SECTOR + 12) != 0)
        return disk_refuse(f, "its vmdk end marker is missing");
    r = check_header(h, f);
    if (r < 0)
        return r;
    /* All up to the grain directory's place. */
    if (memcmp(h, i->head, 48) != 0 || le64(h + 56) == AT_END)
        return disk_refuse(f, "its vmdk header and footer differ");
    return claim_directory(i, h, le64(h + 56), f);
}

struct descriptor {
    unsigned types, extents, starts;
};

/* An extent must be SPARSE, in this file: RW 20480 SPARSE "name.vmdk" */
static int
check_extent(const char *line, struct descriptor *d, struct fault *f)
{
    const char *kind = strchr(line, ' '), *name;

    if (++d->extents > 1)
        return disk_refuse(f, "its vmdk descriptor has several extents");
    kind = kind != NULL ? strchr(kind + 1, ' ') : NULL;
    if (kind == NULL || !str_starts(kind, " SPARSE \""))
        return disk_refuse(f, "its vmdk extent is not sparse");
    name = kind + 9;
    if (strpbrk(name, "/\\:") != NULL || name[0] == '"' || strchr(name, '"') == NULL ||
        strchr(name, '"')[1] != '\0')
        return disk_refuse(f, "its vmdk extent names a file elsewhere");
    return 0;
}

static int
check_line(const char *line, struct descriptor *d, struct fault *f)
{
    static const char *const harmless[] = { "version=", "encoding=", "CID=", "ddb.",
                                            "isNativeSnapshot=" };

    if (line[0] == '\0')
        return 0;
    if (line[0] == '#') {
        if (str_starts(line, "# Disk DescriptorFile") && ++d->starts > 1)
            return disk_refuse(f, "it has several vmdk descriptors");
        return 0;
    }
    if (str_starts(line, "RW ") || str_starts(line, "RDONLY ") || str_starts(line, "NOACCESS "))
        return check_extent(line, d, f);
    if (str_starts(line, "createType=")) {
        if (++d->types == 1 && (str_equal(line, "createType=\"monolithicSparse\"") ||
                                str_equal(line, "createType=\"streamOptimized\"")))
            return 0;
        return disk_refuse(f, "its vmdk type is not monolithicSparse or streamOptimized");
    }
    if (str_starts(line, "parentCID=")) {
        if (str_equal_nocase(line, "parentCID=ffffffff"))
            return 0;
        return disk_refuse(f, "its vmdk has a parent");
    }
    for (size_t n = 0; n < ARRAY_SIZE(harmless); n++) {
        if (str_starts(line, harmless[n]))
            return 0;
    }
    return disk_refuse(f, "its vmdk descriptor has a line that is not known");
}

static int
check_descriptor(const uint8_t *data, size_t size, struct fault *f)
{
    struct descriptor d = { 0 };
    const uint8_t *end = memchr(data, 0, size);
    size_t text = end != NULL ? (size_t)(end - data) : size, at = 0;
    int r;

    if (!disk_all_zero(data + text, size - text))
        return disk_refuse(f, "something follows its vmdk descriptor");
    for (unsigned lines = 0; at < text; lines++) {
        const uint8_t *stop = memchr(data + at, '\n', text - at);
        size_t length = stop != NULL ? (size_t)(stop - data) - at : text - at;
        char line[512];

        if (length >= sizeof(line) || lines == DESCRIPTOR_LINES_MAX)
            return disk_refuse(f, "its vmdk descriptor is too long");
        memcpy(line, data + at, length);
        at += length + 1;
        while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
            length--;
        line[length] = '\0';
        r = check_line(line + strspn(line, " \t"), &d, f);
        if (r < 0)
            return r;
    }
    if (d.types != 1 || d.extents != 1)
        return disk_refuse(f, "its vmdk descriptor lacks type or extent");
    return 0;
}

int
vmdk_finish(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *data;
    size_t size;
    int r;

    r = disk_window(i, &data, &size, f);
    if (r < 0)
        return r;
    r = check_descriptor(data, size, f);
    if (r < 0)
        return r;
    return i->facts.footer_needed ? check_footer(i, f) : 0;
}
