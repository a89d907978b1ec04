/* Inspection of disk images from outside, before anything that could act on them opens them.
 *
 * An image's header may name other files, promise sizes that nobody can hold, or be a header of one
 * format in a file that is declared as another. Whoever takes a disk image from outside (the image
 * service at upload, an agent before first use) feeds its bytes through here, and stores the format
 * that was checked; from then on the format is passed explicitly to every tool, and nothing ever
 * probes.
 *
 * The inspector sees the bytes once, in order, in chunks of any size. It keeps a window of the
 * head, one of the tail, and the few tables that a header points to: at most DISK_INSPECT_MEMORY
 * bytes. It starts no process, opens no file and follows no name.
 *
 *   i = disk_inspector_new(DISK_QCOW2);
 *   while (...) if (disk_inspector_feed(i, data, size, f) < 0) -> refuse the upload now
 *   if (disk_inspector_finish(i, &info, f) < 0) -> refuse it
 *
 * Faults are FAULT_INVALID and say what is wrong with the image. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/fault.h"

#define DISK_INSPECT_MEMORY (4 * 1024 * 1024)

/* No image may promise more than this many bytes (1 PiB). */
#define DISK_VIRTUAL_MAX ((uint64_t)1 << 50)

enum disk_format {
    DISK_RAW, /* Also what the image API calls aki, ari and ami. */
    DISK_QCOW2,
    DISK_VMDK, /* monolithicSparse and streamOptimized only. */
    DISK_VHD,  /* fixed and dynamic. */
    DISK_VHDX,
    DISK_VDI,
    DISK_ISO,
    DISK_LUKS, /* Version 1. */
};

struct disk_info {
    enum disk_format format;
    uint64_t virtual_bytes; /* What a guest would see. */
    uint64_t file_bytes;    /* What was fed. */
    bool partitioned;       /* An MBR or GPT stands at the start: raw and iso only. */
};

/* The name the image API uses; aki, ari and ami are DISK_RAW. 0, or -EINVAL for a format that is
 * not known here or not supported (ploop). */
int disk_format_parse(const char *name, enum disk_format *ret);
const char *disk_format_name(enum disk_format format);
/* The driver of QEMU that reads it: for -f, -F and <driver type=>. */
const char *disk_format_driver(enum disk_format format);

struct disk_inspector;

/* Expects an image of the format 'declared'; anything else will be refused. Free with
 * disk_inspector_free(). */
struct disk_inspector *disk_inspector_new(enum disk_format declared);
void disk_inspector_free(struct disk_inspector *i);
void disk_inspector_freep(struct disk_inspector **i); /* For _cleanup_. */

/* The next 'size' bytes. Negative and a fault as soon as the image cannot be accepted any more; it
 * stays refused from then on. */
int disk_inspector_feed(struct disk_inspector *i, const void *data, size_t size, struct fault *f);

/* There are no more bytes: the verdict. */
int disk_inspector_finish(struct disk_inspector *i, struct disk_info *ret, struct fault *f);

/* For sources that can seek: the first offset, at or after the bytes fed so far, that the inspector
 * wants to see in an image of 'total' bytes; 'total' when there is none. */
uint64_t disk_inspector_wants(const struct disk_inspector *i, uint64_t total);
/* Leaves out the bytes up to 'offset', which disk_inspector_wants() answered. */
void disk_inspector_skip(struct disk_inspector *i, uint64_t offset);

/* Inspects an open regular file, reading only what is needed. Its position is not used or changed.
 */
int disk_inspect_file(int fd, enum disk_format declared, struct disk_info *ret, struct fault *f);
