/* Locks and refreshes; what is in the mirror is mirror_state.c's. */
#include "mirror.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mirror_state.h"

/* Sees no transaction: a read after it gets everything. */
#define EMPTY_SNAPSHOT "1:1:"

struct mirror {
    pthread_mutex_t
        refresh;           /* Who reads the database for all. Before 'lock' where both are taken. */
    pthread_rwlock_t lock; /* Of 'state'. */
    struct mirror_state state;
    char *snapshot;      /* What 'state' is of. Under 'refresh', like the next two. */
    bool incomplete;     /* Everything must be read again. */
    uint64_t reconnects; /* Of the pool, when that was last asked. */
    atomic_uint_fast64_t started, done; /* Refreshes begun, and the newest one that is over. */
    atomic_uint_fast64_t rows, shared;  /* For /metrics. */
};

struct mirror *
mirror_new(void)
{
    struct mirror *m = memory_calloc(1, sizeof(*m));

    pthread_mutex_init(&m->refresh, NULL);
    pthread_rwlock_init(&m->lock, NULL);
    m->snapshot = memory_strdup(EMPTY_SNAPSHOT);
    mirror_state_init(&m->state);
    m->incomplete = true;
    return m;
}

void
mirror_free(struct mirror *m)
{
    if (m == NULL)
        return;
    mirror_state_done(&m->state);
    pthread_rwlock_destroy(&m->lock);
    pthread_mutex_destroy(&m->refresh);
    free(m->snapshot);
    free(m);
}

/* --- Refresh. One at a time, by whoever comes first. */

/* The next transaction id that the snapshot "xmin:xmax:..." did not see. */
static uint64_t
snapshot_end(const char *snapshot)
{
    const char *colon = strchr(snapshot, ':');

    return colon == NULL ? 0 : strtoull(colon + 1, NULL, 10);
}

/* All names anew: they are few, and change seldom. */
static int
read_names(struct db *db, struct mirror_names *classes, struct mirror_names *traits,
           struct fault *f)
{
    struct mirror_name *rows;
    size_t count;

