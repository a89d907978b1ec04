/* GET /OS-VIRGA/overcommit: what is promised beside what is there, of processors, memory and disk; for the cloud and host by host.
 *
 * A host is a tree of providers: what its members have is added up. 'physical' is what they report, 'room' what may be promised of it,
 * (physical - reserved) x ratio, and 'committed' what has been promised. Where members have different ratios, 'ratio' is the one that gives
 * the same room. */
#include "base/str.h"
#include "mirror.h"
#include "paging.h"
#include "reply.h"

static const char *const classes[] = { "VCPU", "PCPU", "MEMORY_MB", "DISK_GB" };

static const struct query_key keys[] = {
    { "provider", 0, false },
    { "limit", 0, false },
    { "marker", 0, false },
    { NULL, 0, false },
};

/* Of one class. */
struct sum {
    int64_t providers, physical, reserved, committed;
    double room;
};

struct report {
    struct call *call;
    const struct mirror *m;
    struct jsonw *w;
    int class_ids[ARRAY_SIZE(classes)];
};

static void
add_tree(const struct report *r, const struct mirror_tree *t, struct sum *sums)
{
    for (uint32_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(classes); k++) {
            const struct mirror_stock *s = mirror_stock(t->members[i], r->class_ids[k]);

            if (s == NULL)
                continue;
            sums[k].providers++;
            sums[k].physical += s->total;
            sums[k].reserved += s->reserved;
            sums[k].committed += s->used;
            sums[k].room += (double)(s->total - s->reserved) * s->allocation_ratio;
        }
    }
}

static void
write_sums(const struct report *r, const struct sum *sums)
{
    jsonw_object(r->w, "resources");
    for (size_t k = 0; k < ARRAY_SIZE(classes); k++) {
        int64_t usable = sums[k].physical - sums[k].reserved;

        if (sums[k].providers == 0)
            continue;
        jsonw_object(r->w, classes[k]);
        jsonw_int(r->w, "physical", sums[k].physical);
        jsonw_int(r->w, "reserved", sums[k].reserved);
        jsonw_double(r->w, "ratio", usable > 0 ? sums[k].room / (double)usable : 0);
        jsonw_double(r->w, "room", sums[k].room);
        jsonw_int(r->w, "committed", sums[k].committed);
        jsonw_double(r->w, "committed_ratio",
                     sums[k].physical > 0 ? (double)sums[k].committed / (double)sums[k].physical
                                          : 0);
        jsonw_end(r->w);
    }
    jsonw_end(r->w);
}

static bool
has_any(const struct sum *sums)
{
    for (size_t k = 0; k < ARRAY_SIZE(classes); k++) {
        if (sums[k].providers > 0)
            return true;
    }
    return false;
}

static void
write_cloud(const struct report *r)
{
    struct sum sums[ARRAY_SIZE(classes)] = { 0 };
    size_t count;
    struct mirror_tree *const *trees = mirror_trees(r->m, &count);

    for (size_t i = 0; i < count; i++)
        add_tree(r, trees[i], sums);
    jsonw_object(r->w, "cloud");
    write_sums(r, sums);
    jsonw_end(r->w);
}

/* False: it has nothing that this report is about. */
static bool
write_host(const struct report *r, const struct mirror_tree *t)
{
    const struct mirror_provider *root = mirror_root(t->members[0]);
    struct sum sums[ARRAY_SIZE(classes)] = { 0 };

    add_tree(r, t, sums);
    if (!has_any(sums))
        return false;
    jsonw_object(r->w, NULL);
    jsonw_text(r->w, "uuid", root->uuid);
    jsonw_text(r->w, "name", root->name);
    write_sums(r, sums);
    jsonw_end(r->w);
    return true;
}

static void
write_hosts(const struct report *r, const struct mirror_tree *only, int64_t after, int64_t limit)
{
    const char *next = NULL;
    size_t count, i = 0;
    struct mirror_tree *const *trees = mirror_trees(r->m, &count);

    jsonw_array(r->w, "hosts");
    if (only != NULL) {
        write_host(r, only);
        i = count;
    }
    while (i < count && trees[i]->root_id <= after)
        i++;
    for (; i < count && limit > 0; i++) {
        if (!write_host(r, trees[i]))
            continue;
        next = mirror_root(trees[i]->members[0])->uuid;
        limit--;
    }
    jsonw_end(r->w);
    paging_next(r->w, i < count ? next : NULL);
}

static int
report(struct call *call, const struct mirror *m, int64_t limit, struct fault *f)
{
    const char *provider = query_last(call, "provider"), *marker = query_last(call, "marker");
    struct report r = { .call = call, .m = m };
    const struct mirror_provider *only = NULL, *after = NULL;

    if (provider != NULL && (only = mirror_find(m, provider)) == NULL)
        return paging_refuse(call, "provider", f);
    if (marker != NULL && (after = mirror_find(m, marker)) == NULL)
        return paging_refuse(call, "marker", f);
    for (size_t k = 0; k < ARRAY_SIZE(classes); k++)
        r.class_ids[k] = mirror_class_id(m, classes[k]);
    r.w = call_json(call);
    jsonw_object(r.w, NULL);
    write_cloud(&r);
    write_hosts(&r, only == NULL ? NULL : only->tree, after == NULL ? 0 : after->root_id, limit);
    jsonw_end(r.w);
    return 0;
}

int
overcommit_show(struct call *call, struct fault *f)
{
    struct mirror *m = placement_of(call)->mirror;
    int64_t limit;
    int r;

    if (query_check(call, keys, f) < 0 || paging_limit(call, &limit, f) < 0 ||
        mirror_read(m, call->db, f) < 0)
        return -1;
    r = report(call, m, limit, f);
    mirror_done(m);
    return r;
}
