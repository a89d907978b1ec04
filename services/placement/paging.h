/* Pages of the lists below /OS-VIRGA: "limit" (1,000 unless given, 10,000 at most) and "marker", what the page before ended with. An answer says
 * in "next" the marker of the page that follows, null at the end. */
#pragma once

#include "service.h"

int paging_limit(struct call *call, int64_t *ret, struct fault *f);

/* FAULT_INVALID: the parameter is not what it must be. */
int paging_refuse(struct call *call, const char *name, struct fault *f);

/* Writes the member "next"; 'marker' NULL: this is the last page. */
void paging_next(struct jsonw *w, const char *marker);