    if (mirror_classes(db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        mirror_names_set(classes, rows[i].id, rows[i].name);
    if (mirror_traits(db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        mirror_names_set(traits, rows[i].id, rows[i].name);
    return 0;
}

static void
swap_names(struct mirror_names *a, struct mirror_names *b)
{
    struct mirror_names old = *a;

    *a = *b;
    *b = old;
}

/* Takes in one read. 'anew': the read was of everything, and what is here is thrown away, for everybody in the same moment. */
static int
take_changes(struct mirror *m, struct db *db, bool anew, const struct mirror_state_row *rows,
             size_t count, bool *ret_whole, struct fault *f)
{
    struct mirror_names classes = { 0 }, traits = { 0 };
    bool named = count > 0 && rows[0].id == 0;
    struct mirror_state fresh, old;
    int r = named ? read_names(db, &classes, &traits, f) : 0;

    if (r < 0) {
        mirror_names_done(&classes);
        mirror_names_done(&traits);
        return r;
    }
    mirror_state_init(&fresh);
    pthread_rwlock_wrlock(&m->lock);
    if (anew) {
        old = m->state;
        m->state = fresh;
        fresh = old;
        mirror_state_succeed(&fresh, &m->state);
    }
    if (named) {
        swap_names(&m->state.classes, &classes);
        swap_names(&m->state.traits, &traits);
        m->state.sharing_trait = mirror_names_id(&m->state.traits, "MISC_SHARES_VIA_AGGREGATE");
    }
    *ret_whole = mirror_state_apply(&m->state, rows, count);
    pthread_rwlock_unlock(&m->lock);
    mirror_state_done(&fresh);
    mirror_names_done(&classes);
    mirror_names_done(&traits);
    return 0;
}

/* A database that restarted may be another one: a standby that lacks the last transactions, or a copy. Its transaction ids say
 * nothing about ours then. */
static bool
may_be_another(struct mirror *m, const struct db *db)
{
    struct db_pool_stats stats = { 0 };

    if (db->pool == NULL)
        return false;
    db_pool_stats(db->pool, &stats);
    if (stats.reconnects == m->reconnects)
        return false;
    m->reconnects = stats.reconnects;
    return true;
}

/* What the second statement (and the names) show can be newer than the snapshot of the first: then it is read once more. */
static int
refresh(struct mirror *m, struct db *db, struct fault *f)
{
    struct mirror_changes_row changes;
    struct mirror_state_row *rows;
    bool anew = m->incomplete, whole = true;
    size_t count;

    if (mirror_changes(db, anew ? EMPTY_SNAPSHOT : m->snapshot, &changes, f) < 0)
        return -1;
    if (!anew &&
        (may_be_another(m, db) || snapshot_end(changes.taken) < snapshot_end(m->snapshot))) {
        m->incomplete = true; /* Until the next read has succeeded. */
        return refresh(m, db, f);
    }
    if (changes.ids[0] == '\0')
        return 0; /* Nothing new: the old snapshot tells the rest as well as a new one would. */
    if (mirror_state(db, changes.ids, &rows, &count, f) < 0 ||
        take_changes(m, db, anew, rows, count, &whole, f) < 0)
        return -1;
    m->incomplete = false;
    free(m->snapshot);
    m->snapshot = memory_strdup(changes.taken);
    m->rows += count;
    return whole ? 0 : refresh(m, db, f); /* Trees were changed between the two statements. */
}

int
mirror_refresh(struct mirror *m, struct db *db, struct fault *f)
{
    uint64_t ticket = atomic_load(&m->started), mine;
    int r = 0;

    pthread_mutex_lock(&m->refresh);
    if (atomic_load(&m->done) > ticket) {
        m->shared++; /* One that began after we came is over: good enough for us. */
    } else {
        mine = atomic_fetch_add(&m->started, 1) + 1;
        r = refresh(m, db, f);
        if (r >= 0)
            atomic_store(&m->done, mine);
    }
    pthread_mutex_unlock(&m->refresh);
    return r;
}

int
mirror_read(struct mirror *m, struct db *db, struct fault *f)
{
    int r = mirror_refresh(m, db, f);

    if (r >= 0)
        pthread_rwlock_rdlock(&m->lock);
    return r;
}

void
mirror_done(struct mirror *m)
{
    pthread_rwlock_unlock(&m->lock);
}

/* --- Forks */

static void *
copy(const void *items, size_t count)
{
    void *data = memory_calloc(count + 1, sizeof(void *));

    if (count > 0)
        memcpy(data, items, count * sizeof(void *));
    return data;
}

int
mirror_fork(struct mirror *m, struct db *db, struct mirror_fork *ret, struct fault *f)
{
    if (mirror_refresh(m, db, f) < 0)
        return -1;
    pthread_rwlock_wrlock(&m->lock);
    m->state.forks++;
    m->state.epoch++;
    *ret = (struct mirror_fork){ .trees = copy(m->state.trees, m->state.trees_count),
                                 .trees_count = m->state.trees_count,
                                 .sharing = copy(m->state.sharing, m->state.sharing_count),
                                 .sharing_count = m->state.sharing_count };
    return 0;
}

void
mirror_fork_done(struct mirror *m, struct mirror_fork *fork)
{
    if (fork->trees == NULL)
        return;
    pthread_rwlock_wrlock(&m->lock);
    if (--m->state.forks == 0)
        mirror_state_reclaim(&m->state);
    pthread_rwlock_unlock(&m->lock);
    free(fork->trees);
    free(fork->sharing);
    *fork = (struct mirror_fork){ 0 };
}

/* --- What readers ask */

struct mirror_tree *const *
mirror_trees(const struct mirror *m, size_t *ret_count)
{
    *ret_count = m->state.trees_count;
    return m->state.trees;
}

struct mirror_provider *const *
mirror_providers(const struct mirror *m, size_t *ret_count)
{
    *ret_count = m->state.providers_count;
    return m->state.providers;
}

struct mirror_provider *const *
mirror_sharing(const struct mirror *m, size_t *ret_count)
{
    *ret_count = m->state.sharing_count;
    return m->state.sharing;
}

const struct mirror_index *
mirror_index(const struct mirror *m)
{
    return &m->state.index;
}

const struct mirror_provider *
mirror_find(const struct mirror *m, const char *uuid)
{
    return map_get(m->state.by_uuid, uuid);
}

struct mirror_provider *
mirror_root(const struct mirror_provider *p)
{
    for (uint32_t i = 0; i < p->tree->count; i++) {
        if (p->tree->members[i]->id == p->root_id)
            return p->tree->members[i];
    }
    return p->tree->members[0];
}

int
mirror_class_id(const struct mirror *m, const char *name)
{
    return mirror_names_id(&m->state.classes, name);
}

int
mirror_trait_id(const struct mirror *m, const char *name)
{
    return mirror_names_id(&m->state.traits, name);
}

int
mirror_aggregate_id(const struct mirror *m, const char *uuid)
{
    return mirror_names_id(&m->state.aggregates, uuid);
}

const char *
mirror_class_name(const struct mirror *m, int id)
{
    return mirror_names_get(&m->state.classes, id);
}

const char *
mirror_trait_name(const struct mirror *m, int id)
{
    return mirror_names_get(&m->state.traits, id);
}

const struct mirror_stock *
mirror_stock(const struct mirror_provider *p, int class_id)
{
    for (uint32_t i = 0; i < p->stocks_count; i++) {
        if (p->stocks[i].class_id == class_id)
            return &p->stocks[i];
    }
    return NULL;
}

bool
mirror_has_trait(const struct mirror_provider *p, int trait_id)
{
    uint32_t low = 0, high = p->traits_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (p->traits[middle] < trait_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->traits_count && p->traits[low] == trait_id;
}

bool
mirror_in_aggregate(const struct mirror_provider *p, int aggregate_id)
{
    for (uint32_t i = 0; i < p->aggregates_count; i++) {
        if (p->aggregates[i] == aggregate_id)
            return true;
    }
    return false;
}

void
mirror_metrics(struct mirror *m, struct str *out)
{
    size_t providers;

    pthread_rwlock_rdlock(&m->lock);
    providers = m->state.providers_count;
    pthread_rwlock_unlock(&m->lock);
    str_addf(
        out,
        "# TYPE virga_placement_mirror_providers gauge\nvirga_placement_mirror_providers %zu\n",
        providers);
    str_addf(
        out,
        "# TYPE virga_placement_mirror_refreshes counter\nvirga_placement_mirror_refreshes %llu\n",
        (unsigned long long)atomic_load(&m->started));
    str_addf(out,
             "# TYPE virga_placement_mirror_refreshes_shared "
             "counter\nvirga_placement_mirror_refreshes_shared %llu\n",
             (unsigned long long)atomic_load(&m->shared));
    str_addf(out, "# TYPE virga_placement_mirror_rows counter\nvirga_placement_mirror_rows %llu\n",
             (unsigned long long)atomic_load(&m->rows));
}
