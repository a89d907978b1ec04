/* Routes: from method and path to the operations of a service.
 *
 * A tree by path segment, built once; literals win over parameters. Segments are compared after decoding, and a decoded
 * '/' or NUL never matches. */
#pragma once

#include "operation.h"

struct router;

struct route_match {
    const struct operation *const *operations; /* All of this path, any method. */
    size_t count;
    struct http_pair params[8];
    size_t params_count;
};

struct router *router_new(const struct operation *operations, size_t count);
void router_free(struct router *r);
/* False: no operation has this path. Parameters are decoded into 'a'. */
bool router_find(const struct router *r, const char *path, struct arena *a,
                 struct route_match *ret);

/* Two operations of one path may name its parameters differently: names them as 'o' does. */
void route_name_params(struct route_match *m, const struct operation *o, struct arena *a);
