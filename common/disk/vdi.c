/* VDI, VirtualBox's own, version 1.1: dynamic and static; undo and differencing images have a
 * parent. */
#include <string.h>

#include "format.h"

#define HEADER 512
#define BLOCK (1u << 20)      /* The only block size that QEMU reads. */
#define BLOCKS_MAX (1u << 24) /* 16 TiB; 64 MiB of map. */

bool
vdi_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0x40, "\x7f\x10\xda\xbe", 4);
}

int
vdi_start(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *h = i->head;
    uint64_t map, data, blocks, allocated;

    if (i->head_size < HEADER)
        return disk_refuse(f, "its vdi header is cut short");
    if (le32(h + 0x44) != 0x00010001)
        return disk_refuse(f, "its vdi version is not 1.1");
    if (le32(h + 0x4c) != 1 && le32(h + 0x4c) != 2)
        return disk_refuse(f, "its vdi type is neither dynamic nor static");
    if (!disk_all_zero(h + 0x1a8, 16) || !disk_all_zero(h + 0x1b8, 16))
        return disk_refuse(f, "its vdi has a parent");
    map = le32(h + 0x154);
    data = le32(h + 0x158);
    blocks = le32(h + 0x180);
    allocated = le32(h + 0x184);
    if (le32(h + 0x168) != 512 || le32(h + 0x178) != BLOCK)
        return disk_refuse(f, "its vdi sector or block size is impossible");
    if (blocks > BLOCKS_MAX || allocated > blocks || blocks * BLOCK < le64(h + 0x170))
        return disk_refuse(f, "its vdi block map does not fit its size");
    if (map < HEADER || map % 512 != 0 || data % 512 != 0 || data < map + blocks * 4)
        return disk_refuse(f, "its vdi block map is not at a possible place");
    i->facts.virtual_bytes = le64(h + 0x170);
    i->facts.highest = data + allocated * BLOCK;
    return disk_check_virtual(i->facts.virtual_bytes, f);
}
