/* What would fit, in a fork of the mirror that is changed on the way: other ratios, hosts more, hosts less. Pure: no locks, no I/O.
 *
 * First what drained hosts run is given other places, then trees are filled one after the other with as many of the request as fit. Each is copied when its
 * turn comes, changed, filled and forgotten, so memory is one tree's; only those that something was moved to, and providers that share with
 * others, are kept for the whole pass. */
#pragma once

#include "candidates.h"
#include "verdict_counts.h"

struct simulation_ratio {
    int class_id;
    double ratio;
    const struct mirror_tree **trees; /* Sorted by address; NULL: all. */
    size_t trees_count;
};

struct simulation_hosts {
    int64_t count;
    const struct mirror_tree *like; /* Without what is used of it. */
};

/* What a consumer on a drained host holds there. */
struct simulation_move {
    const char *consumer, *project, *type; /* NULL type: unknown. */
    const char *host;
    size_t at; /* Number of the tree that takes it: the fork's, then those added; SIZE_MAX: none. */
};

/* Consumers that want the same. */
struct simulation_demand {
    const struct candidates_plan *plan;
    const struct mirror_provider **kept; /* Where else they have something, which stays. */
    size_t kept_count;
    struct simulation_move *moves;
    size_t count, capacity, placed; /* The first so many have a place. */
    struct verdict_counts refused;  /* Of those without one, by rule: of the first few demands. */
};

struct simulation_changes {
    struct simulation_ratio *ratios; /* A later one wins. */
    size_t ratios_count;
    struct simulation_hosts *hosts;
    size_t hosts_count;
    const struct mirror_tree **drained; /* Sorted by address. */
    size_t drained_count;
    struct simulation_demand
        *demands; /* Of the drained: placed first. Where goes what is written here. */
    size_t demands_count;
};

/* Why not one more: a host, and what refuses it there. */
struct simulation_reason {
    const char *uuid, *name; /* NULL uuid: of hosts that are added. */
    const char *rule, *reason;
};

#define SIMULATION_REASONS 10

struct simulation_outcome {
    int64_t fits; /* So many. */
    int64_t hosts,
        hosts_used; /* That have what is asked for, full or not; that took at least one. */
    /* By the rule that refuses one more; "no_inventory" where there never was any of a class. */
    struct verdict_counts refused;
    struct verdict_counts exhausted; /* Of these, by class: where it was used up. */
    struct simulation_reason reasons[SIMULATION_REASONS];
    size_t reasons_count;
    int64_t moved, stuck; /* Consumers of drained hosts. */
};

/* 'changes' NULL: as it is. */
void simulation_run(const struct mirror_fork *fork, const struct candidates_plan *plan,
                    struct simulation_changes *changes, struct arena *a,
                    struct simulation_outcome *ret);

/* For sorting pointers to trees by address. */
int simulation_compare(const void *a, const void *b);
