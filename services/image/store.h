/* The store: one folder with the bytes of all images, a file for each, named by a random id that the
 * store made (never by what a client sent). Files are opened beneath the folder only, and through no
 * symbolic link.
 *
 *   <id>.part   is being written; its writer holds a lock on it as long as it lives
 *   <id>        all of it is there and on the disk
 *
 * The lock, an flock(2), says whether a writer is alive, in any process that shares the folder; so
 * what a killed one left can be told from what another is just writing. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "base/uuid.h"

struct store;

/* Makes the folder if it is missing (0700). */
int store_open(struct store **ret, const char *folder, struct fault *f);
void store_close(struct store *s); /* NULL does nothing. */

/* A file that is being written. */
struct store_file {
    struct store *store;
    char id[UUID_TEXT];
    int fd;
    bool kept; /* Has its final name. */
    bool left; /* Stays when this goes out of scope. */
};

int store_create(struct store *s, struct store_file *ret, struct fault *f);
/* Appends. FAULT_TOO_LARGE: the disk is full. */
int store_write(struct store_file *file, const void *data, size_t size, int64_t offset,
                struct fault *f);
/* To the disk, and under its final name. FAULT_GONE: somebody removed it meanwhile. */
int store_keep(struct store_file *file, struct fault *f);
/* From here on it is the database that knows whether the file is needed. */
void store_leave(struct store_file *file);
/* Releases the lock, and removes the file if it was not left. { 0 } does nothing. For _cleanup_. */
void store_file_done(struct store_file *file);

/* A descriptor for reading, and the size. FAULT_NOT_FOUND. */
int store_read(struct store *s, const char *id, int *ret_fd, int64_t *ret_size, struct fault *f);
/* Removes the file, complete or not. It may be absent. */
void store_remove(struct store *s, const char *id);

/* Is the file there, under either name, and does a writer hold it? */
bool store_is_held(struct store *s, const char *id);

/* Calls 'each' for every file of the store that no writer holds. */
int store_each(struct store *s, void (*each)(void *owner, const char *id, bool complete),
               void *owner, struct fault *f);
