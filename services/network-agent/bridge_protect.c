/* Rules and connections of the host's own namespace: see bridge.h. */
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "bridge.h"
#include "conntrack.h"
#include "nft.h"

/* Only the objects of which 'is_broken' says no: every other one is emptied. */
static bool
is_accepted(struct driver_state *s, const struct wanted *w, const char *only_id)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(str_done) struct str commands = { 0 };
    struct map *others = map_new(NULL);
    struct ruleset rules;
    struct fault ignored = { 0 };
    bool ok;

    (void)s;
    for (size_t i = 0; i < w->groups_count; i++)
        if (strcmp(w->groups[i].id, only_id) != 0)
            map_set(others, w->groups[i].id, others);
    for (size_t i = 0; i < w->ports_count; i++)
        if (strcmp(w->ports[i].id, only_id) != 0)
            map_set(others, w->ports[i].id, others);
    ruleset_init(&rules, a, "bridge", PORT_RULES_TABLE);
    port_rules_filter(w, others, &rules);
    ruleset_diff(NULL, &rules, &commands);
    ok = nft_check(NULL, str_text(&commands), &ignored) >= 0;
    ruleset_done(&rules);
    map_free(others);
    return ok;
}

/* The kernel refused the table: finds out, one by one, who in it is to blame. Slow, and hardly ever
 * needed. */
static void
find_broken(struct driver_state *s, const struct wanted *w)
{
    map_clear(s->broken);
    for (size_t i = 0; i < w->groups_count; i++)
        if (!is_accepted(s, w, w->groups[i].id))
            map_set(s->broken, w->groups[i].id, s);
    for (size_t i = 0; i < w->ports_count; i++)
        if (!is_accepted(s, w, w->ports[i].id))
            map_set(s->broken, w->ports[i].id, s);
}

static int
apply_filter(struct driver_state *s, const struct wanted *w, struct fault *f)
{
    struct arena *a = arena_new();
    struct ruleset rules;
    int r;

    ruleset_init(&rules, a, "bridge", PORT_RULES_TABLE);
    port_rules_filter(w, s->broken, &rules);
    r = live_rules_apply(&s->filter, NULL, a, &rules, f);
    if (r < 0) {
        ruleset_done(&rules);
        arena_free(a);
    }
    return r;
}

static int
apply_state(struct driver_state *s, const struct wanted *w, struct fault *f)
{
    struct arena *a = arena_new();
    struct ruleset rules;
    int r;

    ruleset_init(&rules, a, "inet", PORT_RULES_TABLE);
    port_rules_state(w, s->zones, &rules);
    r = live_rules_apply(&s->state, NULL, a, &rules, f);
    if (r < 0) {
        ruleset_done(&rules);
        arena_free(a);
    }
    return r;
}

int
bridge_protect(struct driver_state *s, const struct wanted *w, bool *ret_changed, struct fault *f)
{
    int r;

    zones_assign(s->zones, w);
    r = apply_state(s, w, f);
    if (r < 0)
        return r;
    /* Each time with everything: what was refused may be right by now. */
    map_clear(s->broken);
    r = apply_filter(s, w, f);
    if (r < 0) {
        log_warn("rules.refused cause=%s", f->cause);
        find_broken(s, w);
        if (map_count(s->broken) == 0)
            return r;
        fault_clear(f);
        r = apply_filter(s, w, f);
        if (r < 0)
            return r;
    }
    *ret_changed = r > 0;
    return 0;
}

/* --- connections ------------------------------------------------------------------------------ */

/* What is known of local ports' addresses now, and which of those known before are not among it. */
static size_t
collect_gone(struct driver_state *s, const struct wanted *w, struct arena *a,
             struct conntrack_gone **ret)
{
    struct map *now = map_new(NULL);
    struct map_at at = { 0 };
    size_t count = 0, capacity = 0;

    *ret = NULL;
    for (size_t i = 0; i < w->ports_count; i++)
        for (size_t k = 0; k < w->ports[i].ips_count; k++)
            map_set(now,
                    arena_printf(a, "%u %s", zones_get(s->zones, w->ports[i].network->id),
                                 address_bare(a, &w->ports[i].ips[k].ip)),
                    s);
    while (map_next(s->known_ips, &at)) {
        const char *space = strchr(at.key, ' ');
        struct conntrack_gone *gone;
        int64_t zone;

        if (map_has(now, at.key) || space == NULL ||
            str_to_int64(arena_strndup(a, at.key, (size_t)(space - at.key)), 1, 65535, &zone) < 0)
            continue;
        gone = ARRAY_PUSH(a, *ret, count, capacity);
        gone->zone = (unsigned)zone;
        address_parse(space + 1, &gone->ip);
    }
    map_free(s->known_ips);
    s->known_ips = now;
    return count;
}

int
bridge_forget_connections(struct driver_state *s, const struct wanted *w, bool changed,
                          struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct conntrack_gone *gone;
    size_t count = collect_gone(s, w, a, &gone);
    int r;

    if (!changed && count == 0)
        return 0;
    r = conntrack_revise(w, s->zones, gone, count, f);
    if (r > 0)
        log_info("connections.forgotten count=%d", r);
    return r < 0 ? r : 0;
}
