/* Volume types: what their extra specs and access lists begin with. */
#pragma once

#include "service.h"

/* The type that the path names, by id or name; a private one that was not granted is one that does not exist. */
int type_load_visible(struct call *call, struct volume_type *ret, struct fault *f);
int type_not_found(const char *id, struct fault *f);

/* What a user may know of a type's extra specs: those that change what he can do with it. */
json_t *type_visible_specs(struct call *call, const json_t *all);
