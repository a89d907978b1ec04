/* JSON out: a writer that appends to a buffer as it is told and builds no tree.
 *
 * Keys and commas are its business; the caller says what comes next:
 *   jsonw_object(&w, NULL); jsonw_text(&w, "id", id); jsonw_array(&w, "links"); ... jsonw_end(&w); jsonw_end(&w);
 * 'key' is NULL inside arrays and at the top. Misuse (a key in an array, an end too many) is asserted. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "str.h"

struct jsonw {
    struct str *out; /* Not owned. */
    unsigned depth;
    bool first[64]; /* Per level: nothing written yet. */
    char close[64]; /* Per level: what ends it. */
};

void jsonw_init(struct jsonw *w, struct str *out);
void jsonw_object(struct jsonw *w, const char *key);
void jsonw_array(struct jsonw *w, const char *key);
void jsonw_end(struct jsonw *w); /* Ends the innermost object or array. */
void jsonw_text(struct jsonw *w, const char *key, const char *value); /* NULL: null. */
void jsonw_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_double(struct jsonw *w, const char *key, double value);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
void jsonw_null(struct jsonw *w, const char *key);
void jsonw_json(struct jsonw *w, const char *key, const json_t *value); /* NULL: null. */
void jsonw_raw(struct jsonw *w, const char *key, const char *json,
               size_t size); /* Text that is JSON already. */
