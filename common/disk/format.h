/* What the inspector and its formats share; internal to common/disk.
 *
 * A format is a row of disk_kinds: how its head is recognised, what is checked when the head is
 * complete, and what is checked when the end is known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect.h"

/* Holds all headers at fixed places: ISO 9660's descriptors at 32 KiB, VHDX's second region table
 * at 256 KiB. */
#define HEAD_SIZE (384 * 1024)
/* Holds all trailers: VHD's footer, VMDK's footer and end marker. */
#define TAIL_SIZE 4096
/* Of a copy of what a header points to. */
#define WINDOW_MAX (1024 * 1024)

/* A copy of bytes from somewhere in the image. */
struct window {
    uint64_t offset;
    size_t size; /* 0: not wanted. */
    size_t filled;
    uint8_t *data;
};

/* A table of 64-bit big-endian entries somewhere in the image, each looked at as it passes and not
 * kept. */
struct table {
    uint64_t offset, size; /* In bytes; size 0: not wanted. */
    uint64_t seen;         /* Bytes of it that have passed. */
    uint64_t partial;      /* The entry in the making. */
    int (*check)(struct disk_inspector *i, const struct table *t, uint64_t entry, struct fault *f);
};

/* Facts that a format's start() leaves for its finish(). */
struct disk_facts {
    uint64_t virtual_bytes;
    uint64_t highest;   /* The image may not end before this offset. */
    uint64_t cluster;   /* qcow2: bytes of a cluster. */
    uint64_t own[3][2]; /* qcow2: places taken by header and tables: offset, end. */
    bool footer_needed; /* vmdk: the head defers to the footer; vhd: the head has no copy of it. */
};

struct disk_inspector {
    enum disk_format declared;
    uint64_t offset; /* Bytes fed or skipped so far. */
    bool started;    /* The head is complete and has been looked at. */
    bool refused;
    struct fault why; /* If refused. */
    size_t head_size;
    size_t tail_size;
    struct window window;
    struct table tables[2];
    struct disk_facts facts;
    uint8_t tail[TAIL_SIZE];
    uint8_t head[HEAD_SIZE];
};

struct disk_kind {
    enum disk_format format;
    bool foreign; /* A format that is recognised only to be refused. */
    const char *name;
    bool (*match)(const struct disk_inspector *i);
    int (*start)(struct disk_inspector *i, struct fault *f);
    int (*finish)(struct disk_inspector *i, struct fault *f);
};

extern const struct disk_kind disk_kinds[];
extern const size_t disk_kinds_count;

/* FAULT_INVALID, in the words all refusals share: "The image is not acceptable: ...". */
int disk_refuse(struct fault *f, const char *format, ...) _printf_(2, 3);

/* Does the head have these bytes at 'offset'? */
bool disk_head_has(const struct disk_inspector *i, size_t offset, const void *bytes, size_t size);
/* 'size' bytes that end 'before_end' bytes before the end of the image; NULL when it is shorter.
 * Only in finish(). */
const uint8_t *disk_tail(const struct disk_inspector *i, size_t before_end, size_t size);

/* Asks for a copy of a part that lies behind what has passed, or in the head. */
int disk_want_window(struct disk_inspector *i, uint64_t offset, uint64_t size, struct fault *f);
/* The whole window, or a fault when the image ended before it did. Only in finish(). */
int disk_window(struct disk_inspector *i, const uint8_t **ret, size_t *ret_size, struct fault *f);

bool disk_all_zero(const uint8_t *data, size_t size);

/* 0 <= bytes <= DISK_VIRTUAL_MAX and not nothing. */
int disk_check_virtual(uint64_t bytes, struct fault *f);

static inline uint16_t
le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
le32(const uint8_t *p)
{
    return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint64_t
le64(const uint8_t *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static inline uint16_t
be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static inline uint64_t
be64(const uint8_t *p)
{
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* The formats, a file each. */
bool qcow2_match(const struct disk_inspector *i);
int qcow2_start(struct disk_inspector *i, struct fault *f);
int qcow2_finish(struct disk_inspector *i, struct fault *f);
bool vmdk_match(const struct disk_inspector *i);
int vmdk_start(struct disk_inspector *i, struct fault *f);
int vmdk_finish(struct disk_inspector *i, struct fault *f);
bool vhd_match(const struct disk_inspector *i);
bool vhd_match_tail(const struct disk_inspector *i);
int vhd_start(struct disk_inspector *i, struct fault *f);
int vhd_finish(struct disk_inspector *i, struct fault *f);
bool vhdx_match(const struct disk_inspector *i);
int vhdx_start(struct disk_inspector *i, struct fault *f);
int vhdx_finish(struct disk_inspector *i, struct fault *f);
bool vdi_match(const struct disk_inspector *i);
int vdi_start(struct disk_inspector *i, struct fault *f);
bool luks_match(const struct disk_inspector *i);
int luks_start(struct disk_inspector *i, struct fault *f);
int luks_finish(struct disk_inspector *i, struct fault *f);
bool iso_match(const struct disk_inspector *i);
int iso_start(struct disk_inspector *i, struct fault *f);
bool foreign_match(const struct disk_inspector *i);
