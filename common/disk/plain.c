/* Formats without tables of their own: ISO 9660, LUKS, and those that are recognised only to be
 * refused. */
#include <string.h>

#include "format.h"

#define ISO_DESCRIPTOR 32768u
#define ISO_SECTOR 2048u
#define LUKS_HEADER 592u

bool
iso_match(const struct disk_inspector *i)
{
    return disk_head_has(i, ISO_DESCRIPTOR + 1, "CD001", 5);
}

/* The first descriptor must be the primary one; it says how long the file system is, in both byte
 * orders. */
int
iso_start(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *d = i->head + ISO_DESCRIPTOR;

    if (i->head_size < ISO_DESCRIPTOR + ISO_SECTOR)
        return disk_refuse(f, "its iso header is cut short");
    if (d[0] != 1 || le16(d + 128) != ISO_SECTOR || be16(d + 130) != ISO_SECTOR ||
        le32(d + 80) == 0 || le32(d + 80) != be32(d + 84))
        return disk_refuse(f, "its iso header is damaged");
    i->facts.highest = (uint64_t)le32(d + 80) * ISO_SECTOR;
    return 0;
}

bool
luks_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0, "LUKS\xba\xbe", 6) || disk_head_has(i, 0, "SKUL\xba\xbe", 6);
}

int
luks_start(struct disk_inspector *i, struct fault *f)
{
    if (i->head_size < LUKS_HEADER)
        return disk_refuse(f, "its luks header is cut short");
    if (be16(i->head + 6) != 1)
        return disk_refuse(f, "its luks version is not 1");
    if (be32(i->head + 104) < LUKS_HEADER / 512)
        return disk_refuse(f, "its luks payload is not at a possible place");
    i->facts.highest = (uint64_t)be32(i->head + 104) * 512;
    return 0;
}

int
luks_finish(struct disk_inspector *i, struct fault *f)
{
    if (i->offset <= i->facts.highest)
        return disk_refuse(f, "it is cut short");
    i->facts.virtual_bytes = i->offset - i->facts.highest;
    return 0;
}

/* qcow version 1 has the magic of qcow2. */
bool
foreign_match(const struct disk_inspector *i)
{
    static const struct {
        const char *bytes;
        size_t size;
    } magics[] = {
        { "QED", 4 },
        { "WithoutFreeSpace", 16 },
        { "WithouFreSpacExt", 16 },
        { "Bochs Virtual HD Image", 22 },
        { "#!/bin/sh\n#V2.0 Format\n", 23 },
        { "QFI\xfb\0\0\0\1", 8 },
        { "QFI\xfb\0\0\0\0", 8 },
    };

    for (size_t n = 0; n < ARRAY_SIZE(magics); n++) {
        if (disk_head_has(i, 0, magics[n].bytes, magics[n].size))
            return true;
    }
    return false;
}
