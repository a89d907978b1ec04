/* The inspector: windows on a stream, recognition, and the rule that declared and found must agree.
 *
 * Recognition follows QEMU's own probing (its drivers' bdrv_probe functions), because what matters
 * is whether some tool, on some path that forgot to name the format, could take the bytes for
 * something else. A file that two formats recognise is refused whatever it was declared as. */
#include "inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/str.h"
#include "format.h"

static const struct {
    const char *name;
    enum disk_format format;
    const char *driver;
} names[] = {
    { "raw", DISK_RAW, "raw" }, { "qcow2", DISK_QCOW2, "qcow2" }, { "vmdk", DISK_VMDK, "vmdk" },
    { "vhd", DISK_VHD, "vpc" }, { "vhdx", DISK_VHDX, "vhdx" },    { "vdi", DISK_VDI, "vdi" },
    { "iso", DISK_ISO, "raw" }, { "luks", DISK_LUKS, "luks" },    { "aki", DISK_RAW, "raw" },
    { "ari", DISK_RAW, "raw" }, { "ami", DISK_RAW, "raw" },
};

const struct disk_kind disk_kinds[] = {
    { DISK_QCOW2, false, "qcow2", qcow2_match, qcow2_start, qcow2_finish },
    { DISK_VMDK, false, "vmdk", vmdk_match, vmdk_start, vmdk_finish },
    { DISK_VHD, false, "vhd", vhd_match, vhd_start, vhd_finish },
    { DISK_VHDX, false, "vhdx", vhdx_match, vhdx_start, vhdx_finish },
    { DISK_VDI, false, "vdi", vdi_match, vdi_start, NULL },
    { DISK_LUKS, false, "luks", luks_match, luks_start, luks_finish },
    { DISK_ISO, false, "iso", iso_match, iso_start, NULL },
    { DISK_RAW, true, "a format that is not supported", foreign_match, NULL, NULL },
};
const size_t disk_kinds_count = ARRAY_SIZE(disk_kinds);

int
disk_format_parse(const char *name, enum disk_format *ret)
{
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        if (str_equal(names[n].name, name)) {
            *ret = names[n].format;
            return 0;
        }
    }
    return -EINVAL;
}

const char *
disk_format_name(enum disk_format format)
{
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        if (names[n].format == format)
            return names[n].name;
    }
    return "unknown";
}

const char *
disk_format_driver(enum disk_format format)
{
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        if (names[n].format == format)
            return names[n].driver;
    }
    return "raw";
}

struct disk_inspector *
disk_inspector_new(enum disk_format declared)
{
    struct disk_inspector *i = memory_calloc(1, sizeof(*i));

    i->declared = declared;
    return i;
}

void
disk_inspector_free(struct disk_inspector *i)
{
    if (i == NULL)
        return;
    free(i->window.data);
    free(i);
}

void
disk_inspector_freep(struct disk_inspector **i)
{
    disk_inspector_free(*i);
}

int
disk_refuse(struct fault *f, const char *format, ...)
{
    char why[512];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return fault_raise(f, FAULT_INVALID, "The image is not acceptable: %s.", why);
}

bool
disk_head_has(const struct disk_inspector *i, size_t offset, const void *bytes, size_t size)
{
    return offset + size <= i->head_size && memcmp(i->head + offset, bytes, size) == 0;
}

const uint8_t *
disk_tail(const struct disk_inspector *i, size_t before_end, size_t size)
{
    if (before_end + size > i->tail_size)
        return NULL;
    return i->tail + (i->tail_size - before_end - size);
}

bool
disk_all_zero(const uint8_t *data, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        if (data[n] != 0)
            return false;
    }
    return true;
}

int
disk_check_virtual(uint64_t bytes, struct fault *f)
{
    if (bytes == 0)
        return disk_refuse(f, "its disk has no size");
    if (bytes > DISK_VIRTUAL_MAX)
        return disk_refuse(f, "its disk claims a size beyond 1 PiB");
    return 0;
}

int
disk_want_window(struct disk_inspector *i, uint64_t offset, uint64_t size, struct fault *f)
{
    if (size == 0 || size > WINDOW_MAX || offset > INT64_MAX - size)
        return disk_refuse(f, "its header points to a table that is too large or out of range");
    i->window = (struct window){ .offset = offset, .size = (size_t)size };
    i->window.data = memory_alloc(i->window.size);
    return 0;
}

