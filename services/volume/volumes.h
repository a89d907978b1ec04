/* Volumes: loading one for an operation, what may be done with it when, and its parts.
 *
 * Listing, showing and renaming them is the resource engine's work, driven by api-specs/volume. A volume's status is derived (see
 * migrations/volume); it is true only when it is read after the row was locked, in a statement of its own. */
#pragma once

#include "sagas.h"

#define STATUS_BIT(x) (1u << VOLUME_STATUS_##x)

/* Loads the volume 'id' within the caller's scope and enforces the operation's rule on it. */
int volume_load(struct call *call, struct db *db, const char *id, struct volume *ret,
                struct fault *f);
/* The same with the row locked until the transaction ends; then 'ret->status' holds as long. */
int volume_load_locked(struct call *call, struct db_tx *tx, const char *id, struct volume *ret,
                       struct fault *f);
/* In sagas. FAULT_NOT_FOUND when it is gone. */
int volume_of_run(struct saga_run *run, const char *id, struct volume *ret, struct fault *f);

/* May a volume in that status be used so? 'allowed': STATUS_BITs; 'what' as in "to <what>", may be NULL. Pure. */
int volume_check_status(const char *id, enum volume_status status, unsigned allowed,
                        const char *what, struct fault *f);

/* Starts the deletion of a locked volume. */
int volume_start_delete(struct call *call, struct db_tx *tx, const struct volume *volume,
                        bool cascade, bool force, struct fault *f);
