/* VHDX ([MS-VHDX]): a table of regions at fixed places, of which one, the metadata, says size and
 * parent.
 *
 * Both headers and both region tables carry a CRC; the copy that a reader would use is the one
 * judged. */
#include <string.h>

#include "format.h"

#define HEADERS 65536ull  /* Two, of 4 KiB, 64 KiB apart. */
#define REGIONS 196608ull /* Two tables of 64 KiB. */
#define TABLE 65536u
#define MIB 1048576u
#define BAT_MAX (64u * MIB)

static const uint8_t bat_guid[16] = { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                      0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08 };
static const uint8_t metadata_guid[16] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                           0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
static const uint8_t parameters_guid[16] = { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                             0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b };
static const uint8_t size_guid[16] = { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48,
                                       0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8 };
static const uint8_t parent_guid[16] = { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45,
                                         0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c };

bool
vhdx_match(const struct disk_inspector *i)
{
    return disk_head_has(i, 0, "vhdxfile", 8);
}

/* CRC-32C of 'data' with the four bytes at 4, where it is kept, taken as zero. */
static bool
crc_right(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t n = 0; n < size; n++) {
        crc ^= n >= 4 && n < 8 ? 0 : data[n];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return le32(data + 4) == ~crc;
}

static int
check_headers(const struct disk_inspector *i, struct fault *f)
{
    const uint8_t *current = NULL;

    for (size_t n = 0; n < 2; n++) {
        const uint8_t *h = i->head + HEADERS + n * HEADERS;

        if (memcmp(h, "head", 4) != 0 || le16(h + 66) != 1 || !crc_right(h, 4096))
            continue;
        if (current == NULL || le64(h + 8) > le64(current + 8))
            current = h;
    }
    if (current == NULL)
        return disk_refuse(f, "its vhdx headers are damaged");
    if (!disk_all_zero(current + 48, 16))
        return disk_refuse(f, "its vhdx was not closed cleanly");
    return 0;
}

/* Both region tables must be right and alike, so that it makes no difference which one a reader
 * takes. */
static int
check_regions(struct disk_inspector *i, struct fault *f)
{
    const uint8_t *t = i->head + REGIONS;
    uint64_t metadata = 0, metadata_size = 0;
    unsigned bats = 0;

    if (memcmp(t, "regi", 4) != 0 || !crc_right(t, TABLE) || memcmp(t, t + TABLE, TABLE) != 0 ||
        le32(t + 8) > 2047)
        return disk_refuse(f, "its vhdx region tables are damaged");
    for (uint32_t n = 0; n < le32(t + 8); n++) {
        const uint8_t *e = t + 16 + n * 32u;
        uint64_t offset = le64(e + 16), size = le32(e + 24);

        if (offset < MIB || offset % MIB != 0 || size == 0 || size % MIB != 0 ||
            offset > INT64_MAX - size)
            return disk_refuse(f, "a vhdx region is not at a possible place");
        if (memcmp(e, metadata_guid, 16) == 0 && metadata == 0) {
            metadata = offset;
            metadata_size = size;
        } else if (memcmp(e, bat_guid, 16) == 0 && bats++ == 0) {
            if (size > BAT_MAX)
                return disk_refuse(f, "its vhdx block table is too large");
        } else {
            return disk_refuse(f, "a vhdx region is not known, or there twice");
        }
        i->facts.highest = MAX(i->facts.highest, offset + size);
    }
    if (metadata == 0 || bats == 0)
        return disk_refuse(f, "its vhdx lacks a region");
    return disk_want_window(i, metadata, MIN(metadata_size, WINDOW_MAX), f);
}

int
vhdx_start(struct disk_inspector *i, struct fault *f)
{
    int r;

    if (i->head_size < REGIONS + 2 * TABLE)
        return disk_refuse(f, "its vhdx header is cut short");
    r = check_headers(i, f);
    if (r < 0)
        return r;
    return check_regions(i, f);
}

int
vhdx_finish(struct disk_inspector *i, struct fault *f)
{
    bool parameters = false, sized = false;
    const uint8_t *m;
    size_t size;
    int r;

    r = disk_window(i, &m, &size, f);
    if (r < 0)
        return r;
    if (memcmp(m, "metadata", 8) != 0 || le16(m + 10) > 2047)
        return disk_refuse(f, "its vhdx metadata is damaged");
    for (uint16_t n = 0; n < le16(m + 10); n++) {
        const uint8_t *e = m + 32 + n * 32u;
        uint32_t at = le32(e + 16), length = le32(e + 20);

        if (memcmp(e, parent_guid, 16) == 0)
            return disk_refuse(f, "its vhdx has a parent");
        if (length != 0 && (at < TABLE || at > size || length > size - at))
            return disk_refuse(f, "its vhdx metadata is damaged");
        if (memcmp(e, parameters_guid, 16) == 0) {
            if (parameters || length < 8)
                return disk_refuse(f, "its vhdx metadata is damaged");
            parameters = true;
            if (le32(m + at + 4) & 2)
                return disk_refuse(f, "its vhdx has a parent");
            if (le32(m + at) < MIB || le32(m + at) > 256u * MIB ||
                (le32(m + at) & (le32(m + at) - 1)) != 0)
                return disk_refuse(f, "its vhdx block size is impossible");
        } else if (memcmp(e, size_guid, 16) == 0) {
            if (sized || length < 8)
                return disk_refuse(f, "its vhdx metadata is damaged");
            sized = true;
            i->facts.virtual_bytes = le64(m + at);
        }
    }
    if (!parameters || !sized)
        return disk_refuse(f, "its vhdx metadata lacks size or parameters");
    return 0;
}
