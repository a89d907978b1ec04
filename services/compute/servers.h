/* Servers: loading one for an operation, and what it may be asked to do now. */
#pragma once

#include "remote.h"
#include "server_state.h"

/* Loads the server the path names for this caller and enforces the operation's rule on it. */
int server_load(struct call *call, struct db *db, bool lock, struct server *ret, struct fault *f);

/* An address in the one form that it has (RFC 5952): "::1" for "0:0:0::0001". Text that is none is left as it is. */
const char *server_address_text(struct arena *a, const char *text);

/* Its open saga, if any. */
int server_busy(struct db *db, const char *server_id, struct server_busy *ret, struct fault *f);

/* May 'action' be done now? 'allowed': bits 1 << vm_state. FAULT_CONFLICT in upstream's words for a locked or busy server or a wrong
 * state. Call it with the row locked. */
int server_check_action(struct call *call, struct db *db, const struct server *server,
                        const char *action, unsigned allowed, struct fault *f);

/* Starts a saga about the server and notes the action and its event, in the caller's transaction. */
int server_start_task(struct call *call, struct db_tx *tx, const struct server *server,
                      const struct saga *saga, const char *action, const char *event,
                      json_t *params, const struct saga_start_options *more, struct fault *f);

/* For sagas: loads by id without scope. FAULT_NOT_FOUND when it is gone. */
int server_of_run(struct saga_run *run, struct server *ret, struct fault *f);
/* The last step of every task: its event ended well. */
int server_task_done(struct saga_run *run, struct fault *f);
/* The 'failed' of tasks that leave the server as it was: notes the reason with the action. */
int server_task_failed(struct saga_run *run, struct fault *f);
/* The 'failed' of tasks that leave the server in no known state: ERROR with the reason as its fault, and the same note. */
int server_task_broke(struct saga_run *run, struct fault *f);
/* The operation id of a step's call to an agent: another one for each try, so that no remembered failure is the answer. */
const char *server_operation_id(struct saga_run *run, const char *what);
/* {"code", "created", "message", "details"} of the run's reason. */
json_t *server_fault_json(struct saga_run *run);

#define STATE_BIT(x) (1u << SERVER_VM_STATE_##x)
#define STATE_ANY (~0u)

extern const struct saga server_create_saga, server_delete_saga, server_start_saga,
    server_stop_saga, server_reboot_saga, server_reboot_hard_saga, volume_attach_saga,
    volume_detach_saga, interface_attach_saga, interface_detach_saga, host_sync_saga;
