/* Images: what they mean beyond being stored. Reading them is the resource engine's work; here is who may see
 * which in a list, what a new one must be, and what their states allow. The wire follows the Image API v2. */
#pragma once

#include "service.h"

/* The image the path names, if the caller may see it (else 404), and enforces 'rule' on it (403). With 'lock' in
 * a transaction: FOR UPDATE. */
int image_get(struct call *call, const char *rule, bool lock, struct image *ret, struct fault *f);

/* May a client name a property so, or set this member? FAULT_FORBIDDEN for read-only and reserved ones.
 * 'changing': of an image that exists. */
int image_check_writable(const char *name, bool changing, struct fault *f);

/* Limits on the numbers of tags and properties, and the rules for visibility and owner. 'old': NULL for a new image. */
int image_check_change(struct call *call, const struct image *old, struct image *row,
                       struct fault *f);

/* Each tag once, each of at most 255 characters. */
int image_clean_tags(struct arena *a, struct texts *tags, struct fault *f);
