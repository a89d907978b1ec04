/* Parts of a token's body that are kept rendered, so that showing a token asks nobody: made when they are not there, and only while this
 * daemon hears of what would change them (watch.h). */
#pragma once

#include "catalog_cache.h"
#include "service.h"

/* Writes one JSON value. Returns 1 when it is for this request only. */
typedef int (*kept_text_fn)(struct call *call, const void *object, struct jsonw *w,
                            struct fault *f);

/* '*ret' lives as long as the call. In the I/O thread it is what is kept, or call_decline(). */
int kept_text(struct call *call, struct catalog_cache *cache, const char *key, kept_text_fn render,
              const void *object, const char **ret, size_t *ret_size, struct fault *f);
