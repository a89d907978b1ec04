/* Mapping rules: from what an identity provider says of somebody to who he is here, as OS-FEDERATION's mappings say it.
 *
 * Pure: no database, no clock, no configuration. A rule whose "remote" part holds for the assertion adds its "local" part, in
 * which "{0}", "{1}"... are the values that the remote part let through, in its order. What a value looks like never matters to
 * the structure of the result: a value is a value, also when it has brackets, braces or semicolons in it.
 *
 * Bounded whatever the assertion is: by the limits below, and for regular expressions by a number of steps. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/fault.h"
#include "db/db.h"

enum {
    MAPPING_RULES_MAX = 256,
    MAPPING_PARTS_MAX = 64,      /* Members of a rule's "local" and "remote". */
    MAPPING_VALUES_MAX = 1024,   /* Of one condition. */
    MAPPING_GROUPS_MAX = 1024,   /* Of one result. */
    MAPPING_TEXT_MAX = 4096,     /* Bytes of a text with its values put in. */
    ASSERTION_MAX = 256,         /* Attributes. */
    ASSERTION_VALUES_MAX = 1024, /* Of one attribute. */
};

struct attribute {
    const char *name;
    struct texts values;
};

struct assertion {
    struct attribute *items;
    size_t count;
};

/* The attribute's values, or NULL. */
const struct texts *assertion_find(const struct assertion *a, const char *name);
/* Adds an attribute, or values to one that is there. False: it has no room left. */
bool assertion_add(struct arena *arena, struct assertion *a, const char *name, const char *value);

struct mapped_domain {
    const char *id, *name; /* Both NULL: none was said. */
};
struct mapped_group {
    const char *name;
    struct mapped_domain domain;
};
struct mapped_project {
    const char *name;
    struct mapped_domain domain; /* Version 2.0 only. */
    struct texts roles;          /* Names. */
};

struct mapped {
    bool local; /* "type": "local": an account that must exist already. */
    const char *user_id, *user_name, *email;
    struct mapped_domain user_domain;
    struct texts group_ids;
    struct mapped_group *groups;
    size_t groups_count;
    struct mapped_project *projects;
    size_t projects_count;
};

/* Has the document the form of rules, and do its regular expressions compile? FAULT_INVALID says where not. */
int mapping_check(const json_t *rules, bool version_2, struct fault *f);

/* FAULT_INVALID: no rule holds, or one cannot be applied; the message is for the operator. */
int mapping_apply(struct arena *a, const json_t *rules, bool version_2,
                  const struct assertion *assertion, struct mapped *ret, struct fault *f);
