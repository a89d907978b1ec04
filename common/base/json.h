/* JSON in: jansson with the limits and strictness that a server needs, and short getters. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "fault.h"

/* Parses one document. Refuses: more than 'size' says, trailing bytes, duplicate keys, NUL in text, invalid
 * UTF-8, nesting deeper than 64. The value belongs to the arena. FAULT_INVALID on anything else. */
int json_read(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f);

/* The same, but an integer may have any number of digits, as in Python: beyond 63 bits its value is the nearest that has them, while json_repr(),
 * json_wide_number() and json_wide_text() with the same arena know what it was. */
int json_read_wide(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f);

double json_wide_number(struct arena *a, const json_t *value); /* Of an integer or real. */
/* The digits of an integer that came of a document; one of several that are beyond 63 bits stands for all. */
const char *json_wide_text(struct arena *a, int64_t value);

/* Gives the arena a reference that the caller has; returns the value, for nesting calls. */
json_t *json_own(struct arena *a, json_t *value);

/* Members of an object; NULL, 0 or false when absent or of another type. Borrowed. */
const char *json_get_text(const json_t *object, const char *key);
int64_t json_get_int(const json_t *object, const char *key);
bool json_get_bool(const json_t *object, const char *key);

/* Is 'text' among the elements? */
bool json_has_text(const json_t *array, const char *text);

/* As Python writes it ('text', None, True, [1, 'x']): the way upstream's messages show values. */
char *json_repr(struct arena *a, const json_t *value);

/* Compact text in the arena. */
char *json_text(struct arena *a, const json_t *value);

/* For _cleanup_(json_decrefp) on a plain json_t pointer (jansson's json_auto_t does the same). */
