/* Runs a saga in every way it can go wrong, and compares what is left with what should be.
 *
 * Plain; each step failed before and after its act; each act run twice; a failure that passes; the process killed (-9) before and
 * after each act and then resumed by another; and, with the last step failing: each undo run twice, failed once, and killed
 * before and after. After a failed run the world must be as it was before the wish, after the others as after the
 * plain run. What is the world, the test says: rows, and what a simulated backend holds.
 *
 * Killed runs happen in a forked child: a backend's memory must come from saga_harness_shared(), and the test may have no
 * threads of its own.
 *
 *   static const struct saga_harness harness = { .saga = &snapshot_create_saga, .object_id = "...", .reset = ..., ... };
 *   static void test_saga(void **state) { saga_harness_run(&harness, *state); } */
#pragma once

#include "common/base/str.h"
#include "common/saga/saga.h"
#include "pg.h"

struct saga_harness {
    const struct saga *saga;
    const struct saga *const *others; /* Sagas that it starts, or NULL. */
    size_t others_count;
    const char *object_id;
    void *service; /* What the saga sees as run->service. */
    /* Puts the world into the state before the wish, whatever state it is in. */
    void (*reset)(struct pg *pg, void *service);
    /* Writes the wish and calls saga_start(), in the open transaction. */
    int (*start)(struct saga_runner *r, struct db_tx *tx, void *service, struct fault *f);
    /* The whole world as text, without times and random ids; in the arena. */
    char *(*snapshot)(struct arena *a, struct pg *pg, void *service);
    /* A failed run leaves a trace (the object in error): then all failed runs must be like the one whose first step
     * failed before it did anything. */
    bool failure_shows;
    /* The saga takes nothing back: after its first step nothing in it fails for good, so that is not tried. */
    bool forward_only;
    int wait_ms; /* For one run; 0: 20 s. */
};

/* Fails the cmocka test, after all runs, with a list of those that went wrong. */
void saga_harness_run(const struct saga_harness *h, struct pg *pg);

/* How many runs went wrong; what and how is added to 'report'. */
size_t saga_harness_check(const struct saga_harness *h, struct pg *pg, struct str *report);

/* Zeroed memory that parent and children share. */
void *saga_harness_shared(size_t size);
