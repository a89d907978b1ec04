/* The volume agent's file driver with a real qemu-storage-daemon, and libnbd where a guest would
 * be.
 *
 * Each test has a folder of its own and the port below on loopback; its storage daemon is ended
 * with it. */
#include "tests/unit/asserts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "services/volume-agent/file.h"
#include "services/volume-agent/image_source.h"
#include "services/volume-agent/service.h"

#define PORT 23000
#define BLOCK 65536
#define MIB (1 << 20)

struct fixture {
    struct volume_agent_config config;
    struct image_source images;
    struct volume_backend *backend;
    struct arena *arena;
    char folder[64];
    const char *image;                     /* File that the image source gives. */
    int (*on_download)(struct fixture *t); /* Called in the middle. */
};

static int
give_image(void *owner, struct arena *a, const struct volume_image *image,
           int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
           void *sink_owner, struct fault *f)
{
    struct fixture *t = owner;
    int fd = open(t->image, O_RDONLY | O_CLOEXEC), r = 0;
    char data[10000];
    ssize_t n;

    (void)a;
    (void)image;
    assert_true(fd >= 0);
    while (r == 0 && (n = read(fd, data, sizeof(data))) > 0) {
        r = sink(sink_owner, data, (size_t)n, f);
        if (t->on_download != NULL)
            assert_int_equal(0, t->on_download(t));
    }
    close(fd);
    return r;
}

static void
open_backend(struct fixture *t)
{
    struct fault f = { 0 };

    if (volume_driver_file.open(&t->config, &t->images, &t->backend, &f) < 0)
        fail_msg("open: %s %s", f.message, f.cause);
}

static void
close_backend(struct fixture *t, bool stop)
{
    t->config.stop_exports = stop;
    volume_driver_file.close(t->backend);
    t->backend = NULL;
}

