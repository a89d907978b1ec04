/* The disk inspector under arbitrary bytes. The first byte chooses the declared format and the
 * chunk size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/disk/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk_info info;
    struct fault f = { 0 };
    size_t chunk;
    int r = 0;

    if (size < 1)
        return 0;
    struct disk_inspector *i = disk_inspector_new((enum disk_format)(data[0] % (DISK_LUKS + 1)));

    chunk = (data[0] >> 4) == 0 ? size : (size_t)1 << (data[0] >> 4);
    for (size_t at = 1; r == 0 && at < size; at += chunk)
        r = disk_inspector_feed(i, data + at, MIN(chunk, size - at), &f);
    r = disk_inspector_finish(i, &info, &f);
    if (r == 0 && (info.virtual_bytes == 0 || info.virtual_bytes > DISK_VIRTUAL_MAX))
        abort();
    if (r < 0 && f.kind != FAULT_INVALID)
        abort();
    disk_inspector_free(i);
    return 0;
}
