/* What a server's stored state and its open saga mean to a client: status and task_state. Pure. */
#pragma once

#include "compute_api.h"

/* An open saga of a server; NULLs: none. */
struct server_busy {
    const char *saga, *step, *direction;
};

/* "spawning", "deleting"... or NULL where nothing is shown (volumes, interfaces). */
const char *server_task_state(const struct server_busy *busy);
/* "ACTIVE", "BUILD", ... */
const char *server_status(enum server_vm_state vm_state, const char *task_state);
/* A vm_state that a status filter means: -1 for none; several statuses may mean one. */
int server_vm_state_of_status(const char *status);

/* The libvirt-like numbers of the API: 0 nostate, 1 running, 3 paused, 4 shutdown, 6 crashed, 7 suspended. */
int server_power_number(const char *agent_state);
