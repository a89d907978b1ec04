/* Convergence: fetches the wanted state, has the driver make it real, tells what became of it, and
 * tries again what failed.
 *
 * A state machine that takes 'now': reconcile_step() does what is due and says when to call again.
 * Talking is behind a table of functions, so tests need no bus. One thread steps; only
 * reconcile_ring() may be called by others.
 *
 * The last state is kept in a file, so that an agent without a control plane (after a reboot of the
 * host, say) makes its guests' network all the same. */
#pragma once

#include <stdint.h>

#include "driver.h"

struct host_state_out;
struct reconcile;

struct reconcile_link {
    /* The service's answer, in 'a'. */
    int (*fetch)(void *owner, int64_t known_generation, struct arena *a, struct host_state_out *ret,
                 struct fault *f);
    int (*status)(void *owner, int64_t generation, const struct outcome *o, struct fault *f);
    int (*heartbeat)(void *owner, int64_t generation, struct fault *f);
    void *owner;
};

struct reconcile_options {
    const struct driver *driver;
    struct driver_state *state;
    struct reconcile_link link;
    const struct bridge_mapping *mappings;
    size_t mappings_count;
    const char *state_file; /* NULL: none */
    int64_t poll_ms, resync_ms, heartbeat_ms;
};

/* 'options' is copied. Applies what the file has, if there is one. */
struct reconcile *reconcile_new(const struct reconcile_options *options, int64_t now_ms);
void reconcile_free(struct reconcile *r); /* NULL does nothing. */

/* There is a new generation: the next step fetches. Thread-safe. */
void reconcile_ring(struct reconcile *r);

/* Does what is due; returns in how many milliseconds, a second at most, to step again. */
int64_t reconcile_step(struct reconcile *r, int64_t now_ms);

struct reconcile_stats {
    int64_t generation;
    uint64_t applied, fetch_failures,
        failing; /* Applications; fetches that failed; objects that fail at present */
    uint64_t ports_up;
    int64_t last_apply_us; /* Duration */
};
void reconcile_stats(const struct reconcile *r, struct reconcile_stats *ret); /* Thread-safe. */
