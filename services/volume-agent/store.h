/* What the file driver keeps, in a folder that describes itself.
 *
 *   layers/ID.qcow2      data: what was written since the layer was made
 *   layers/ID.json       its parent, below which it reads on
 *   volumes/UUID.json    a volume: its size, its topmost layer, its exports
 *   snapshots/UUID.json  a snapshot: its layer, which nobody writes to any more
 *   incoming/            images on their way in; emptied at start
 *
 * A volume writes to its topmost layer, which is its alone. A snapshot or clone freezes that layer
 * and puts a new, empty one on top; so both cost nothing, and a layer stays as long as something
 * reads through it. Files of layers that nothing reads any more are removed: their space goes back
 * to the file system, which gives zeros to the next owner.
 *
 * Records are written to a new file, synced and renamed: each is the old one or the new one, whole.
 * All files are 0600, the folders 0700. Names are made here from checked ids and opened beneath the
 * folder. Not thread-safe. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/map.h"
#include "base/uuid.h"

#define LAYER_ID 25 /* 24 hex digits: a QEMU node's name has at most 31 characters. */

struct layer {
    char id[LAYER_ID];
    char parent[LAYER_ID]; /* "": none */
    char owner[UUID_TEXT]; /* The volume whose topmost layer it is or was. */
};

struct volume_export {
    struct list link;
    char attachment_id[UUID_TEXT];
    char client[256]; /* Address that will connect, for the operator. */
    bool read_only;
};

struct volume {
    char id[UUID_TEXT];
    char layer[LAYER_ID]; /* The topmost. */
    int64_t size_gb;
    struct list exports; /* struct volume_export */
};

struct snapshot {
    char id[UUID_TEXT];
    char volume_id[UUID_TEXT];
    char layer[LAYER_ID];
    int64_t size_gb;
};

struct store {
    char path[PATH_MAX];                      /* Absolute. */
    int fd;                                   /* Of the folder. */
    struct map *layers, *volumes, *snapshots; /* By id; theirs are the values. */
};

/* Opens the folder, made if need be, and reads all of it. A record that cannot be read is a fault:
 * nothing is guessed and nothing removed. */
int store_open(struct store *s, const char *path, struct fault *f);
void store_close(struct store *s);

/* Borrowed; NULL: there is none. */
struct volume *store_volume(const struct store *s, const char *id);
struct snapshot *store_snapshot(const struct store *s, const char *id);
struct layer *store_layer(const struct store *s, const char *id);
struct volume_export *volume_find_export(const struct volume *v, const char *attachment_id);

/* Absolute path of a layer's file or of a file in incoming/, in the arena. */
char *store_layer_path(const struct store *s, struct arena *a, const char *layer);
char *store_incoming_path(const struct store *s, struct arena *a, const char *name);

void layer_new_id(char ret[LAYER_ID]);

/* Makes an empty file for a layer or in incoming/ (mode 0600), which a tool then fills. */
int store_make_file(struct store *s, const char *folder, const char *name, struct fault *f);
/* The file of an image that is complete becomes a layer without parent. */
int store_adopt_incoming(struct store *s, const char *name, const char *layer, struct fault *f);
void store_remove_incoming(struct store *s, const char *name);

/* Writes the record; then, and only then, the store has it. 'v' and the others are copied where
 * they are new; exports move over to the store's own. */
int store_put_layer(struct store *s, const struct layer *layer, struct fault *f);
int store_put_snapshot(struct store *s, const struct snapshot *snapshot, struct fault *f);
int store_new_volume(struct store *s, const char *id, const char *layer, int64_t size_gb,
                     struct fault *f);
/* Writes a record of the store's own that was changed in place. On failure the caller takes its
 * change back. */
int store_save_volume(struct store *s, const struct volume *v, struct fault *f);

int store_remove_volume(struct store *s, const char *id, struct fault *f);
int store_remove_snapshot(struct store *s, const char *id, struct fault *f);

/* Removes the layers that no volume and no snapshot reads through; says how many. */
size_t store_sweep(struct store *s);

/* Allocated bytes of a layer's file; 0 when it is gone. */
int64_t store_layer_bytes(const struct store *s, const char *layer);