int
disk_window(struct disk_inspector *i, const uint8_t **ret, size_t *ret_size, struct fault *f)
{
    if (i->window.size == 0 || i->window.filled < i->window.size)
        return disk_refuse(f, "it ends before the table that its header points to");
    *ret = i->window.data;
    *ret_size = i->window.size;
    return 0;
}

/* The part of [offset, offset + size) that lies in [start, start + length): where in 'data', and
 * how much. */
static size_t
overlap(uint64_t offset, size_t size, uint64_t start, uint64_t length, size_t *ret_at)
{
    uint64_t from = MAX(offset, start), to = MIN(offset + size, start + length);

    if (from >= to)
        return 0;
    *ret_at = (size_t)(from - offset);
    return (size_t)(to - from);
}

static int
feed_table(struct disk_inspector *i, struct table *t, const uint8_t *data, size_t size,
           struct fault *f)
{
    for (size_t n = 0; n < size; n++) {
        t->partial = t->partial << 8 | data[n];
        if (++t->seen % 8 != 0)
            continue;
        int r = t->check(i, t, t->partial, f);
        if (r < 0)
            return r;
        t->partial = 0;
    }
    return 0;
}

/* Hands bytes at 'offset' to what the header asked for. */
static int
feed_places(struct disk_inspector *i, uint64_t offset, const uint8_t *data, size_t size,
            struct fault *f)
{
    struct window *w = &i->window;
    size_t at = 0, part;

    part = overlap(offset, size, w->offset, w->size, &at);
    if (part > 0) {
        memcpy(w->data + (offset + at - w->offset), data + at, part);
        w->filled += part;
    }
    for (size_t n = 0; n < ARRAY_SIZE(i->tables); n++) {
        struct table *t = &i->tables[n];

        part = overlap(offset, size, t->offset, t->size, &at);
        if (part == 0)
            continue;
        int r = feed_table(i, t, data + at, part, f);
        if (r < 0)
            return r;
    }
    return 0;
}

static void
feed_tail(struct disk_inspector *i, const uint8_t *data, size_t size)
{
    size_t keep;

    if (size >= TAIL_SIZE) {
        memcpy(i->tail, data + size - TAIL_SIZE, TAIL_SIZE);
        i->tail_size = TAIL_SIZE;
        return;
    }
    keep = MIN(i->tail_size, TAIL_SIZE - size);
    memmove(i->tail, i->tail + i->tail_size - keep, keep);
    memcpy(i->tail + keep, data, size);
    i->tail_size = keep + size;
}

static const struct disk_kind *
kind_of(enum disk_format format)
{
    for (size_t n = 0; n < disk_kinds_count; n++) {
        if (!disk_kinds[n].foreign && disk_kinds[n].format == format)
            return &disk_kinds[n];
    }
    return NULL; /* Raw. */
}

/* Says what the head looks like and compares it with what was declared. */
static int
check_agreement(const struct disk_inspector *i, struct fault *f)
{
    const struct disk_kind *found = NULL;

    for (size_t n = 0; n < disk_kinds_count; n++) {
        if (!disk_kinds[n].match(i))
            continue;
        if (found != NULL)
            return disk_refuse(f, "its bytes are %s and %s at once", found->name,
                               disk_kinds[n].name);
        found = &disk_kinds[n];
    }
    if (found == NULL && (i->declared == DISK_RAW || i->declared == DISK_VHD))
        return 0; /* A fixed VHD is known by its footer only. */
    if (found == NULL)
        return disk_refuse(f, "it is declared as %s, but has no such header",
                           disk_format_name(i->declared));
    if (found->foreign || found->format != i->declared)
        return disk_refuse(f, "it is declared as %s, but its bytes are %s",
                           disk_format_name(i->declared), found->name);
    return 0;
}

static int
start(struct disk_inspector *i, struct fault *f)
{
    const struct disk_kind *kind = kind_of(i->declared);
    int r;

    i->started = true;
    if (i->head_size == 0)
        return disk_refuse(f, "it is empty");
    r = check_agreement(i, f);
    if (r < 0)
        return r;
    if (kind != NULL) {
        r = kind->start(i, f);
        if (r < 0)
            return r;
    }
    return feed_places(i, 0, i->head, i->head_size, f);
}

