/* Fields: the rows that describe a JSON object and the C struct it is parsed into.
 *
 * Generated from api-specs (see api-specs/README.md). A schema is a table of fields; every generated struct starts
 * with a 'struct field_set set', so that absent, null and given are three things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/compiler.h"
#include "../db/db.h"

/* What a field is in C:                       in JSON:                     in PostgreSQL: */
enum field_type {
    T_TEXT,   /* const char *                        string                       text */
    T_INT,    /* int64_t                             integer                      bigint, integer */
    T_NUMBER, /* double                              number                       double precision */
    T_BOOL,   /* bool                                true, false                  boolean */
    T_TIME,   /* int64_t, microseconds UTC           string, in the dialect's way timestamptz */
    T_ENUM,   /* int (an enum)                       string                       text */
    T_TEXTS,  /* struct texts                        array of strings             jsonb */
    T_JSON,   /* json_t *                            anything                     jsonb */
    T_OBJECT,  /* struct x *                          object                       jsonb */
    T_OBJECTS, /* struct x *; size_t (count)          array of objects             jsonb */
};

enum field_flag {
    F_READ_ONLY = 1 << 0,  /* Refused in requests. */
    F_WRITE_ONLY = 1 << 1, /* Never rendered. */
    F_REQUIRED = 1 << 2,   /* On create, and in request bodies. */
    F_NULL = 1 << 3,       /* null is accepted. */
    F_IMMUTABLE = 1 << 4,  /* Not accepted on update. */
    F_SORT = 1 << 5,
    F_NO_COLUMN = 1 << 6, /* Computed, or input only. */
    F_DETAIL = 1 << 7,    /* Rendered in the detail view only. */
    F_HIDE_NULL = 1 << 8,
    F_ALIAS = 1 << 9, /* Second JSON name of another field's column. */
    F_COERCE = 1 << 10,
    F_UNIQUE_ITEMS = 1 << 11,
    F_TEXT_VALUES = 1 << 12,  /* T_JSON: an object whose values are strings of 0..255 characters. */
    F_ANY_OBJECT = 1 << 13,   /* T_JSON: must be an object. */
    F_ANY_ARRAY = 1 << 14,    /* T_JSON: must be an array. */
    F_DEFAULT = 1 << 15,      /* 'fallback' fills an absent member on create. */
    F_SUMMARY_ONLY = 1 << 16, /* Rendered in the summary view only. */
    F_SPREAD = 1 << 17,       /* T_JSON: texts whose members stand beside the other fields. */
    F_GET_ONLY = 1 << 18,     /* Rendered by list and show, not by create and update. */
    F_SPREAD_ANY = 1 << 19,   /* F_SPREAD of any values; an update adds to what is there. */
};

enum field_filter {
    FILTER_EQ = 1 << 0,
    FILTER_NE = 1 << 1,
    FILTER_LIKE = 1 << 2, /* name~=x, name__contains */
    FILTER_PREFIX = 1 << 3,
    FILTER_IN = 1 << 4,
    FILTER_GT = 1 << 5,
    FILTER_LT = 1 << 6,
    FILTER_REGEX = 1 << 7,
};

enum field_format {
    FORMAT_NONE,
    FORMAT_UUID,
    FORMAT_UUID_HEX, /* 32 digits or a UUID with dashes */
    FORMAT_IPV4,
    FORMAT_IPV6,
    FORMAT_IP,
    FORMAT_CIDR,
    FORMAT_MAC,
    FORMAT_NAME, /* No leading or trailing blanks. */
    FORMAT_HOSTNAME,
    FORMAT_URI,
};

/* Every generated struct's first member: one bit per field, by its index. */
struct field_set {
    uint64_t given[2];
    uint64_t null[2];
};

static inline bool
field_given(const struct field_set *set, unsigned index)
{
    return (set->given[index / 64] >> (index % 64) & 1) != 0;
}

static inline bool
field_null(const struct field_set *set, unsigned index)
{
    return (set->null[index / 64] >> (index % 64) & 1) != 0;
}

static inline void
field_mark(struct field_set *set, unsigned index)
{
    set->given[index / 64] |= UINT64_C(1) << (index % 64);
    set->null[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

/* Given, and null. For text and JSON the pointer is NULL as well. */
static inline void
field_mark_null(struct field_set *set, unsigned index)
{
    set->given[index / 64] |= UINT64_C(1) << (index % 64);
    set->null[index / 64] |= UINT64_C(1) << (index % 64);
}

/* As if it had not been given. */
static inline void
field_unmark(struct field_set *set, unsigned index)
{
    set->given[index / 64] &= ~(UINT64_C(1) << (index % 64));
    set->null[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

struct schema;

struct field {
    const char *name;   /* JSON */
    const char *column; /* NULL: F_NO_COLUMN */
    enum field_type type;
    uint32_t flags;
    uint32_t filters;
    enum field_format format;
    size_t offset;               /* In the struct. */
    size_t count_offset;         /* T_OBJECTS: of the count. */
    const struct schema *object; /* T_OBJECT, T_OBJECTS */
    const char *const
        *names; /* T_ENUM: texts by value, NULL-terminated. T_TEXT: allowed values or NULL. */
    const char *pattern;            /* POSIX extended regular expression, or NULL. */
    const char *fallback;           /* JSON text; with F_DEFAULT. */
    int64_t min_length, max_length; /* T_TEXT characters; arrays items. -1: any. */
    /* T_TEXTS: characters of an item, 0: any; 'pattern' is about them too. */
    int64_t item_min, item_max;
    double min, max; /* Numbers; with has_min, has_max. */
    bool has_min, has_max;
    int since, until;    /* Microversions as major * 1000 + minor; 0: always. */
    bool has_policy;     /* Rules "<operation's rule>:<name>" may exist. */
    uint32_t pattern_id; /* Index in the process's compiled patterns + 1; see schema.c. */
};

struct schema {
    const char *name; /* "snapshot" */
    const struct field *fields;
    size_t count;
    size_t size;        /* Of the struct. */
    bool open;          /* Unknown members are ignored, not refused. */
    size_t min_members; /* Of an update's body. */
};

/* Address of a field's member. */
static inline void *
field_at(const struct field *f, void *object)
{
    return (char *)object + f->offset;
}

static inline const void *
field_at_const(const struct field *f, const void *object)
{
    return (const char *)object + f->offset;
}
