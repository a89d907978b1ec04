#include "claims.h"

#include "base/array.h"
#include "base/str.h"
#include "claim.h"

#define MAX_ATTEMPTS 10

/* A claim's consumer as it was found. */
struct holder {
    struct consumer_claim *claim;
    int64_t id; /* 0: there is none and none is needed. */
    bool fresh;
    struct allocation_held_row *held;
    size_t held_count;
};

struct work {
    struct call *call;
    struct arena *arena;
    struct db *db;
    struct holder *holders;
    size_t holders_count;
    struct claim_stock *stocks;
    size_t stocks_count;
    const char *unable;
    const struct claims_also *also;
};

/* A column of an array parameter. */
struct column {
    struct texts texts;
    size_t capacity;
};

static void
push(struct arena *a, struct column *c, const char *text)
{
    *ARRAY_PUSH(a, c->texts.items, c->texts.count, c->capacity) = text;
}

static void
push_int(struct arena *a, struct column *c, int64_t value)
{
    push(a, c, arena_printf(a, "%lld", (long long)value));
}

static bool
has(const struct column *c, const char *text)
{
    for (size_t i = 0; i < c->texts.count; i++) {
        if (str_equal(c->texts.items[i], text))
            return true;
    }
    return false;
}

/* --- Consumers */

static int
generation_conflict(const struct consumer_claim *c, bool exists, int64_t actual, struct fault *f)
{
    char expected[24] = "null", got[24] = "None";

    if (exists)
        snprintf(expected, sizeof(expected), "%lld", (long long)actual);
    if (!c->generation_null)
        snprintf(got, sizeof(got), "%lld", (long long)c->generation);
    return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                            "consumer generation conflict - expected %s but got %s", expected, got);
}

static int
add_consumer(struct work *w, struct holder *h, struct fault *f)
{
    const struct consumer_claim *c = h->claim;
    struct consumer_insert_row row;
    int r;

    if (c->counted && !c->generation_null)
        return generation_conflict(c, false, 0, f);
    if (c->wants_count == 0)
        return 1;
    r = consumer_insert(w->db, c->uuid, 1, c->project_id, c->user_id, c->type, &row, f);
    h->fresh = r > 0;
    h->id = r > 0 ? row.id : 0;
    return r;
}

static int
lock_consumer(struct work *w, struct holder *h, struct fault *f)
{
    const struct consumer_claim *c = h->claim;
    struct consumer_lock_row row;
    int r;

    /* Most claims are of new consumers, and a client of 1.28 says so: look only if it proves wrong. Nothing is inserted for one
     * that is to have nothing, so there it would not prove anything. */
    if (c->counted && c->generation_null && c->wants_count > 0) {
        r = add_consumer(w, h, f);
        if (r != 0)
            return r;
    }
    for (;;) {
        r = consumer_lock(w->db, c->uuid, &row, f);
        if (r < 0)
            return r;
        if (r > 0)
            break;
        r = add_consumer(w, h, f);
        if (r !=
            0) /* 0: somebody was faster; his commit is done, or his rollback leaves it to us. */
            return r;
    }
    if (c->counted && (c->generation_null || row.generation != c->generation))
        return generation_conflict(c, true, row.generation, f);
    h->id = row.id;
    return allocation_held(w->db, h->id, &h->held, &h->held_count, f);
}

/* --- Providers */

static int
unknown_provider(struct work *w, const struct texts *uuids, struct fault *f)
{
    struct provider_unknown_row *rows;
    size_t count;

    if (provider_unknown(w->db, uuids, &rows, &count, f) < 0)
        return -1;
    if (count == 0)
        return 0;
    return fault_raise(f, FAULT_INVALID,
                       "Allocation for resource provider '%s' that does not exist.", rows[0].uuid);
}

static struct claim_stock *
find_stock(const struct work *w, const char *provider_uuid, const char *class_name)
{
    for (size_t i = 0; i < w->stocks_count; i++) {
        if (str_equal(w->stocks[i].provider_uuid, provider_uuid) &&
            str_equal(w->stocks[i].class_name, class_name))
            return &w->stocks[i];
    }
    return NULL;
}

static struct claim_stock *
find_held(const struct work *w, const struct allocation_held_row *a)
{
    for (size_t i = 0; i < w->stocks_count; i++) {
        if (w->stocks[i].provider_id == a->provider_id && w->stocks[i].class_id == a->class_id)
            return &w->stocks[i];
    }
    return NULL;
}

