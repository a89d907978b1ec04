/* The records of the store as JSON files: one function each way per kind. Names are paths below the
 * folder 'dir'. */
#pragma once

#include "store.h"

/* As openat(), but the name cannot leave the folder, by '..' or by a symbolic link. */
int record_open(int dir, const char *name, int flags, unsigned mode);

int record_read_layer(int dir, const char *name, struct layer *ret, struct fault *f);
int record_read_volume(int dir, const char *name, struct volume *ret, struct fault *f);
int record_read_snapshot(int dir, const char *name, struct snapshot *ret, struct fault *f);
int record_write_layer(int dir, const struct layer *layer, struct fault *f);
int record_write_volume(int dir, const struct volume *v, struct fault *f);
int record_write_snapshot(int dir, const struct snapshot *snapshot, struct fault *f);

/* Gone already is no error. */
int record_remove(int dir, const char *folder, const char *id, struct fault *f);
