/* Calls to a backend that may hang: each on a thread of its own, with a deadline.
 *
 * A call is an object on the heap with an arena for all it reads and writes. Who made it waits for it at most
 * 'deadline_ms'; a call that takes longer is left to itself, and what it holds is freed when it comes back. So a
 * hanging hypervisor costs a thread for each call that hangs, and never the agent. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

struct backend;

struct backend *backend_new(void);
/* Waits up to 'grace_ms' for calls that were left; false: some hang still, and what they use must not be freed. */
bool backend_close(struct backend *b, int grace_ms);

struct backend_call {
    struct arena *arena; /* For copies of inputs, and results. */
    struct fault fault;
    void *owner;                           /* What 'run' works with; outlives the backend. */
    int (*run)(struct backend_call *call); /* Raises in call->fault. */
    /* Inputs, of which each 'run' uses what it needs; all in the arena. */
    const char *guest_id, *text;
    int64_t number;
    /* Results: */
    void *ret;
    int64_t ret_number;
};

struct backend_call *backend_call_new(struct backend *b, int (*run)(struct backend_call *call),
                                      void *owner);
/* 0 or the call's own fault; FAULT_TIMEOUT when it was left. */
int backend_call_run(struct backend_call *call, int64_t deadline_ms, struct fault *f);
/* For _cleanup_: gives up the caller's share. */
void backend_call_freep(struct backend_call **call);
