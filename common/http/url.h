/* URLs: percent coding (RFC 3986) and query strings. */
#pragma once

#include <stddef.h>

#include "../base/arena.h"
#include "../base/fault.h"
#include "../base/str.h"
#include "request.h"

/* Decodes %XX; '+' stays. NULL on a bad escape, NUL or invalid UTF-8. */
char *url_decode(struct arena *a, const char *text, size_t size);
/* Encodes all but unreserved characters. */
char *url_encode(struct arena *a, const char *text);
/* Splits and decodes "a=1&b&c=x+y" ('+' is a space). */
int url_parse_query(struct arena *a, const char *text, struct http_pair **ret, size_t *ret_count,
                    struct fault *f);
/* Appends "?a=1" or "&a=1", encoded. */
void url_add_query(struct str *url, const char *name, const char *value);
