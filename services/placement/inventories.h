/* Inventories of one provider, as clients send them and as they are made true. */
#pragma once

#include "service.h"

/* One inventory with its defaults. */
struct inventory_in {
    const char *class_name;
    int64_t total, reserved, min_unit, max_unit, step_size;
    double allocation_ratio;
};

/* { class: inventory }. 'path' names the object in messages. FAULT_INVALID. */
int inventories_parse(struct call *call, const json_t *object, const char *path,
                      struct inventory_in **ret, size_t *ret_count, struct fault *f);

/* Both need the provider's row locked. */

/* Adds or changes these; others stay. FAULT_INVALID beginning with 'unknown': there is no such class. */
int inventories_merge(struct call *call, int64_t provider_id, const struct inventory_in *items,
                      size_t count, const char *unknown, struct fault *f);

/* Removes all but these. FAULT_CONFLICT beginning with 'conflict': one of them is used. */
int inventories_keep(struct call *call, int64_t provider_id, const char *uuid,
                     const struct inventory_in *items, size_t count, const char *conflict,
                     struct fault *f);