static int
feed(struct disk_inspector *i, const uint8_t *data, size_t size, struct fault *f)
{
    size_t part;
    int r;

    feed_tail(i, data, size);
    if (!i->started) {
        part = MIN(size, HEAD_SIZE - i->head_size);
        memcpy(i->head + i->head_size, data, part);
        i->head_size += part;
        i->offset += part;
        data += part;
        size -= part;
        if (i->head_size == HEAD_SIZE) {
            r = start(i, f);
            if (r < 0)
                return r;
        }
    }
    if (size == 0)
        return 0;
    r = feed_places(i, i->offset, data, size, f);
    i->offset += size;
    return r;
}

/* Keeps the verdict, so that a caller that goes on feeding hears it again. */
static int
remember(struct disk_inspector *i, int r, struct fault *f)
{
    if (r < 0 && !i->refused) {
        i->refused = true;
        i->why = *f;
    }
    return r;
}

int
disk_inspector_feed(struct disk_inspector *i, const void *data, size_t size, struct fault *f)
{
    if (i->refused) {
        *f = i->why;
        return -EINVAL;
    }
    return remember(i, feed(i, data, size, f), f);
}

static int
finish(struct disk_inspector *i, struct disk_info *ret, struct fault *f)
{
    const struct disk_kind *kind = kind_of(i->declared);
    int r;

    if (!i->started) {
        r = start(i, f);
        if (r < 0)
            return r;
    }
    if (i->declared != DISK_VHD && vhd_match_tail(i))
        return disk_refuse(f, "it is declared as %s, but ends as a vhd does",
                           disk_format_name(i->declared));
    for (size_t n = 0; n < ARRAY_SIZE(i->tables); n++) {
        if (i->tables[n].seen < i->tables[n].size)
            return disk_refuse(f, "it ends before a table that its header points to");
    }
    if (kind == NULL || i->declared == DISK_ISO)
        i->facts.virtual_bytes = i->offset;
    if (kind != NULL && kind->finish != NULL) {
        r = kind->finish(i, f);
        if (r < 0)
            return r;
    }
    if (i->facts.highest > i->offset)
        return disk_refuse(f, "it is cut short: %llu bytes of at least %llu",
                           (unsigned long long)i->offset, (unsigned long long)i->facts.highest);
    r = disk_check_virtual(i->facts.virtual_bytes, f);
    if (r < 0)
        return r;
    *ret = (struct disk_info){
        .format = i->declared,
        .virtual_bytes = i->facts.virtual_bytes,
        .file_bytes = i->offset,
        .partitioned = (i->declared == DISK_RAW || i->declared == DISK_ISO) &&
                       disk_head_has(i, 510, "\x55\xaa", 2),
    };
    return 0;
}

int
disk_inspector_finish(struct disk_inspector *i, struct disk_info *ret, struct fault *f)
{
    if (i->refused) {
        *f = i->why;
        return -EINVAL;
    }
    return remember(i, finish(i, ret, f), f);
}

/* The first offset at or after 'from' in a place of 'length' bytes at 'start'; 'none' when it has
 * passed. */
static uint64_t
next_in(uint64_t from, uint64_t start, uint64_t length, uint64_t none)
{
    if (length == 0 || from >= start + length)
        return none;
    return MIN(MAX(from, start), none);
}

uint64_t
disk_inspector_wants(const struct disk_inspector *i, uint64_t total)
{
    uint64_t at, tail = total > TAIL_SIZE ? total - TAIL_SIZE : 0;

    if (!i->started || i->offset >= tail)
        return MIN(i->offset, total);
    at = tail;
    at = next_in(i->offset, i->window.offset, i->window.size, at);
    for (size_t n = 0; n < ARRAY_SIZE(i->tables); n++)
        at = next_in(i->offset, i->tables[n].offset, i->tables[n].size, at);
    return at;
}

void
disk_inspector_skip(struct disk_inspector *i, uint64_t offset)
{
    if (offset > i->offset) {
        i->offset = offset;
        i->tail_size = 0;
    }
}
