/* qcow2, versions 2 and 3 (docs/interop/qcow2.txt of QEMU).
 *
 * What is refused: everything that makes a reader open another file (backing file, external data
 * file), that needs a secret, features unknown to QEMU 7.2, and tables that are out of proportion,
 * beyond the end, or laid over the header or each other. L2 tables and data are not walked: the
 * bounds here keep what a reader allocates small, and the virtual size bounds what it can write. */
#include <inttypes.h>

#include "format.h"

#define L1_MAX (32 * 1024 * 1024) /* Bytes; QEMU's own limits. */
#define REFCOUNT_TABLE_MAX (8 * 1024 * 1024)
#define SNAPSHOTS_MAX 65536
#define HEADER_V2 72
#define HEADER_V3 104

enum {
    DIRTY = 1 << 0,
    CORRUPT = 1 << 1,
    DATA_FILE = 1 << 2,
    COMPRESSION = 1 << 3,
    EXTENDED_L2 = 1 << 4
};
#define EXT_DATA_FILE 0x44415441u
#define EXT_ENCRYPTION 0x0537be77u
#define L1_OFFSET 0x00fffffffffffe00ull
#define REFCOUNT_OFFSET 0xfffffffffffffe00ull

bool
qcow2_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0, "QFI\xfb", 4) && i->head_size >= 8 && be32(i->head + 4) >= 2;
}

static int
check_features(const struct disk_inspector *i, uint32_t *ret_header, bool *ret_extended,
               struct fault *f)
{
    uint64_t bits;

    *ret_header = HEADER_V2;
    *ret_extended = false;
    if (be32(i->head + 4) == 2)
        return 0;
    if (i->head_size < HEADER_V3)
        return disk_refuse(f, "its qcow2 header is cut short");
    bits = be64(i->head + 72);
    if (bits & DATA_FILE)
        return disk_refuse(f, "it keeps its data in an external data file");
    if (bits & CORRUPT)
        return disk_refuse(f, "it is marked as corrupt");
    if (bits & ~(uint64_t)(DIRTY | COMPRESSION | EXTENDED_L2))
        return disk_refuse(f, "it needs qcow2 features that are not known (0x%" PRIx64 ")", bits);
    if (be32(i->head + 96) > 6)
        return disk_refuse(f, "its refcounts are wider than qcow2 allows");
    *ret_header = be32(i->head + 100);
    if (*ret_header < HEADER_V3 || *ret_header % 8 != 0 || *ret_header > 4096)
        return disk_refuse(f, "its qcow2 header has an impossible length");
    if (bits & COMPRESSION) {
        if (*ret_header <= HEADER_V3 || i->head_size <= HEADER_V3 || i->head[HEADER_V3] != 1)
            return disk_refuse(f, "it uses an unknown compression");
    } else if (*ret_header > HEADER_V3 && i->head_size > HEADER_V3 && i->head[HEADER_V3] != 0) {
        return disk_refuse(f, "it uses an unknown compression");
    }
    *ret_extended = bits & EXTENDED_L2;
    return 0;
}

static int
check_extensions(const struct disk_inspector *i, uint32_t at, uint64_t cluster, struct fault *f)
{
    uint64_t end = MIN(cluster, i->head_size), next = at;

    while (next + 8 <= end) {
        uint32_t type = be32(i->head + next), size = be32(i->head + next + 4);

        if (type == 0)
            return 0;
        if (type == EXT_DATA_FILE)
            return disk_refuse(f, "it names an external data file");
        if (type == EXT_ENCRYPTION)
            return disk_refuse(f, "it is encrypted");
        if (size > cluster - next - 8)
            return disk_refuse(f, "a qcow2 header extension is longer than the header");
        next += 8 + (((uint64_t)size + 7) & ~7ull);
    }
    return 0;
}

/* An entry of a table: a cluster of the file that nothing else here claims. */
static int
check_place(struct disk_inspector *i, uint64_t place, const char *table, struct fault *f)
{
    uint64_t cluster = i->facts.cluster;

    if (place == 0)
        return 0;
    if (place % cluster != 0 || place > INT64_MAX - cluster)
        return disk_refuse(f, "an entry of its %s table is not a place in the file", table);
    for (size_t n = 0; n < ARRAY_SIZE(i->facts.own); n++) {
        if (place < i->facts.own[n][1] && place + cluster > i->facts.own[n][0])
            return disk_refuse(f, "an entry of its %s table points into the header or a table",
                               table);
    }
    i->facts.highest = MAX(i->facts.highest, place + 8);
    return 0;
}

