/* Numbers and names, both ways: classes and traits as the database numbers them, aggregates as the mirror does. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map;

struct mirror_names {
    struct map *ids; /* Name to number + 1. */
    char **names;    /* By number; NULL: unused. */
    size_t count;
};

void mirror_names_done(struct mirror_names *n);
void mirror_names_set(struct mirror_names *n, int id, const char *name);
int mirror_names_id(const struct mirror_names *n, const char *name); /* -1: none. */
int mirror_names_intern(struct mirror_names *n,
                        const char *name); /* The number it has, or the next one. */
const char *mirror_names_get(const struct mirror_names *n, int id); /* NULL: none. */