static int
setup(void **state)
{
    struct fixture *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    snprintf(t->folder, sizeof(t->folder), "/tmp/test-volume-agent-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    t->config.folder = t->folder;
    t->config.nbd_address = "127.0.0.1";
    t->config.nbd_port = PORT;
    t->config.nbd_tls_dir = "";
    t->config.image_deadline_s = 60;
    t->images = (struct image_source){ .download = give_image, .owner = t };
    t->arena = arena_new();
    open_backend(t);
    *state = t;
    return 0;
}

static void
run_tool(struct fixture *t, const char *const *argv)
{
    struct process_run run = { .argv = argv };
    struct fault f = { 0 };

    if (process_run(t->arena, &run, &f) < 0)
        fail_msg("%s: %s", argv[0], f.cause);
}

static int
teardown(void **state)
{
    struct fixture *t = *state;

    if (t->backend == NULL)
        open_backend(t); /* A test that failed while it was closed. */
    close_backend(t, true);
    run_tool(t, (const char *const[]){ "rm", "-rf", t->folder, NULL });
    arena_free(t->arena);
    free(t);
    return 0;
}

/* --- What the service would call. */

#define CALL(t, what, ...)                                                                         \
    do {                                                                                           \
        struct fault _f = { 0 };                                                                   \
        if ((t)->backend->driver->what((t)->backend, __VA_ARGS__, &_f) < 0)                        \
            fail_msg("%s: %s %s", #what, _f.message, _f.cause);                                    \
    } while (0)
#define REFUSED(t, kind, part, what, ...)                                                          \
    do {                                                                                           \
        struct fault _f = { 0 };                                                                   \
        int _r = (t)->backend->driver->what((t)->backend, __VA_ARGS__, &_f);                       \
        assert_fault(_r, _f, kind, part);                                                          \
    } while (0)
#define IN(type, ...) (&(const struct type){ __VA_ARGS__ })

static const char *
make_volume(struct fixture *t, int64_t size_gb)
{
    const char *id = uuid_make(t->arena);

    CALL(t, create, IN(volume_create_in, .volume_id = id, .size_gb = size_gb));
    return id;
}

struct attached {
    const char *volume, *attachment, *name;
    struct nbd_handle *nbd;
};

static struct nbd_handle *
dial(const char *name)
{
    struct nbd_handle *nbd = nbd_create();

    assert_non_null(nbd);
    nbd_set_export_name(nbd, name);
    if (nbd_connect_tcp(nbd, "127.0.0.1", "23000") < 0) {
        nbd_close(nbd);
        return NULL;
    }
    return nbd;
}

static struct attached
attach(struct fixture *t, const char *volume)
{
    struct attached at = { .volume = volume, .attachment = uuid_make(t->arena) };
    struct volume_connection c = { 0 };

    CALL(t, export, t->arena,
         IN(volume_export_in, .volume_id = volume, .attachment_id = at.attachment), &c);
    assert_string_equal("127.0.0.1", c.host);
    assert_int_equal(PORT, c.port);
    at.name = c.export_name;
    at.nbd = dial(c.export_name);
    if (at.nbd == NULL)
        fail_msg("nbd: %s", nbd_get_error());
    return at;
}

static void
detach(struct fixture *t, struct attached *at)
{
    nbd_close(at->nbd);
    at->nbd = NULL;
    CALL(t, unexport,
         IN(volume_unexport_in, .volume_id = at->volume, .attachment_id = at->attachment));
}

static void
put(const struct attached *at, char what, uint64_t offset)
{
    static char block[BLOCK];

    memset(block, what, sizeof(block));
    if (nbd_pwrite(at->nbd, block, sizeof(block), offset, LIBNBD_CMD_FLAG_FUA) < 0)
        fail_msg("write: %s", nbd_get_error());
}

static void
expect(const struct attached *at, char what, uint64_t offset)
{
    static char block[BLOCK];

    memset(block, 'x', sizeof(block));
    if (nbd_pread(at->nbd, block, sizeof(block), offset, 0) < 0)
        fail_msg("read: %s", nbd_get_error());
    for (size_t n = 0; n < sizeof(block); n++) {
        if (block[n] != what)
            fail_msg("byte %zu at %llu is %d, not %d", n, (unsigned long long)offset, block[n],
                     what);
    }
}

/* Attaches, looks, detaches. */
static void
expect_volume(struct fixture *t, const char *volume, char what, uint64_t offset)
{
    struct attached at = attach(t, volume);

    expect(&at, what, offset);
    detach(t, &at);
}

static size_t
count_files(const struct fixture *t, const char *folder)
{
    char path[128];
    size_t count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s", t->folder, folder);
    dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Block nodes that the storage daemon has open; the agent must be closed, for there is one
 * connection. */
static size_t
count_nodes(const struct fixture *t)
{
    char path[128];
    struct fault f = { 0 };
    struct qmp *q;
    json_t *nodes;
    size_t count;

    snprintf(path, sizeof(path), "%s/storage-daemon.qmp", t->folder);
    assert_ok(qmp_open(&q, path, 5000, &f));
    assert_ok(qmp_run(q, t->arena, "query-named-block-nodes", NULL, 5000, &nodes, &f));
    count = json_array_size(nodes);
    qmp_close(q);
    return count;
}

static pid_t
daemon_pid(const struct fixture *t)
{
    char path[128];
    json_t *state;
    pid_t pid;

    snprintf(path, sizeof(path), "%s/storage-daemon.json", t->folder);
    state = json_load_file(path, 0, NULL);
    assert_non_null(state);
    pid = (pid_t)json_integer_value(json_object_get(state, "pid"));
    json_decref(state);
    assert_true(pid > 1);
    return pid;
}

static void
expect_nothing_left(struct fixture *t)
{
    assert_int_equal(0, count_files(t, "volumes"));
    assert_int_equal(0, count_files(t, "snapshots"));
    assert_int_equal(0, count_files(t, "layers"));
    assert_int_equal(0, count_files(t, "incoming"));
    close_backend(t, false);
    assert_int_equal(0, count_nodes(t));
    open_backend(t);
}

/* --- The tests. */

static void
test_life(void **state)
{
    struct fixture *t = *state;
    const char *id = make_volume(t, 1);
    struct attached at;
    struct volume_connection c = { 0 };
    struct stat st;
    char path[256];

    CALL(t, create, IN(volume_create_in, .volume_id = id, .size_gb = 1));
    at = attach(t, id);
    assert_int_equal(GIB, nbd_get_size(at.nbd));
    expect(&at, 0, 0);
    put(&at, 'a', 0);
    put(&at, 'b', 700 * MIB);
    CALL(t, export, t->arena, IN(volume_export_in, .volume_id = id, .attachment_id = at.attachment),
         &c);
    assert_string_equal(at.name, c.export_name);
    REFUSED(t, FAULT_CONFLICT, "is attached", delete, IN(volume_delete_in, .volume_id = id));
    detach(t, &at);
    assert_null(dial(at.name));
    CALL(t, unexport, IN(volume_unexport_in, .volume_id = id, .attachment_id = at.attachment));

    at = attach(t, id);
    expect(&at, 'a', 0);
    expect(&at, 'b', 700 * MIB);
    expect(&at, 0, 300 * MIB);
    snprintf(path, sizeof(path), "%s/volumes/%s.json", t->folder, id);
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0600, st.st_mode & 07777);
    detach(t, &at);
    CALL(t, delete, IN(volume_delete_in, .volume_id = id));
    CALL(t, delete, IN(volume_delete_in, .volume_id = id));
    CALL(t, unexport, IN(volume_unexport_in, .volume_id = id, .attachment_id = at.attachment));
    REFUSED(t, FAULT_NOT_FOUND, "could not be found", export, t->arena,
            IN(volume_export_in, .volume_id = id, .attachment_id = id), &c);
    expect_nothing_left(t);
}

/* The next owner of the same space and the same id reads zeros. */
static void
test_new_volume_is_zero(void **state)
{
    struct fixture *t = *state;
    const char *id = make_volume(t, 1);
    struct attached at = attach(t, id);

    for (uint64_t n = 0; n < 16; n++)
        put(&at, 's', n * BLOCK);
    detach(t, &at);
    CALL(t, delete, IN(volume_delete_in, .volume_id = id));
    CALL(t, create, IN(volume_create_in, .volume_id = id, .size_gb = 1));
    at = attach(t, id);
    for (uint64_t n = 0; n < 16; n++)
        expect(&at, 0, n * BLOCK);
    detach(t, &at);
}

static void
test_unexport_cuts_off(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1)), other = attach(t, at.volume);
    char byte;

    put(&at, 'a', 0);
    expect(&other, 'a', 0);
    CALL(t, unexport,
         IN(volume_unexport_in, .volume_id = at.volume, .attachment_id = at.attachment));
    assert_true(nbd_pread(at.nbd, &byte, 1, 0, 0) < 0);
    expect(&other, 'a', 0);
    nbd_close(at.nbd);
    detach(t, &other);
}

