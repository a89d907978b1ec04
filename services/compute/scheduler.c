#include "scheduler.h"

#include "base/str.h"

static const char *
refusal(const struct scheduler_host *h, const struct scheduler_wish *w)
{
    if (w->host != NULL && !str_equal(w->host, h->name))
        return "another host was asked for";
    if (h->disabled)
        return "the compute service is disabled";
    if (!h->up)
        return "the compute agent does not report";
    if (w->zone != NULL && !str_equal(w->zone, h->zone))
        return "it is in another availability zone";
    return NULL;
}

int
scheduler_choose(const struct scheduler_host *hosts, size_t hosts_count,
                 const char *const *providers, size_t providers_count,
                 const struct scheduler_wish *wish, struct arena *a, const char **ret_reasons)
{
    struct str reasons = { 0 };
    int chosen = -1;

    for (size_t p = 0; p < providers_count && chosen < 0; p++) {
        for (size_t h = 0; h < hosts_count; h++) {
            const char *why;

            if (!str_equal(hosts[h].provider_id, providers[p]))
                continue;
            why = refusal(&hosts[h], wish);
            if (why == NULL)
                chosen = (int)h;
            else
                str_addf(&reasons, " %s: %s.", hosts[h].name, why);
            break;
        }
    }
    *ret_reasons = arena_strdup(a, str_text(&reasons));
    str_done(&reasons);
    return chosen;
}
