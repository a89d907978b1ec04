/* Taking in an image's bytes: from the request's body into a file of the store, with checksums and the
 * inspection of what it is, in one pass and bounded memory. */
#pragma once

#include "digest.h"
#include "disk/inspect.h"
#include "http/body.h"
#include "image_api.h"
#include "store.h"

struct intake {
    int64_t size;
    int64_t virtual_size; /* -1: not known. */
    struct digests digests;
};

/* Reads to the end. 'image' says what the bytes must be; see intake_expect(). FAULT_INVALID: they are not,
 * or less came than was announced; FAULT_TOO_LARGE: more than 'cap' bytes, or the disk is full. */
int intake_run(struct http_request *request, struct store_file *file, const struct image *image,
               int64_t cap, struct intake *ret, struct fault *f);

/* What an image of these formats may be: a bare image is what its disk format says. In every other
 * container there may stand an archive, a kernel, a partition: something that is no disk image at
 * all; but if it is one it must be the declared one.
 * '*ret_declared': what is inspected first; '*ret_other_ok': anything that is no disk image will do. */
void intake_expect(const struct image *image, enum disk_format *ret_declared, bool *ret_other_ok);
