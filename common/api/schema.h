/* Schemas at work: JSON into structs with every check the specification names, and back.
 *
 * Messages name the member by its dotted path and say what is wrong, in the words upstream's clients know. */
#pragma once

#include "../base/clock.h"
#include "../base/fault.h"
#include "../base/jsonw.h"
#include "field.h"

enum schema_mode {
    SCHEMA_CREATE,  /* Required members must be there; defaults are filled. */
    SCHEMA_UPDATE,  /* Only what is given; immutable and read-only members are refused. */
    SCHEMA_TRUSTED, /* From our own database or bus: types are checked, read-only members taken, unknown ones ignored. */
};

/* Parses 'json' into 'ret' (zeroed, s->size bytes). 'path' prefixes member names in messages ("server"). 'version': the
 * request's microversion as in struct field, 0: all fields. */
int schema_parse(const struct schema *s, const json_t *json, enum schema_mode mode, int version,
                 const char *path, struct arena *a, void *ret, struct fault *f);

/* Writes the object with all fields that are given (set) into 'w'. For the bus and for jsonb columns. */
void schema_write(const struct schema *s, const void *object, struct jsonw *w, const char *key);
json_t *schema_json(const struct schema *s, const void *object, struct arena *a);

/* Checks of one text value, for query parameters too; the second all that its field says. */
int schema_check_format(enum field_format format, const char *text, const char *name,
                        struct fault *f);
int schema_check_text(const struct field *field, const char *text, const char *path,
                      struct fault *f);