static void
test_read_only(void **state)
{
    struct fixture *t = *state;
    const char *id = make_volume(t, 1), *attachment = uuid_make(t->arena);
    struct volume_connection c = { 0 };
    struct nbd_handle *nbd;

    CALL(t, export, t->arena,
         IN(volume_export_in, .volume_id = id, .attachment_id = attachment, .read_only = true), &c);
    assert_true(c.read_only);
    nbd = dial(c.export_name);
    assert_non_null(nbd);
    assert_int_equal(1, nbd_is_read_only(nbd));
    nbd_close(nbd);
}

static void
test_snapshot_of_attached(void **state)
{
    struct fixture *t = *state;
    const char *snapshot = uuid_make(t->arena), *copy = uuid_make(t->arena);
    struct attached at = attach(t, make_volume(t, 1));

    put(&at, 'a', 0);
    put(&at, 'a', MIB);
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = snapshot, .volume_id = at.volume));
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = snapshot, .volume_id = at.volume));
    put(&at, 'b', 0); /* By the same connection. */
    expect(&at, 'b', 0);
    expect(&at, 'a', MIB);
    REFUSED(t, FAULT_INVALID, "cannot be smaller", create_from_snapshot,
            IN(volume_create_from_snapshot_in, .volume_id = copy, .size_gb = 0,
               .snapshot_id = snapshot));
    CALL(t, create_from_snapshot,
         IN(volume_create_from_snapshot_in, .volume_id = copy, .size_gb = 2,
            .snapshot_id = snapshot));
    expect_volume(t, copy, 'a', 0);
    expect_volume(t, copy, 0, GIB + MIB);

    CALL(t, snapshot_delete, IN(snapshot_delete_in, .snapshot_id = snapshot));
    CALL(t, snapshot_delete, IN(snapshot_delete_in, .snapshot_id = snapshot));
    expect_volume(t, copy, 'a', MIB);
    detach(t, &at);
    expect_volume(t, at.volume, 'b', 0);
    CALL(t, delete, IN(volume_delete_in, .volume_id = at.volume));
    expect_volume(t, copy, 'a', 0);
    CALL(t, delete, IN(volume_delete_in, .volume_id = copy));
    expect_nothing_left(t);
}

static void
test_clone_of_attached(void **state)
{
    struct fixture *t = *state;
    const char *copy = uuid_make(t->arena);
    struct attached at = attach(t, make_volume(t, 1)), clone;

    put(&at, 'a', 0);
    CALL(t, clone,
         IN(volume_clone_in, .volume_id = copy, .size_gb = 1, .source_volume_id = at.volume));
    CALL(t, clone,
         IN(volume_clone_in, .volume_id = copy, .size_gb = 1, .source_volume_id = at.volume));
    clone = attach(t, copy);
    put(&at, 'b', 0);
    expect(&clone, 'a', 0);
    put(&clone, 'c', 0);
    expect(&at, 'b', 0);
    expect(&clone, 'c', 0);
    detach(t, &at);
    detach(t, &clone);
    CALL(t, delete, IN(volume_delete_in, .volume_id = at.volume));
    expect_volume(t, copy, 'c', 0);
    CALL(t, delete, IN(volume_delete_in, .volume_id = copy));
    expect_nothing_left(t);
}

static void
test_extend(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));

    put(&at, 'a', 0);
    REFUSED(t, FAULT_CONFLICT, "is attached", extend,
            IN(volume_extend_in, .volume_id = at.volume, .size_gb = 2));
    detach(t, &at);
    CALL(t, extend, IN(volume_extend_in, .volume_id = at.volume, .size_gb = 2));
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = at.volume));
    CALL(t, extend, IN(volume_extend_in, .volume_id = at.volume, .size_gb = 3));
    CALL(t, extend, IN(volume_extend_in, .volume_id = at.volume, .size_gb = 3));
    REFUSED(t, FAULT_INVALID, "must be greater", extend,
            IN(volume_extend_in, .volume_id = at.volume, .size_gb = 1));
    at = attach(t, at.volume);
    assert_int_equal(3 * GIB, nbd_get_size(at.nbd));
    expect(&at, 'a', 0);
    expect(&at, 0, 3 * (uint64_t)GIB - BLOCK);
    detach(t, &at);
}

