/* A table of nftables rules as a value: sets, maps, chains and their elements, which can be
 * compared.
 *
 * Makers (port_rules.c, router_rules.c) describe the whole table each time; ruleset_diff() prints
 * the commands that lead from one such value to another. nft runs them as one transaction: at every
 * instant the kernel has the old rules or the new ones, nothing between. What did not change is not
 * touched, so counters, sets of ten thousand elements and other ports' chains stay as they are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

struct ruleset {
    struct arena *arena;        /* Not owned. */
    const char *family, *table; /* "bridge", "virga" */
    struct ruleset_item *items; /* In the order they were added. */
    size_t count, capacity;
    struct map *index; /* "kind name key" to position + 1 */
};

void ruleset_init(struct ruleset *r, struct arena *a, const char *family, const char *table);
void ruleset_done(struct ruleset *r);

/* 'type' is all between the braces: "type ipv4_addr; flags interval;". A change of type is a new
 * object: give it a new name. */
void ruleset_set(struct ruleset *r, const char *name, const char *type);
void ruleset_map(struct ruleset *r, const char *name, const char *type);
/* 'value' NULL for a set's element. 'set' must have been added. Adding the same key twice keeps the
 * first. */
void ruleset_element(struct ruleset *r, const char *set, const char *key, const char *value);
/* 'base': "type filter hook forward priority 0; policy accept;", or NULL. 'rules': one per line, ""
 * for none. */
void ruleset_chain(struct ruleset *r, const char *name, const char *base, const char *rules);

/* Commands that make 'new' out of 'old' (NULL: whatever there is under that name goes, in the same
 * transaction). Returns how many objects change; 0 leaves 'out' alone. Chains are emptied and
 * filled, not replaced, so that others may jump to them all the time. */
size_t ruleset_diff(const struct ruleset *old, const struct ruleset *new_, struct str *out);
/* Adds an empty chain whose name is the digest of all that the set holds, and returns that name (in
 * the arena). Call it last: a table in the kernel with a chain of that name has these rules,
 * whoever wrote them. */
const char *ruleset_seal(struct ruleset *r);

/* Commands that remove the table, present or not. */
void ruleset_print_removal(const char *family, const char *table, struct str *out);
