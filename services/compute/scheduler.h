/* The scheduler: a pure function from hosts and candidates to a choice, and the reasons of those that were not chosen. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct scheduler_host {
    const char *name, *provider_id, *zone;
    bool up, disabled;
};

struct scheduler_wish {
    const char *zone; /* NULL: any */
    const char *host; /* Forced; NULL: any */
};

/* Walks 'providers' (placement's candidates, best first) and returns the index in 'hosts' of the first that will do; -1: none, and
 * '*ret_reasons' has " host: reason." for every host that placement offered and the scheduler refused. */
int scheduler_choose(const struct scheduler_host *hosts, size_t hosts_count,
                     const char *const *providers, size_t providers_count,
                     const struct scheduler_wish *wish, struct arena *a, const char **ret_reasons);
