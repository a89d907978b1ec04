/* What drained hosts run: what is to be moved, as the database has it; and what became of it, as the answer says it. */
#pragma once

#include "base/jsonw.h"
#include "service.h"
#include "simulation.h"

/* Reads who holds what on the drained hosts into 'changes'. The mirror is not held: this waits for the database. */
int simulate_find_moves(struct call *call, const struct mirror_fork *fork,
                        struct simulation_changes *changes, struct fault *f);

/* The members "displaced" and "moved". */
void simulate_write_moves(struct jsonw *w, const struct mirror_fork *fork,
                          const struct simulation_changes *changes,
                          const struct simulation_outcome *o);
