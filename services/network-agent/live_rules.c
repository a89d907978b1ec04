#include "live_rules.h"

#include "netlink.h"
#include "nft.h"

void
live_rules_done(struct live_rules *l)
{
    if (l->arena == NULL)
        return;
    ruleset_done(&l->applied);
    arena_free(l->arena);
    *l = (struct live_rules){ 0 };
}

static bool
has_seal(const char *netns, const struct ruleset *r, const char *seal)
{
    _cleanup_(str_done) struct str command = { 0 };
    struct fault ignored = { 0 };

    str_addf(&command, "list chain %s %s %s\n", r->family, r->table, seal);
    return nft_apply(netns, str_text(&command), &ignored) >= 0;
}

static void
keep(struct live_rules *l, struct arena *a, struct ruleset *wanted, const char *seal)
{
    live_rules_done(l);
    *l = (struct live_rules){ .arena = a, .applied = *wanted, .seal = seal };
}

int
live_rules_apply(struct live_rules *l, const char *netns, struct arena *a, struct ruleset *wanted,
                 struct fault *f)
{
    _cleanup_(str_done) struct str commands = { 0 };
    const char *seal = ruleset_seal(wanted);
    bool known = l->arena != NULL && has_seal(netns, &l->applied, l->seal);
    size_t changes;
    int r;

    /* Nothing known: perhaps a predecessor left exactly this. Known but not there: somebody took it
     * away. */
    if (!known && has_seal(netns, wanted, seal)) {
        keep(l, a, wanted, seal);
        return 0;
    }
    changes = ruleset_diff(known ? &l->applied : NULL, wanted, &commands);
    if (changes > 0) {
        r = nft_apply(netns, str_text(&commands), f);
        if (r < 0)
            return r;
        netlink_count_change();
    }
    keep(l, a, wanted, seal);
    return (int)changes;
}