static void
list_providers(const struct work *w, bool wanted, bool held, struct column *ret)
{
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct holder *h = &w->holders[i];

        for (size_t j = 0; wanted && j < h->claim->wants_count; j++) {
            if (!has(ret, h->claim->wants[j].provider_uuid))
                push(w->arena, ret, h->claim->wants[j].provider_uuid);
        }
        for (size_t j = 0; held && j < h->held_count; j++) {
            if (!has(ret, h->held[j].provider_uuid))
                push(w->arena, ret, h->held[j].provider_uuid);
        }
    }
}

/* Those whose clients must learn of a change: where something is wanted, or was, and is not just given back. */
static void
list_moved(const struct work *w, struct column *ret)
{
    list_providers(w, true, false, ret);
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct holder *h = &w->holders[i];

        for (size_t j = 0; h->claim->wants_count == 0 && !h->claim->quiet && j < h->held_count;
             j++) {
            if (!has(ret, h->held[j].provider_uuid))
                push(w->arena, ret, h->held[j].provider_uuid);
        }
    }
}

static int
lock_stocks(struct work *w, struct fault *f)
{
    struct column uuids = { 0 };
    struct claim_row *rows;
    size_t count;

    list_providers(w, true, true, &uuids);
    if (w->also != NULL && w->also->before(w->also->owner, &uuids.texts, f) < 0)
        return -1;
    if (claim_lock(w->db, &uuids.texts, &rows, &count, f) < 0)
        return -1;
    w->stocks = ARENA_ARRAY(w->arena, struct claim_stock, count + 1);
    w->stocks_count = count;
    for (size_t i = 0; i < count; i++)
        w->stocks[i] = (struct claim_stock){ .provider_id = rows[i].provider_id,
                                             .provider_uuid = rows[i].provider_uuid,
                                             .class_id = rows[i].class_id,
                                             .class_name = rows[i].class_name,
                                             .total = rows[i].total,
                                             .reserved = rows[i].reserved,
                                             .min_unit = rows[i].min_unit,
                                             .max_unit = rows[i].max_unit,
                                             .step_size = rows[i].step_size,
                                             .allocation_ratio = rows[i].allocation_ratio,
                                             .used = rows[i].used };
    for (size_t i = 0; i < w->holders_count; i++) {
        for (size_t j = 0; j < w->holders[i].held_count; j++)
            find_held(w, &w->holders[i].held[j])->before +=
                w->holders[i].held[j].used; /* A foreign key keeps it there. */
    }
    return 0;
}

/* --- The check */

/* Some of what is wanted is in no inventory: because provider or class is not there? */
static int
check_names(struct work *w, struct fault *f)
{
    struct column providers = { 0 }, classes = { 0 };
    struct class_unknown_row *unknown;
    size_t count;

    list_providers(w, true, false, &providers);
    if (unknown_provider(w, &providers.texts, f) < 0)
        return -1;
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct consumer_claim *c = w->holders[i].claim;

        for (size_t j = 0; j < c->wants_count; j++)
            push(w->arena, &classes, c->wants[j].class_name);
    }
    if (class_unknown(w->db, &classes.texts, &unknown, &count, f) < 0)
        return -1;
    return count == 0 ? 0
                      : fault_raise(f, FAULT_INVALID, "%s No such resource class %.255s.",
                                    w->unable, unknown[0].name);
}

static int
check(struct work *w, struct fault *f)
{
    bool complete = true;

    for (size_t i = 0; i < w->holders_count; i++) {
        const struct consumer_claim *c = w->holders[i].claim;

        for (size_t j = 0; j < c->wants_count; j++)
            complete = complete &&
                       find_stock(w, c->wants[j].provider_uuid, c->wants[j].class_name) != NULL;
    }
    if (!complete && check_names(w, f) < 0)
        return -1;
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct consumer_claim *c = w->holders[i].claim;

        for (size_t j = 0; j < c->wants_count; j++) {
            struct claim_stock *s =
                find_stock(w, c->wants[j].provider_uuid, c->wants[j].class_name);

            if (s == NULL)
                return claim_no_inventory(c->wants[j].class_name, c->wants[j].provider_uuid, f);
            if (claim_add(s, c->wants[j].amount, f) < 0)
                return -1;
        }
    }
    return 0;
}

