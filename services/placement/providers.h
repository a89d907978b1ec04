/* Resource providers on the wire. */
#pragma once

#include "service.h"

/* What of a provider its representation shows. */
struct provider_view {
    const char *uuid, *name, *parent_uuid, *root_uuid; /* 'parent_uuid' NULL at a root. */
    int64_t generation;
};

void provider_write(struct call *call, const struct provider_view *p, struct jsonw *w);
