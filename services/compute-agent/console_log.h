/* The end of a guest's console log, read as a ring: the file and the older part that was rotated away. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

/* The last 'bytes' of '<path>.0' followed by 'path'. A log that is not there yet is empty. */
int console_log_tail(struct arena *a, const char *path, int64_t bytes, const char **ret,
                     size_t *ret_size, struct fault *f);

/* The last 'lines' of 'text' (-1: all). */
const char *console_log_lines(const char *text, size_t size, int64_t lines, size_t *ret_size);

/* Valid UTF-8 for JSON: what is not becomes U+FFFD, NUL is left out; CR LF stays as the guest wrote it. */
char *console_log_text(struct arena *a, const char *data, size_t size);

/* virtlogd keeps logs small; where QEMU writes itself nobody does: a log over 8 MiB is cut to an older part of 1 MiB and an
 * empty file (QEMU appends, so it goes on at the start). */
void console_log_bound(const char *path);
