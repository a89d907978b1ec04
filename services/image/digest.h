/* Checksums of a stream: MD5 (what old clients verify) and SHA-512 (what new ones do), each in a
 * thread of its own, because both together are slower than a disk.
 *
 * The bytes pass through a ring of buffers: fill the one that digest_buffer() gives, then
 * digest_submit() it; it may still be read by the caller until digest_buffer() returns it again.
 * One thread fills. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

enum { DIGEST_BUFFER = 1024 * 1024 };

struct digest;

struct digest *digest_new(void);
void digest_freep(struct digest **d); /* For _cleanup_; at any moment. */

char *digest_buffer(struct digest *d); /* DIGEST_BUFFER bytes; waits until one is free. */
void digest_submit(struct digest *d, size_t size);

struct digests {
    char md5[33], sha512[129]; /* Lower case hexadecimal. */
};
/* Of all that was submitted. Once. */
void digest_finish(struct digest *d, struct digests *ret);
