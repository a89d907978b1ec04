/* A saga to test sagas with: it puts three things into a table, and a light on in a simulated backend. */
#pragma once

#include "common/saga/saga.h"
#include "tests/lib/pg.h"

struct toy {
    _Atomic int lights;    /* The backend: bit per object, here only one. */
    _Atomic int blocked;   /* Steps 'hold' wait while it is set. */
    _Atomic int holding;   /* A step waits. */
    _Atomic int transient; /* So many tries of step 'light' fail for a moment. */
    _Atomic int acts, undos, failures;
    _Atomic int seen_cancel;
};

#define TOY_OBJECT "0b8e1c1e-7d2c-4a53-9f57-0e6a4f1f2a11"

extern const struct saga toy_saga;      /* reserve, light, publish */
extern const struct saga toy_hold_saga; /* One step, that waits while toy->blocked. */
extern const struct saga
    toy_broken_saga; /* Its acts add anew each time; an undo forgets something. */
extern const struct saga *const toy_table[3];

void toy_create_tables(struct pg *pg);
void toy_reset(struct pg *pg, void *service);
char *toy_snapshot(struct arena *a, struct pg *pg, void *service);
