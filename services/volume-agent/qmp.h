/* QMP: the JSON protocol by which QEMU's programs are driven, over a unix socket
 * (docs/interop/qmp-spec.txt).
 *
 * One command at a time, each with a deadline; events that come in between are kept until somebody
 * waits for them. Not thread-safe. After FAULT_UNAVAILABLE or FAULT_TIMEOUT the connection is of no
 * further use: close it and open another. */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/fault.h"

struct qmp;

/* Connects and ends the greeting phase. FAULT_UNAVAILABLE: nobody listens; FAULT_TIMEOUT: no
 * greeting (the program hangs, or has another client). */
int qmp_open(struct qmp **ret, const char *path, int deadline_ms, struct fault *f);
void qmp_close(struct qmp *q);

/* Runs 'command'; takes 'arguments' (NULL: none) in any case. *ret: its "return", in the arena;
 * 'ret' may be NULL. What the program refuses is FAULT_INTERNAL, with its words in the cause. */
int qmp_run(struct qmp *q, struct arena *a, const char *command, json_t *arguments, int deadline_ms,
            json_t **ret, struct fault *f);

/* Waits for the event 'name' whose data has 'value' as its member 'key', or takes it from those
 * that came already. Data of the event in 'ret', if not NULL. */
int qmp_wait_event(struct qmp *q, struct arena *a, const char *name, const char *key,
                   const char *value, int deadline_ms, json_t **ret, struct fault *f);

/* Forgets the events that came so far: before the command whose event will be waited for. */
void qmp_drop_events(struct qmp *q);
