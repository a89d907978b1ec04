/* The places in an endpoint's URL that stand for something of the token: "%(project_id)s", or "$(project_id)s".
 *
 * Pure text; nothing here knows of requests or tables. */
#pragma once

#include "base/fault.h"
#include "base/str.h"

/* Do all the places name something there is? A '%' itself is written "%%". */
int endpoint_url_check(const char *url, struct fault *f);

/* The URL with its places filled, in arena 'a'. NULL where the token has nothing to fill them with (no project), or where a
 * stored URL is none: the endpoint is then not in its catalogue. */
const char *endpoint_url_fill(struct arena *a, const char *url, const char *project_id,
                              const char *user_id);