static int
check_l1(struct disk_inspector *i, const struct table *t, uint64_t entry, struct fault *f)
{
    (void)t;
    return check_place(i, entry & L1_OFFSET, "L1", f);
}

static int
check_refcount(struct disk_inspector *i, const struct table *t, uint64_t entry, struct fault *f)
{
    (void)t;
    return check_place(i, entry & REFCOUNT_OFFSET, "refcount", f);
}

/* The places of header, L1 table and refcount table: within the possible, aligned, apart. */
static int
claim_tables(struct disk_inspector *i, bool extended, struct fault *f)
{
    uint64_t cluster = i->facts.cluster, size = be64(i->head + 24);
    uint64_t l1_bytes = (uint64_t)be32(i->head + 36) * 8, l1 = be64(i->head + 40);
    uint64_t refs = be64(i->head + 48), refs_bytes = (uint64_t)be32(i->head + 56) * cluster;
    uint64_t per_l1 = cluster * (cluster / (extended ? 16 : 8));

    if (l1_bytes > L1_MAX)
        return disk_refuse(f, "its L1 table is too large");
    if (l1_bytes / 8 < size / per_l1 + (size % per_l1 != 0))
        return disk_refuse(f, "its L1 table is too small for its size");
    if (refs_bytes == 0 || refs_bytes > REFCOUNT_TABLE_MAX)
        return disk_refuse(f, "its refcount table has an impossible size");
    if (l1 % cluster != 0 || l1 < cluster || l1 > INT64_MAX - l1_bytes)
        return disk_refuse(f, "its L1 table is not at a possible place");
    if (refs % cluster != 0 || refs < cluster || refs > INT64_MAX - refs_bytes)
        return disk_refuse(f, "its refcount table is not at a possible place");
    if (l1 < refs + refs_bytes && refs < l1 + l1_bytes)
        return disk_refuse(f, "its L1 and refcount tables overlap");

    i->facts.own[0][1] = cluster;
    i->facts.own[1][0] = l1;
    i->facts.own[1][1] = l1 + l1_bytes;
    i->facts.own[2][0] = refs;
    i->facts.own[2][1] = refs + refs_bytes;
    i->tables[0] = (struct table){ .offset = l1, .size = l1_bytes, .check = check_l1 };
    i->tables[1] = (struct table){ .offset = refs, .size = refs_bytes, .check = check_refcount };
    return 0;
}

int
qcow2_start(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *h = i->head;
    uint32_t header_bytes;
    bool extended;
    int r;

    if (i->head_size < HEADER_V2)
        return disk_refuse(f, "its qcow2 header is cut short");
    if (be32(h + 4) != 2 && be32(h + 4) != 3)
        return disk_refuse(f, "its qcow2 version is not 2 or 3");
    if (be64(h + 8) != 0 || be32(h + 16) != 0)
        return disk_refuse(f, "it has a backing file");
    if (be32(h + 32) != 0)
        return disk_refuse(f, "it is encrypted");
    if (be32(h + 20) < 9 || be32(h + 20) > 21)
        return disk_refuse(f, "its qcow2 cluster size is impossible");
    i->facts.cluster = (uint64_t)1 << be32(h + 20);
    i->facts.virtual_bytes = be64(h + 24);
    r = disk_check_virtual(i->facts.virtual_bytes, f);
    if (r < 0)
        return r;
    if (be32(h + 60) > SNAPSHOTS_MAX || be64(h + 64) % i->facts.cluster != 0 ||
        be64(h + 64) > INT64_MAX)
        return disk_refuse(f, "its snapshot table is impossible");
    if (be32(h + 60) > 0)
        i->facts.highest = be64(h + 64) + 8;

    r = check_features(i, &header_bytes, &extended, f);
    if (r < 0)
        return r;
    r = check_extensions(i, header_bytes, i->facts.cluster, f);
    if (r < 0)
        return r;
    return claim_tables(i, extended, f);
}

int
qcow2_finish(struct disk_inspector *i, struct fault *f)
{
    /* Without one cluster for the header, and one for the refcount table there is no qcow2. */
    if (i->offset < 2 * i->facts.cluster)
        return disk_refuse(f, "its qcow2 header is cut short");
    return 0;
}