/* Waits until the supervisor has written the state of a new storage daemon. */
static void
kill_daemon(struct fixture *t)
{
    char buffer[4096] __attribute__((aligned(8)));
    int fd = inotify_init1(IN_CLOEXEC);
    pid_t before = daemon_pid(t);
    struct volume_list_out list = { 0 };

    assert_true(inotify_add_watch(fd, t->folder, IN_MOVED_TO) >= 0);
    assert_int_equal(0, kill(before, SIGKILL));
    assert_true(read(fd, buffer, sizeof(buffer)) > 0);
    close(fd);
    assert_int_not_equal(before, daemon_pid(t));
    CALL(t, list, t->arena, &list); /* Waits for the lock, and so for the exports. */
}

static void
test_storage_daemon_dies(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1)), other = attach(t, make_volume(t, 1));
    struct backend_status status;
    struct fault f = { 0 };

    put(&at, 'a', 0);
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = at.volume));
    put(&at, 'b', MIB);
    put(&other, 'c', 0);
    kill_daemon(t);
    nbd_close(at.nbd);
    nbd_close(other.nbd);
    at.nbd = dial(at.name);
    other.nbd = dial(other.name);
    assert_non_null(at.nbd);
    assert_non_null(other.nbd);
    expect(&at, 'a', 0);
    expect(&at, 'b', MIB);
    expect(&other, 'c', 0);
    assert_ok(t->backend->driver->status(t->backend, &status, &f));
    assert_true(status.up);
    detach(t, &at);
    detach(t, &other);
}

static void
test_agent_restarts(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));
    pid_t before = daemon_pid(t);
    struct volume_list_out list = { 0 };

    put(&at, 'a', 0);
    close_backend(t, false);
    put(&at, 'b', MIB); /* The guest has not noticed. */
    open_backend(t);
    assert_int_equal(before, daemon_pid(t));
    expect(&at, 'a', 0);
    CALL(t, list, t->arena, &list);
    assert_int_equal(1, list.volumes_count);
    assert_string_equal(at.volume, list.volumes[0].volume_id);
    assert_int_equal(1, list.volumes[0].attachment_ids.count);
    assert_true(list.volumes[0].allocated_bytes > BLOCK);
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = at.volume));
    put(&at, 'c', 0);
    expect(&at, 'b', MIB);
    detach(t, &at);
    expect_volume(t, at.volume, 'c', 0);
}

/* Both at once, as when the machine's power fails. */
static void
test_both_die(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));

    put(&at, 'a', 0);
    close_backend(t, true);
    nbd_close(at.nbd);
    open_backend(t);
    at.nbd = dial(at.name);
    assert_non_null(at.nbd);
    expect(&at, 'a', 0);
    detach(t, &at);
}

/* The agent died after a snapshot's new layer was recorded and before the storage daemon heard of
 * it: the guest went on writing to the layer below. The next agent stacks the layer; no write is
 * lost, and the frozen layer stays as it was then. */
static void
test_store_ahead_of_daemon(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));
    struct file_backend b = { .config = &t->config };
    char first[LAYER_ID], second[LAYER_ID], path[256];
    struct fault f = { 0 };
    struct stat before, after;

    put(&at, 'a', 0);
    close_backend(t, false);
    assert_ok(store_open(&b.store, t->folder, &f));
    assert_ok(layer_freeze(&b, store_volume(&b.store, at.volume), first, &f));
    assert_ok(layer_freeze(&b, store_volume(&b.store, at.volume), second,
                           &f)); /* Twice: two layers behind. */
    store_close(&b.store);
    put(&at, 'b', MIB);
    open_backend(t);
    snprintf(path, sizeof(path), "%s/layers/%s.qcow2", t->folder, first);
    assert_int_equal(0, stat(path, &before));
    put(&at, 'c', 2 * MIB);
    put(&at, 'c', 0);
    expect(&at, 'b', MIB);
    assert_int_equal(0, stat(path, &after));
    assert_int_equal(before.st_blocks, after.st_blocks);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    detach(t, &at);
    expect_volume(t, at.volume, 'c', 0);
    expect_volume(t, at.volume, 'b', MIB);
}

/* Died between opening the new layer in the daemon and stacking it; and a node that no export uses.
 */
static void
test_remains_in_daemon(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));
    struct file_backend b = { .config = &t->config };
    const char *idle = make_volume(t, 1);
    char frozen[LAYER_ID], path[128];
    struct fault f = { 0 };
    const char *layers[2];
    struct qmp *q;

    put(&at, 'a', 0);
    close_backend(t, false);
    assert_ok(store_open(&b.store, t->folder, &f));
    assert_ok(layer_freeze(&b, store_volume(&b.store, at.volume), frozen, &f));
    layers[0] = arena_strdup(t->arena, store_volume(&b.store, at.volume)->layer);
    layers[1] = arena_strdup(t->arena, store_volume(&b.store, idle)->layer);
    snprintf(path, sizeof(path), "%s/storage-daemon.qmp", t->folder);
    assert_ok(qmp_open(&q, path, 5000, &f));
    for (size_t n = 0; n < 2; n++) {
        if (qmp_run(q, t->arena, "blockdev-add",
                    json_pack("{s:s, s:s, s:n, s:{s:s, s:s}}", "driver", "qcow2", "node-name",
                              arena_printf(t->arena, "n-%s", layers[n]), "backing", "file",
                              "driver", "file", "filename",
                              store_layer_path(&b.store, t->arena, layers[n])),
                    5000, NULL, &f) < 0)
            fail_msg("%s", f.cause);
    }
    qmp_close(q);
    store_close(&b.store);
    open_backend(t);
    expect(&at, 'a', 0);
    put(&at, 'b', MIB);
    detach(t, &at);
    expect_volume(t, at.volume, 'a', 0);
    expect_volume(t, at.volume, 'b', MIB);
    expect_volume(t, idle, 0, 0);
    CALL(t, delete, IN(volume_delete_in, .volume_id = idle));
}

