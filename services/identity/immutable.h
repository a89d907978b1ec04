/* The option "immutable" of projects, domains and roles: what has it is neither changed nor deleted until it is taken back. */
#pragma once

#include "service.h"

static inline bool
immutable_is_set(const struct immutable_option *options)
{
    return options != NULL && options->immutable;
}

/* May the body of this call change an object of that kind, which has 'old'? Only to take the option back, and nothing else. */
int immutable_check_update(struct call *call, const struct resource *r,
                           const struct immutable_option *old,
                           const struct immutable_option *options, const char *kind, const char *id,
                           struct fault *f);
int immutable_check_delete(const struct immutable_option *options, const char *kind, const char *id,
                           struct fault *f);

/* An option that is given as null is not there. */
void immutable_tidy(struct call *call, struct immutable_option **options);
