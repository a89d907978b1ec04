/* The shapes that allocations have in bodies. */
#pragma once

#include "claims.h"

/* { consumer: { "allocations": ... } } of several consumers, as the request's version writes it, into claims. 'path' names the
 * object in messages. FAULT_INVALID. */
int allocations_parse(struct call *call, const json_t *object, const char *path,
                      struct consumer_claim **ret, size_t *ret_count, struct fault *f);
