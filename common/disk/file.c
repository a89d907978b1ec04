/* Inspection of a file: the same inspector, fed only with the parts it wants. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect.h"

int
disk_inspect_file(int fd, enum disk_format declared, struct disk_info *ret, struct fault *f)
{
    _cleanup_(disk_inspector_freep) struct disk_inspector *i = disk_inspector_new(declared);
    uint8_t data[16384];
    struct stat st;
    uint64_t total, at = 0;

    if (fstat(fd, &st) < 0)
        return fault_raise_cause(f, "fstat: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_raise(f, FAULT_INVALID, "The image is not a regular file.");
    total = (uint64_t)st.st_size;

    while ((at = disk_inspector_wants(i, total)) < total) {
        size_t want = (size_t)MIN(sizeof(data), total - at);
        ssize_t n = pread(fd, data, want, (off_t)at);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_raise_cause(f, "pread: %s", strerror(errno));
        if (n == 0)
            break; /* It shrank meanwhile: judged by what was there. */
        disk_inspector_skip(i, at);
        r = disk_inspector_feed(i, data, (size_t)n, f);
        if (r < 0)
            return r;
    }
    return disk_inspector_finish(i, ret, f);
}
