/* Faults as JSON: how they cross the bus and are kept with a saga. */
#pragma once

#include <jansson.h>

#include "arena.h"
#include "fault.h"

/* {"kind": "CONFLICT", "field": "", "code": "", "message": "...", "cause": "..."}; owned by the arena. */
json_t *fault_to_json(struct arena *a, const struct fault *f);

/* What is missing or of another type is left empty; an unknown kind is FAULT_INTERNAL. Never FAULT_NONE. */
void fault_from_json(const json_t *value, struct fault *ret);
