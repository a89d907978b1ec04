/* Microversions: the header, its range, and comparison. A version is major * 1000 + minor. */
#pragma once

#include "../base/arena.h"
#include "../base/fault.h"
#include "../http/request.h"

#define VERSION(major, minor) ((major)*1000 + (minor))

/* From "2.96": 2096; negative if it is none. */
int version_parse(const char *text);
char *version_text(struct arena *a, int version);

/* What a request asks for: from OpenStack-API-Version ('type' picks the entry) or 'legacy_header' (NULL: none). No header: 'min'.
 * '*ret_asked' is the text that was sent, or NULL. FAULT_INVALID for a malformed one; FAULT_NOT_ACCEPTABLE outside min..max. */
int version_negotiate(const struct http_request *r, const char *type, const char *legacy_header,
                      int min, int max, int *ret, const char **ret_asked, struct fault *f);
