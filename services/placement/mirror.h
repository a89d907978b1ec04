/* The mirror: all providers, with inventories, usage, traits, aggregates and trees, in this process's memory, current at every read.
 *
 * The truth is in PostgreSQL; any number of placement daemons write there. Each transaction that changes anything of a
 * provider leaves its transaction id in provider_change. The mirror remembers the snapshot (pg_current_snapshot()) of its last
 * read and asks for the providers whose last change that snapshot did not see, and then for their whole state. So:
 *   - nothing is missed: a transaction is either seen by the old snapshot, and was read then, or it is not, and is read as soon
 *     as it has committed, however late that is and whatever committed before it. A sequence number, or "newer than the last I
 *     read", would skip a transaction that began early and committed late;
 *   - nothing is awaited: a long transaction of somebody else delays nobody's view, as waiting for the oldest running one would;
 *   - order doesn't matter: what is read is state, not a difference, at least as new as the snapshot that is remembered;
 *   - a gap is harmless: after a restart of the database, a lost connection or a failed read the old snapshot still says what to
 *     ask for. Should the transaction ids have gone back (a database restored from a copy), everything is read again.
 * A read that finds nothing changed costs one index probe. Readers that come while one is refreshing share the next refresh.
 *
 * Thread-safe. Readers hold the mirror between mirror_read() and mirror_done(), and must not do I/O in between. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "base/uuid.h"
#include "db/db.h"

struct mirror;
struct mirror_index;

struct mirror_stock {
    int32_t class_id;
    int64_t total, reserved, min_unit, max_unit, step_size, used;
    double allocation_ratio;
};

struct mirror_provider {
    int64_t id, parent_id, root_id; /* 'parent_id' 0 at a root. */
    int64_t generation, updated_us;
    struct mirror_provider *parent; /* NULL at a root. */
    struct mirror_tree *tree;
    char *name;
    struct mirror_stock *stocks; /* By class. */
    int32_t *traits;             /* Ascending. */
    int32_t *aggregates;         /* Numbers that the mirror gives to UUIDs. */
    uint32_t stocks_count, traits_count, aggregates_count;
    bool sharing; /* Trait MISC_SHARES_VIA_AGGREGATE. */
    char uuid[UUID_TEXT];
};

struct mirror_tree {
    int64_t root_id;
    struct mirror_provider **members; /* By number; the root is among them. */
    uint32_t count, capacity;
    uint64_t epoch; /* Forks of later epochs have it too: then it is replaced, not changed. */
};

/* What the mirror was at one moment, to be read for as long as one likes while the mirror goes on: trees that change are copied then. */
struct mirror_fork {
    struct mirror_tree **trees;       /* As mirror_trees(). */
    struct mirror_provider **sharing; /* As mirror_sharing(). */
    size_t trees_count, sharing_count;
};

struct mirror *mirror_new(void);
void mirror_free(struct mirror *m);

/* Brings it up to date with everything committed before the call. */
int mirror_refresh(struct mirror *m, struct db *db, struct fault *f);

/* The same, and holds it for reading. */
int mirror_read(struct mirror *m, struct db *db, struct fault *f);
void mirror_done(struct mirror *m);

/* Brings it up to date, forks it, and holds it: for looking up names, until mirror_done(). Takes a moment even of 100,000
 * providers. End the fork with mirror_fork_done(), which may be long after. */
int mirror_fork(struct mirror *m, struct db *db, struct mirror_fork *ret, struct fault *f);
void mirror_fork_done(struct mirror *m, struct mirror_fork *fork);

/* All that follows: while it is held. */
struct mirror_tree *const *mirror_trees(const struct mirror *m,
                                        size_t *ret_count); /* By number of their roots. */
struct mirror_provider *const *mirror_providers(const struct mirror *m,
                                                size_t *ret_count); /* By number. */
struct mirror_provider *const *mirror_sharing(const struct mirror *m,
                                              size_t *ret_count); /* Those that share. */
const struct mirror_index *mirror_index(const struct mirror *m);  /* Of its trees: mirror_index.h */
const struct mirror_provider *mirror_find(const struct mirror *m,
                                          const char *uuid); /* NULL: none. */
struct mirror_provider *mirror_root(const struct mirror_provider *p);

int mirror_class_id(const struct mirror *m, const char *name); /* -1: none. */
int mirror_trait_id(const struct mirror *m, const char *name);
int mirror_aggregate_id(const struct mirror *m, const char *uuid);
const char *mirror_class_name(const struct mirror *m, int id);
const char *mirror_trait_name(const struct mirror *m, int id);

const struct mirror_stock *mirror_stock(const struct mirror_provider *p,
                                        int class_id); /* NULL: none. */
bool mirror_has_trait(const struct mirror_provider *p, int trait_id);
bool mirror_in_aggregate(const struct mirror_provider *p, int aggregate_id);

/* Lines of /metrics. */
void mirror_metrics(struct mirror *m, struct str *out);
