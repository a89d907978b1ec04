/* Inside the simulated hypervisor: its state, and how a call begins and ends. */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "base/str.h"
#include "driver_sim.h"

enum { RULES_MAX = 64 };

struct rule {
    char method[32];
    unsigned first, count, seen;
    enum fault_kind kind;
};

struct sim_guest {
    char *name;
    enum guest_power_state state;
    bool deaf;
    struct str console;
    struct map *volumes; /* Volume id -> device name (char *). */
    struct map *nics;    /* MAC -> port id (char *). */
};

struct sim {
    struct hypervisor base;
    const struct compute_agent_config *config;
    char *host_name;
    struct driver_events events;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int64_t delay_ms GUARDED_BY(mutex);
    unsigned waiting GUARDED_BY(mutex);
    struct map *guests GUARDED_BY(mutex);
    struct rule rules[RULES_MAX] GUARDED_BY(mutex);
    size_t rules_count GUARDED_BY(mutex);
};

static inline struct sim *
sim_of(struct hypervisor *h)
{
    return CONTAINER_OF(h, struct sim, base);
}

/* One call at work: the simulation is locked from sim_begin() to sim_work_done(). */
struct sim_work {
    struct sim *sim;
    enum fault_kind failure;
};

/* Waits the delay, and fails if this call is to fail before its work. */
int sim_begin(struct hypervisor *h, const char *method, struct sim_work *w, struct fault *f);
/* Fails if this call is to fail after its work. */
int sim_finish(struct sim_work *w, struct fault *f);
void sim_work_done(struct sim_work *w); /* For _cleanup_. */

/* NULL and a fault: there is none. */
struct sim_guest *sim_find(struct sim_work *w, const char *guest_id, struct fault *f);
void sim_set_state(struct sim_work *w, const char *guest_id, struct sim_guest *g,
                   enum guest_power_state state, const char *reason);