static void
test_many_snapshots(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));

    for (int n = 0; n < LAYERS_MAX - 1; n++) {
        put(&at, (char)('0' + n), (uint64_t)n * BLOCK);
        CALL(t, snapshot_create,
             IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = at.volume));
    }
    REFUSED(t, FAULT_CONFLICT, "copy it to a new volume", snapshot_create,
            IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = at.volume));
    detach(t, &at);
    at = attach(t, at.volume); /* Opened as a whole. */
    for (int n = 0; n < LAYERS_MAX - 1; n++)
        expect(&at, (char)('0' + n), (uint64_t)n * BLOCK);
    detach(t, &at);
}

/* --- Several callers at once, while the storage daemon is killed again and again. */

enum { WORKERS = 3, ROUNDS = 6 };

struct worker {
    struct fixture *fixture;
    struct arena *arena;
    pthread_t thread;
    const char *wrong; /* What went wrong, or NULL. */
};

/* As a saga does: again, as long as that may help. */
#define INSIST(w, what, ...)                                                                       \
    do {                                                                                           \
        struct volume_backend *_b = (w)->fixture->backend;                                         \
        struct fault _f = { 0 };                                                                   \
        int _r = -1;                                                                               \
        for (int _n = 0; _r < 0 && _n < 50; _n++) {                                                \
            fault_clear(&_f);                                                                      \
            _r = _b->driver->what(_b, __VA_ARGS__, &_f);                                           \
            if (_r < 0 && !fault_is_transient(&_f) && _f.kind != FAULT_INTERNAL)                   \
                break;                                                                             \
        }                                                                                          \
        if (_r < 0 && (w)->wrong == NULL)                                                          \
            (w)->wrong = arena_printf((w)->arena, "%s: %s %s", #what, _f.message, _f.cause);       \
    } while (0)

/* What was written and acknowledged is there; a connection may break at any moment. */
static void
use_volume(struct worker *w, const char *name, char what)
{
    char block[512], back[512];

    memset(block, what, sizeof(block));
    for (int n = 0; n < 20; n++) {
        struct nbd_handle *nbd = dial(name);
        bool written =
            nbd != NULL && nbd_pwrite(nbd, block, sizeof(block), 0, LIBNBD_CMD_FLAG_FUA) == 0;

        nbd_close(nbd);
        nbd = written ? dial(name) : NULL;
        written = nbd != NULL && nbd_pread(nbd, back, sizeof(back), 0, 0) == 0;
        nbd_close(nbd);
        if (!written)
            continue;
        if (memcmp(block, back, sizeof(block)) != 0)
            w->wrong = "what was written is not what is read";
        return;
    }
}

static void *
work(void *object)
{
    struct worker *w = object;

    for (int n = 0; n < ROUNDS && w->wrong == NULL; n++) {
        const char *id = uuid_make(w->arena), *copy = uuid_make(w->arena),
                   *snapshot = uuid_make(w->arena);
        struct volume_connection c = { 0 }, c2 = { 0 };

        INSIST(w, create, IN(volume_create_in, .volume_id = id, .size_gb = 1));
        INSIST(w, export, w->arena, IN(volume_export_in, .volume_id = id, .attachment_id = id), &c);
        if (w->wrong == NULL)
            use_volume(w, c.export_name, 'a');
        INSIST(w, snapshot_create,
               IN(snapshot_create_in, .snapshot_id = snapshot, .volume_id = id));
        INSIST(w, clone,
               IN(volume_clone_in, .volume_id = copy, .size_gb = 1, .source_volume_id = id));
        INSIST(w, export, w->arena, IN(volume_export_in, .volume_id = copy, .attachment_id = id),
               &c2);
        if (w->wrong == NULL) {
            use_volume(w, c.export_name, 'b');
            use_volume(w, c2.export_name, 'c');
        }
        INSIST(w, unexport, IN(volume_unexport_in, .volume_id = id, .attachment_id = id));
        INSIST(w, delete, IN(volume_delete_in, .volume_id = id));
        INSIST(w, snapshot_delete, IN(snapshot_delete_in, .snapshot_id = snapshot));
        INSIST(w, unexport, IN(volume_unexport_in, .volume_id = copy, .attachment_id = id));
        INSIST(w, delete, IN(volume_delete_in, .volume_id = copy));
    }
    return NULL;
}

static void
test_storm(void **state)
{
    struct fixture *t = *state;
    struct worker workers[WORKERS] = { { 0 } };

    for (size_t n = 0; n < WORKERS; n++) {
        workers[n] = (struct worker){ .fixture = t, .arena = arena_new() };
        assert_int_equal(0, pthread_create(&workers[n].thread, NULL, work, &workers[n]));
    }
    for (int n = 0; n < 4; n++)
        kill_daemon(t);
    for (size_t n = 0; n < WORKERS; n++)
        pthread_join(workers[n].thread, NULL);
    for (size_t n = 0; n < WORKERS; n++) {
        if (workers[n].wrong != NULL)
            fail_msg("%s", workers[n].wrong);
        arena_free(workers[n].arena);
    }
    expect_nothing_left(t);
}

/* A volume that was deleted from the folder, and a folder that no longer fits together. */
static void
test_folder(void **state)
{
    struct fixture *t = *state;
    struct attached at = attach(t, make_volume(t, 1));
    char path[256];
    struct fault f = { 0 };
    struct volume_backend *b;
    FILE *file;

    close_backend(t, false);
    snprintf(path, sizeof(path), "%s/incoming/left", t->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(path, sizeof(path), "%s/volumes/%s.json", t->folder, at.volume);
    assert_int_equal(0, unlink(path));
    open_backend(t);
    assert_null(dial(at.name));
    nbd_close(at.nbd);
    expect_nothing_left(t);

    close_backend(t, false);
    snprintf(path, sizeof(path), "%s/volumes/x.json", t->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"id\": \"../../etc\"}", file);
    fclose(file);
    assert_true(volume_driver_file.open(&t->config, &t->images, &b, &f) < 0);
    assert_non_null(strstr(f.cause, "not a record"));
    assert_int_equal(0, unlink(path));
    open_backend(t);
}

static void
test_port_is_taken(void **state)
{
    struct fixture *t = *state;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(PORT),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct volume_connection c = { 0 };
    struct backend_status status;
    struct fault f = { 0 };
    const char *id;

    close_backend(t, true);
    assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
    assert_int_equal(0, listen(fd, 1));
    open_backend(t);
    assert_ok(t->backend->driver->status(t->backend, &status, &f));
    assert_false(status.up);
    id = make_volume(t, 1);
    REFUSED(t, FAULT_UNAVAILABLE, "not available", export, t->arena,
            IN(volume_export_in, .volume_id = id, .attachment_id = id), &c);
    close(fd);
    CALL(t, export, t->arena, IN(volume_export_in, .volume_id = id, .attachment_id = id), &c);
}

/* Certificates of one authority: for the server, for a client, and one of a stranger's making. */
static void
make_certificates(struct fixture *t)
{
    static const char script[] =
        "set -e; cd \"$1\"; mkdir server client stranger\n"
        "authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=$1 -keyout "
        "$2/ca-key.pem -out $2/ca-cert.pem; }\n"
        "issue() { openssl req -newkey rsa:2048 -nodes -subj /CN=$3 -addext "
        "subjectAltName=IP:127.0.0.1 -keyout $2-key.pem -out $2.csr\n"
        " openssl x509 -req -in $2.csr -CA $1/ca-cert.pem -CAkey $1/ca-key.pem -CAcreateserial "
        "-copy_extensions copy -days 1 -out $2-cert.pem; }\n"
        "authority us server; cp server/ca-cert.pem client; cp server/ca-cert.pem stranger; mkdir "
        "other; authority them other\n"
        "issue server server/server 127.0.0.1; issue server client/client client; issue other "
        "stranger/client client\n";

    run_tool(t, (const char *const[]){ "sh", "-c", script, "sh", t->folder, NULL });
}

static struct nbd_handle *
dial_tls(struct fixture *t, const char *name, const char *folder)
{
    struct nbd_handle *nbd = nbd_create();

    nbd_set_export_name(nbd, name);
    nbd_set_tls(nbd, LIBNBD_TLS_REQUIRE);
    nbd_set_tls_certificates(nbd, arena_printf(t->arena, "%s/%s", t->folder, folder));
    if (nbd_connect_tcp(nbd, "127.0.0.1", "23000") == 0)
        return nbd;
    nbd_close(nbd);
    return NULL;
}

static void
test_tls(void **state)
{
    struct fixture *t = *state;
    const char *id = make_volume(t, 1);
    struct volume_connection c = { 0 };
    struct nbd_handle *nbd;
    char byte = 1;

    close_backend(t, true);
    make_certificates(t);
    t->config.nbd_tls_dir = arena_printf(t->arena, "%s/server", t->folder);
    open_backend(t);
    CALL(t, export, t->arena,
         IN(volume_export_in, .volume_id = id, .attachment_id = uuid_make(t->arena)), &c);
    assert_true(c.tls);
    assert_null(dial(c.export_name));
    assert_null(dial_tls(t, c.export_name, "stranger"));
    nbd = dial_tls(t, c.export_name, "client");
    if (nbd == NULL)
        fail_msg("nbd: %s", nbd_get_error());
    assert_int_equal(0, nbd_pread(nbd, &byte, 1, 0, 0));
    assert_int_equal(0, byte);
    nbd_close(nbd);
    t->config.nbd_tls_dir = "";
    close_backend(t, false);
    open_backend(t); /* Plain text now: the old daemon is not what is configured. */
    nbd = dial(c.export_name);
    assert_non_null(nbd);
    nbd_close(nbd);
}

/* --- Images. */

static const char *
digest(struct fixture *t, const char *path, int64_t *ret_size)
{
    static unsigned char data[8 * MIB], hash[64];
    FILE *file = fopen(path, "r");
    size_t size;

    assert_non_null(file);
    size = fread(data, 1, sizeof(data), file);
    fclose(file);
    assert_true(size > 0 && size < sizeof(data));
    assert_int_equal(1, EVP_Digest(data, size, hash, NULL, EVP_sha512(), NULL));
    *ret_size = (int64_t)size;
    return str_hex(t->arena, hash, sizeof(hash));
}

/* 2 MiB of 'i' and 1 MiB of nothing, as 'driver'. */
static struct volume_image
make_image(struct fixture *t, const char *driver, enum volume_image_disk_format format)
{
    const char *raw = arena_printf(t->arena, "%s/image.raw", t->folder);
    struct volume_image image = { .id = uuid_make(t->arena),
                                  .disk_format = format,
                                  .url = "test:" };
    static char block[2 * MIB];
    int fd = open(raw, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    memset(block, 'i', sizeof(block));
    assert_int_equal((ssize_t)sizeof(block), write(fd, block, sizeof(block)));
    assert_int_equal(0, ftruncate(fd, 3 * MIB));
    close(fd);
    t->image = arena_printf(t->arena, "%s/image.%s", t->folder, driver);
    if (format != VOLUME_IMAGE_DISK_FORMAT_RAW)
        run_tool(t, (const char *const[]){ "qemu-img", "convert", "-f", "raw", "-O", driver, raw,
                                           t->image, NULL });
    image.checksum = digest(t, t->image, &image.size);
    return image;
}

static void
test_from_image(void **state)
{
    static const struct {
        const char *driver;
        enum volume_image_disk_format format;
    } cases[] = {
        { "raw", VOLUME_IMAGE_DISK_FORMAT_RAW },   { "qcow2", VOLUME_IMAGE_DISK_FORMAT_QCOW2 },
        { "vmdk", VOLUME_IMAGE_DISK_FORMAT_VMDK }, { "vpc", VOLUME_IMAGE_DISK_FORMAT_VHD },
        { "vdi", VOLUME_IMAGE_DISK_FORMAT_VDI },
    };
    struct fixture *t = *state;

    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct volume_image image = make_image(t, cases[n].driver, cases[n].format);
        const char *id = uuid_make(t->arena);
        struct attached at;
        int64_t bytes = 0;

        CALL(t, create_from_image, t->arena,
             IN(volume_create_from_image_in, .volume_id = id, .size_gb = 1, .image = &image),
             &bytes);
        assert_in_range(bytes, 3 * MIB, 4 * MIB);
        CALL(t, create_from_image, t->arena,
             IN(volume_create_from_image_in, .volume_id = id, .size_gb = 1, .image = &image),
             &bytes);
        at = attach(t, id);
        assert_int_equal(GIB, nbd_get_size(at.nbd));
        expect(&at, 'i', 0);
        expect(&at, 'i', 2 * MIB - BLOCK);
        expect(&at, 0, 2 * MIB);
        expect(&at, 0, GIB - BLOCK);
        detach(t, &at);
        CALL(t, delete, IN(volume_delete_in, .volume_id = id));
    }
    expect_nothing_left(t);
}

/* Every command names the formats of all files it touches: QEMU's tools never guess. A program in
 * front of qemu-img writes down what it is given. */
static void
test_nothing_probes(void **state)
{
    static const char script[] = "cd \"$1\"; mkdir bin; printf '#!/bin/sh\\necho \"$*\" >> "
                                 "\"%s/commands\"\\nexec /usr/bin/qemu-img \"$@\"\\n' "
                                 "\"$1\" > bin/qemu-img; chmod 755 bin/qemu-img";
    struct fixture *t = *state;
    struct volume_image image = make_image(t, "qcow2", VOLUME_IMAGE_DISK_FORMAT_QCOW2);
    const char *id = uuid_make(t->arena), *path = arena_strdup(t->arena, getenv("PATH"));
    int commands = 0, converted = 0;
    int64_t bytes = 0;
    char line[4096];
    FILE *file;

    run_tool(t, (const char *const[]){ "sh", "-c", script, "sh", t->folder, NULL });
    setenv("PATH", arena_printf(t->arena, "%s/bin:%s", t->folder, path), 1);
    CALL(t, create_from_image, t->arena,
         IN(volume_create_from_image_in, .volume_id = id, .size_gb = 1, .image = &image), &bytes);
    CALL(t, snapshot_create,
         IN(snapshot_create_in, .snapshot_id = uuid_make(t->arena), .volume_id = id));
    CALL(t, extend, IN(volume_extend_in, .volume_id = id, .size_gb = 2));
    CALL(t, clone,
         IN(volume_clone_in, .volume_id = uuid_make(t->arena), .size_gb = 2,
            .source_volume_id = id));
    make_volume(t, 1);
    setenv("PATH", path, 1);

    file = fopen(arena_printf(t->arena, "%s/commands", t->folder), "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        commands++;
        converted += str_starts(line, "convert ");
        if (strstr(line, " -f ") == NULL ||
            (strstr(line, " -b ") != NULL && strstr(line, " -F qcow2 ") == NULL) ||
            (str_starts(line, "convert ") && strstr(line, " -O ") == NULL))
            fail_msg("%s", line);
    }
    fclose(file);
    assert_int_equal(1, converted);
    assert_int_equal(7, commands);
}

static int
delete_the_volume(struct fixture *t)
{
    struct volume_delete_in in = { .volume_id = "11111111-2222-4333-8444-555555555555" };
    struct fault f = { 0 };

    return t->backend->driver->delete (t->backend, &in, &f);
}

static void
test_from_bad_image(void **state)
{
    struct fixture *t = *state;
    struct volume_image good = make_image(t, "qcow2", VOLUME_IMAGE_DISK_FORMAT_QCOW2), bad;
    const char *id = "11111111-2222-4333-8444-555555555555";
    struct volume_create_from_image_in in = { .volume_id = id, .size_gb = 1, .image = &bad };
    char event[512] __attribute__((aligned(8)));
    int watch;
    const char *secret = arena_printf(t->arena, "%s/secret", t->folder);
    const char *backed = arena_printf(t->arena, "%s/backed", t->folder),
               *large = arena_printf(t->arena, "%s/large", t->folder);
    int64_t bytes = 0;

    bad = good;
    bad.checksum = "00";
    REFUSED(t, FAULT_INVALID, "checksum", create_from_image, t->arena, &in, &bytes);
    bad = good;
    bad.size--;
    REFUSED(t, FAULT_INVALID, "larger than its record", create_from_image, t->arena, &in, &bytes);
    bad.size += 2;
    REFUSED(t, FAULT_INVALID, "smaller than its record", create_from_image, t->arena, &in, &bytes);
    bad = good;
    bad.disk_format = VOLUME_IMAGE_DISK_FORMAT_RAW;
    REFUSED(t, FAULT_INVALID, "bytes are qcow2", create_from_image, t->arena, &in, &bytes);
    bad = good;
    t->on_download = delete_the_volume;
    REFUSED(t, FAULT_CONFLICT, "was deleted", create_from_image, t->arena, &in, &bytes);
    t->on_download = NULL;

    /* The file that the image names is never opened. */
    run_tool(t, (const char *const[]){ "cp", "/etc/hostname", secret, NULL });
    run_tool(t, (const char *const[]){ "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                                       secret, backed, "1M", NULL });
    watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(inotify_add_watch(watch, secret, IN_OPEN) >= 0);
    t->image = backed;
    bad.checksum = digest(t, backed, &bad.size);
    REFUSED(t, FAULT_INVALID, "backing file", create_from_image, t->arena, &in, &bytes);
    assert_true(read(watch, event, sizeof(event)) < 0 && errno == EAGAIN);
    close(watch);
    run_tool(t, (const char *const[]){ "qemu-img", "create", "-q", "-f", "qcow2", large, "1025M",
                                       NULL });
    t->image = large;
    bad.checksum = digest(t, large, &bad.size);
    REFUSED(t, FAULT_INVALID, "larger than volume size", create_from_image, t->arena, &in, &bytes);
    REFUSED(t, FAULT_NOT_FOUND, "could not be found", extend,
            IN(volume_extend_in, .volume_id = id, .size_gb = 2));
    expect_nothing_left(t);
}

/* qcow2 whose L2 table points behind the end: passes the header's inspection, and qemu-img's
 * reading finds zeros or an error; it must not become more than that. */
static void
test_from_damaged_image(void **state)
{
    struct fixture *t = *state;
    struct volume_image image = make_image(t, "qcow2", VOLUME_IMAGE_DISK_FORMAT_QCOW2);
    struct volume_create_from_image_in in = { .volume_id = uuid_make(t->arena),
                                              .size_gb = 1,
                                              .image = &image };
    int fd = open(t->image, O_RDWR | O_CLOEXEC);
    uint8_t entry[8];
    int64_t bytes = 0;
    struct fault f = { 0 };

    assert_int_equal(8, pread(fd, entry, 8, 0x30000)); /* The L1 table, as qemu-img places it. */
    entry[0] = 0;
    assert_int_equal(4, entry[5]);
    assert_int_equal(8, pwrite(fd, "\x80\0\0\0\0\0\2\0", 8, 0x40000)); /* Not aligned: corrupt. */
    close(fd);
    image.checksum = digest(t, t->image, &image.size);
    assert_fault(t->backend->driver->create_from_image(t->backend, t->arena, &in, &bytes, &f), f,
                 FAULT_INVALID, "cannot be converted");
    assert_null(strstr(f.message, t->folder));
    expect_nothing_left(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_volume_is_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unexport_cuts_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot_of_attached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clone_of_attached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extend, setup, teardown),
        cmocka_unit_test_setup_teardown(test_storage_daemon_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_both_die, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_ahead_of_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remains_in_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_storm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_image, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_probes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_bad_image, setup, teardown),
        cmocka_unit_test_setup_teardown(test_from_damaged_image, setup, teardown),
    };

    log_setup("test-volume-agent", LOG_ERROR, LOG_KEYVALUE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
