/* JSON Patch as the Image API has it, in its two media types: v2.1 is RFC 6902 with 'op' and 'path', v2.0 has the
 * operation's name as the key: {"replace": "/name", "value": ...}. Only add, replace and remove, and only on the
 * members of an image, never inside of them. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"

enum patch_media { PATCH_V2_0, PATCH_V2_1 };

enum patch_op { PATCH_ADD, PATCH_REPLACE, PATCH_REMOVE };

struct patch_change {
    enum patch_op op;
    const char *name;    /* Of the member, decoded. */
    const json_t *value; /* NULL with PATCH_REMOVE. */
};

/* FAULT_MEDIA_TYPE for any other Content-Type. */
int patch_media_find(const char *content_type, enum patch_media *ret, struct fault *f);

/* The changes in their order; text and values live as long as 'body' and 'a'. FAULT_INVALID says what is wrong. */
int patch_parse(struct arena *a, const json_t *body, enum patch_media media,
                struct patch_change **ret, size_t *ret_count, struct fault *f);

/* Applies them. 'properties' are the image's own, and are changed; members that the schema knows go into 'members'. 'is_member': does the schema
 * know that name. FAULT_CONFLICT for what is not there, FAULT_FORBIDDEN for removing what every image has. */
int patch_apply(const struct patch_change *changes, size_t count, enum patch_media media,
                bool (*is_member)(const char *name), json_t *members, json_t *properties,
                struct fault *f);

/* One token of a JSON pointer (RFC 6901) of one token; NULL if it is anything else. */
char *patch_pointer(struct arena *a, const char *text);