/* --- The write */

static int
forget(struct work *w, struct fault *f)
{
    struct column ids = { 0 };

    for (size_t i = 0; i < w->holders_count; i++) {
        if (w->holders[i].held_count > 0)
            push_int(w->arena, &ids, w->holders[i].id);
    }
    return ids.texts.count == 0 ? 0 : allocation_forget(w->db, &ids.texts, f);
}

static int
write_stocks(struct work *w, struct fault *f)
{
    struct column consumers = { 0 }, providers = { 0 }, classes = { 0 }, amounts = { 0 };
    struct column stock_providers = { 0 }, stock_classes = { 0 }, changes = { 0 }, touched = { 0 },
                  bumps = { 0 }, moved = { 0 };

    list_moved(w, &moved);
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct consumer_claim *c = w->holders[i].claim;

        for (size_t j = 0; j < c->wants_count; j++) {
            const struct claim_stock *s =
                find_stock(w, c->wants[j].provider_uuid, c->wants[j].class_name);

            push_int(w->arena, &consumers, w->holders[i].id);
            push_int(w->arena, &providers, s->provider_id);
            push_int(w->arena, &classes, s->class_id);
            push_int(w->arena, &amounts, c->wants[j].amount);
        }
    }
    for (size_t i = 0; i < w->stocks_count; i++) {
        const struct claim_stock *s = &w->stocks[i];

        if (i == 0 || s->provider_id != s[-1].provider_id) {
            push_int(w->arena, &touched, s->provider_id);
            push_int(w->arena, &bumps, has(&moved, s->provider_uuid) ? 1 : 0);
        }
        if (s->after != s->before) {
            push_int(w->arena, &stock_providers, s->provider_id);
            push_int(w->arena, &stock_classes, s->class_id);
            push_int(w->arena, &changes, s->after - s->before);
        }
    }
    return claim_write(w->db, &consumers.texts, &providers.texts, &classes.texts, &amounts.texts,
                       &stock_providers.texts, &stock_classes.texts, &changes.texts, &touched.texts,
                       &bumps.texts, f);
}

static int
write_consumers(struct work *w, struct fault *f)
{
    for (size_t i = 0; i < w->holders_count; i++) {
        const struct holder *h = &w->holders[i];
        const struct consumer_claim *c = h->claim;

        if (h->id == 0 || h->fresh)
            continue;
        if (c->wants_count == 0
                ? consumer_remove(w->db, h->id, f) < 0
                : consumer_change(w->db, h->id, c->project_id, c->user_id, c->type, f) < 0)
            return -1;
    }
    return 0;
}

static int
apply(struct call *call, struct consumer_claim *claims, size_t count, const char *unable,
      const struct claims_also *also, struct fault *f)
{
    struct work w = { .call = call,
                      .arena = call->arena,
                      .db = call->db,
                      .holders_count = count,
                      .unable = unable,
                      .also = also };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };

    w.holders = ARENA_ARRAY(call->arena, struct holder, count + 1);
    if (db_tx_begin(&tx, call->db, f) < 0 || claim_plans(call->db, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        w.holders[i].claim = &claims[i];
        if (lock_consumer(&w, &w.holders[i], f) < 0)
            return -1;
    }
    if (lock_stocks(&w, f) < 0 || check(&w, f) < 0)
        return -1;
    if (forget(&w, f) < 0 || write_stocks(&w, f) < 0 || write_consumers(&w, f) < 0)
        return -1;
    if (also != NULL && also->after(also->owner, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

static int
compare(const void *a, const void *b)
{
    const struct consumer_claim *x = a, *y = b;

    return strcmp(x->uuid, y->uuid);
}

int
claims_apply(struct call *call, struct consumer_claim *claims, size_t count, const char *unable,
             const struct claims_also *also, struct fault *f)
{
    int r;

    qsort(claims, count, sizeof(*claims), compare);
    for (int attempt = 1;; attempt++) {
        r = apply(call, claims, count, unable, also, f);
        /* Deadlocks and serialisation failures, by their SQLSTATE's class. */
        if (r >= 0 || attempt == MAX_ATTEMPTS || !str_starts(f->cause, "database error 40"))
            return r;
        fault_clear(f);
    }
}
