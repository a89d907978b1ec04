/* VHD ("Virtual Hard Disk Image Format Specification"): fixed and dynamic; differencing disks have
 * a parent.
 *
 * A dynamic disk has a copy of its footer at the start, a fixed one only at its end. */
#include <string.h>

#include "format.h"

#define FOOTER 512
#define DYNAMIC_HEADER 1024
#define GEOMETRY_MAX (65535ull * 16 * 255)
#define TABLE_MAX (1 << 22) /* Entries: 2 TiB in the smallest usual blocks. */

enum { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };

bool
vhd_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0, "conectix", 8);
}

bool
vhd_match_tail(const struct disk_inspector *i)
{
    const uint8_t *footer = disk_tail(i, 0, FOOTER);

    return footer != NULL && memcmp(footer, "conectix", 8) == 0;
}

/* The complement of the sum of all bytes but the sum's own at 'at'. */
static bool
sum_right(const uint8_t *data, size_t size, size_t at)
{
    uint32_t sum = 0;

    for (size_t n = 0; n < size; n++) {
        if (n < at || n >= at + 4)
            sum += data[n];
    }
    return be32(data + at) == ~sum;
}

/* A size in bytes, and one in cylinders, heads and sectors; some readers take the one, some the
 * other, so the larger counts. The largest geometry stands for all disks that are larger still. */
static uint64_t
size_of(const uint8_t *footer)
{
    uint64_t sectors = (uint64_t)be16(footer + 56) * footer[58] * footer[59];

    return sectors == GEOMETRY_MAX ? be64(footer + 48) : MAX(be64(footer + 48), sectors * 512);
}

static int
check_footer(const uint8_t *footer, uint32_t type, struct fault *f)
{
    if (be32(footer + 60) == TYPE_DIFFERENCING)
        return disk_refuse(f, "its vhd has a parent");
    if (be32(footer + 60) != type)
        return disk_refuse(f, "its vhd type is not known");
    if (be32(footer + 12) >> 16 != 1 || !sum_right(footer, FOOTER, 64))
        return disk_refuse(f, "its vhd footer is damaged");
    return disk_check_virtual(size_of(footer), f);
}

static int
check_dynamic(struct disk_inspector *i, struct fault *f)
{
    uint64_t at = be64(i->head + 16), table, entries, block;
    const uint8_t *h;

    if (at < FOOTER || at > HEAD_SIZE - DYNAMIC_HEADER || at + DYNAMIC_HEADER > i->head_size)
        return disk_refuse(f, "its vhd dynamic header is not at a possible place");
    h = i->head + at;
    if (memcmp(h, "cxsparse", 8) != 0 || !sum_right(h, DYNAMIC_HEADER, 36))
        return disk_refuse(f, "its vhd dynamic header is damaged");
    /* Parent: its id, its name, and eight places where to look for it. */
    if (!disk_all_zero(h + 40, 16) || !disk_all_zero(h + 64, 512) || !disk_all_zero(h + 576, 192))
        return disk_refuse(f, "its vhd has a parent");
    table = be64(h + 16);
    entries = be32(h + 28);
    block = be32(h + 32);
    if (block < 512 * 8 || block > (1u << 28) || (block & (block - 1)) != 0)
        return disk_refuse(f, "its vhd block size is impossible");
    if (entries > TABLE_MAX || entries * block < be64(i->head + 48))
        return disk_refuse(f, "its vhd block table does not fit its size");
    if (table < at + DYNAMIC_HEADER || table > INT64_MAX / 2)
        return disk_refuse(f, "its vhd block table is not at a possible place");
    i->facts.highest = table + entries * 4 + FOOTER;
    return 0;
}

int
vhd_start(struct disk_inspector *i, struct fault *f)
{
    int r;

    i->facts.footer_needed = !vhd_match(i);
    if (i->facts.footer_needed)
        return 0;
    if (i->head_size < FOOTER)
        return disk_refuse(f, "its vhd header is cut short");
    r = check_footer(i->head, TYPE_DYNAMIC, f);
    if (r < 0)
        return r;
    i->facts.virtual_bytes = size_of(i->head);
    return check_dynamic(i, f);
}

int
vhd_finish(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *footer = disk_tail(i, 0, FOOTER);
    int r;

    if (!vhd_match_tail(i))
        return disk_refuse(f, "it is declared as vhd, but has no such footer");
    r = check_footer(footer, i->facts.footer_needed ? TYPE_FIXED : TYPE_DYNAMIC, f);
    if (r < 0)
        return r;
    if (!i->facts.footer_needed)
        return memcmp(footer, i->head, FOOTER) == 0
                   ? 0
                   : disk_refuse(f, "its vhd header and footer differ");
    i->facts.virtual_bytes = size_of(footer);
    i->facts.highest = be64(footer + 48) + FOOTER;
    return 0;
}
