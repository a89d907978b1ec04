/* Supervision of qemu-storage-daemon.
 *
 * It is started with --daemonize, so that its start is a program that ends: with 0 when the sockets
 * are open, or with words on standard error. It is nobody's child then; a pidfd tells when it is
 * gone. */
#include "storage_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/str.h"

#define START_DEADLINE_MS 15000
#define QMP_DEADLINE_MS 5000
#define DYING_MS 2000
#define FILES_MAX 65536 /* A few for each volume, its layers and its clients. */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STABLE_MS 30000 /* Ran so long: the next start is at once. */

struct storage_daemon {
    struct storage_daemon_options options;
    char pid_path[PATH_MAX], state_path[PATH_MAX], socket_path[PATH_MAX];
    pthread_mutex_t mutex;
    pthread_t thread;
    int wake; /* eventfd: end of the watching. */
    atomic_bool up;
    /* Under the mutex: */
    struct qmp *qmp;
    pid_t pid; /* 0: none */
    uint64_t start_time;
    int pidfd;
};

static void
forget(struct storage_daemon *d)
{
    atomic_store(&d->up, false);
    qmp_close(d->qmp);
    d->qmp = NULL;
    if (d->pidfd >= 0)
        close(d->pidfd);
    d->pidfd = -1;
    d->pid = 0;
}

/* Is the process still there? Dead ones that nobody has reaped yet are not. */
static bool
alive(const struct storage_daemon *d)
{
    struct pollfd p = { .fd = d->pidfd, .events = POLLIN };

    return d->pid != 0 && poll(&p, 1, 0) == 0;
}

static int
watch_process(struct storage_daemon *d, pid_t pid, uint64_t start_time)
{
    d->pidfd = pidfd_open(pid, 0);
    if (d->pidfd < 0)
        return -errno;
    /* The descriptor is of the process that has the pid now; the start time says whether that is
     * ours. */
    if (process_start_time(pid) != start_time) {
        close(d->pidfd);
        d->pidfd = -1;
        return -ESRCH;
    }
    d->pid = pid;
    d->start_time = start_time;
    return 0;
}

static int
read_pid(const struct storage_daemon *d, pid_t *ret)
{
    char text[32] = { 0 };
    int64_t pid;
    int fd = open(d->pid_path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return -EINVAL;
    text[strcspn(text, "\n")] = '\0';
    if (str_to_int64(text, 1, INT32_MAX, &pid) < 0)
        return -EINVAL;
    *ret = (pid_t)pid;
    return 0;
}

/* Who the daemon is and where it listens, for the next agent. */
static int
write_state(const struct storage_daemon *d)
{
    json_auto_t *state =
        json_pack("{s:I, s:I, s:s, s:i, s:s}", "pid", (json_int_t)d->pid, "start_time",
                  (json_int_t)d->start_time, "address", d->options.address, "port", d->options.port,
                  "tls_dir", d->options.tls_dir);
    char fresh[PATH_MAX + 8];

    snprintf(fresh, sizeof(fresh), "%s.new", d->state_path);
    if (json_dump_file(state, fresh, JSON_COMPACT) < 0 || chmod(fresh, 0600) < 0 ||
        rename(fresh, d->state_path) < 0)
        return -EIO;
    return 0;
}

/* The daemon of an earlier agent, if it still runs. One that listens elsewhere than configured now
 * is ended. */
static bool
take_over(struct storage_daemon *d)
{
    json_auto_t *state = json_load_file(d->state_path, 0, NULL);
    pid_t pid = (pid_t)json_get_int(state, "pid");

    if (pid <= 1 || watch_process(d, pid, (uint64_t)json_get_int(state, "start_time")) < 0)
        return false;
    if (!alive(d)) {
        forget(d);
        return false;
    }
    if (str_equal(json_get_text(state, "address"), d->options.address) &&
        json_get_int(state, "port") == d->options.port &&
        str_equal(json_get_text(state, "tls_dir"), d->options.tls_dir)) {
        log_info("storage_daemon.adopted pid=%d", (int)d->pid);
        return true;
    }
    log_warn("storage_daemon.moved pid=%d cause=configuration", (int)d->pid);
    process_stop(d->pid, d->start_time, 5000);
    forget(d);
    return false;
}

/* As many as we may have ourselves, within reason. */
static int64_t
files_limit(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < FILES_MAX
               ? (int64_t)limit.rlim_max
               : FILES_MAX;
}

static int
start(struct storage_daemon *d, struct fault *f)
{
    const struct storage_daemon_options *o = &d->options;
    bool tls = !str_empty(o->tls_dir);
    struct arena *a = arena_new();
    const char *argv[16] = {
        "qemu-storage-daemon",
        "--daemonize",
        "--pidfile",
        d->pid_path,
        "--chardev",
        arena_printf(a, "socket,id=qmp,path=%s,server=on,wait=off", d->socket_path),
        "--monitor",
        "chardev=qmp",
    };
    struct process_run run = { .argv = argv,
                               .deadline_ms = START_DEADLINE_MS,
                               .limits = { .files = files_limit() } };
    size_t n = 8; /* So many stand above. */
    pid_t pid = 0;
    int r;

    if (tls) { /* Before what uses it. */
        argv[n++] = "--object";
        argv[n++] = arena_printf(a, "tls-creds-x509,id=tls0,dir=%s,endpoint=server,verify-peer=on",
                                 o->tls_dir);
    }
    argv[n++] = "--nbd-server";

    argv[n++] = arena_printf(a, "addr.type=inet,addr.host=%s,addr.port=%d,max-connections=0%s",
                             o->address, o->port, tls ? ",tls-creds=tls0" : "");
    unlink(d->pid_path);
    unlink(d->socket_path);
    r = process_run(a, &run, f);
    arena_free(a);
    if (r < 0)
        return r;
    r = read_pid(d, &pid);
    if (r == 0)
        r = watch_process(d, pid, process_start_time(pid));
    if (r == 0)
        r = write_state(d);
    if (r < 0) {
        forget(d);
        return fault_raise_cause(f, "qemu-storage-daemon: %s", strerror(-r));
    }
    log_info("storage_daemon.started pid=%d address=%s port=%d", (int)pid, o->address, o->port);
    return 0;
}

/* A connection to a daemon that runs, with everything in place. */
static int
connect_and_restore(struct storage_daemon *d, struct fault *f)
{
    int r = qmp_open(&d->qmp, d->socket_path, QMP_DEADLINE_MS, f);

    if (r < 0)
        return r;
    r = d->options.restore(d->options.owner, d->qmp, f);
    if (r < 0) {
        qmp_close(d->qmp); /* So that it is tried again as a whole. */
        d->qmp = NULL;
        return r;
    }
    atomic_store(&d->up, true);
    return 0;
}

static int
ensure_once(struct storage_daemon *d, struct fault *f)
{
    int r;

    if (d->pid != 0 && !alive(d)) {
        log_warn("storage_daemon.died pid=%d", (int)d->pid);
        forget(d);
    }
    if (d->pid == 0) {
        r = start(d, f);
        if (r < 0)
            return r;
    }
    return d->qmp == NULL ? connect_and_restore(d, f) : 0;
}

/* Whatever it takes to have a daemon and a connection. A process that is being killed refuses
 * connections a moment before it is dead: that moment is waited for, and then there is another one.
 */
static int
ensure(struct storage_daemon *d, struct fault *f)
{
    struct pollfd p = { .events = POLLIN };
    int r = ensure_once(d, f);

    if (r == 0 || f->kind != FAULT_UNAVAILABLE || d->pid == 0)
        return r;
    p.fd = d->pidfd;
    if (poll(&p, 1, DYING_MS) <= 0)
        return r;
    fault_clear(f);
    return ensure_once(d, f);
}

int
storage_daemon_qmp(struct storage_daemon *d, struct qmp **ret, struct fault *f)
{
    int r;

    if (d->qmp != NULL && alive(d)) {
        *ret = d->qmp;
        return 0;
    }
    r = ensure(d, f);
    if (r < 0) {
        char cause[sizeof(f->cause)];

        memcpy(cause, f->cause, sizeof(cause));
        fault_raise(f, FAULT_UNAVAILABLE, "The storage daemon is not available.");
        return fault_add_cause(f, "%s", cause);
    }
    *ret = d->qmp;
    return 0;
}

void
storage_daemon_failed(struct storage_daemon *d, const struct fault *f)
{
    if (!fault_is_transient(f))
        return; /* A refused command; the connection is sound. */
    qmp_close(d->qmp);
    d->qmp = NULL;
    atomic_store(&d->up, false);
}

void
storage_daemon_lock(struct storage_daemon *d)
{
    pthread_mutex_lock(&d->mutex);
}

void
storage_daemon_unlock(struct storage_daemon *d)
{
    pthread_mutex_unlock(&d->mutex);
}

bool
storage_daemon_up(const struct storage_daemon *d)
{
    return atomic_load(&d->up);
}

/* Waits until the process of 'pidfd' (-1: none) ends, 'wait_ms' pass (-1: for ever), or the
 * watching is to end; true for the last. */
static bool
watch(const struct storage_daemon *d, int pidfd, int wait_ms)
{
    struct pollfd p[2] = { { .fd = d->wake, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

    return poll(p, pidfd >= 0 ? 2 : 1, wait_ms) > 0 && p[0].revents != 0;
}

static void *
supervise(void *object)
{
    struct storage_daemon *d = object;
    int backoff_ms = 0;
    int64_t began_ms = clock_mono_ms();

    for (;;) {
        struct fault f = { 0 };
        int pidfd, r;
        bool ending;

        /* A copy: the descriptor may be closed by a caller that finds the process dead before us.
         */
        storage_daemon_lock(d);
        pidfd = d->pidfd >= 0 ? fcntl(d->pidfd, F_DUPFD_CLOEXEC, 3) : -1;
        storage_daemon_unlock(d);
        ending = pidfd >= 0 && storage_daemon_up(d) && watch(d, pidfd, -1);
        if (pidfd >= 0)
            close(pidfd);
        if (ending)
            return NULL;

        if (clock_mono_ms() - began_ms > STABLE_MS)
            backoff_ms = 0;
        if (backoff_ms > 0 && watch(d, -1, backoff_ms))
            return NULL;
        backoff_ms = MIN(MAX(backoff_ms * 2, BACKOFF_MIN_MS), BACKOFF_MAX_MS);
        storage_daemon_lock(d);
        r = ensure(d, &f);
        storage_daemon_unlock(d);
        began_ms = clock_mono_ms();
        if (r < 0)
            log_error("storage_daemon.unavailable retry_ms=%d cause=%s", backoff_ms, f.cause);
    }
}

int
storage_daemon_open(struct storage_daemon **ret, const struct storage_daemon_options *options,
                    struct fault *f)
{
    struct storage_daemon *d = memory_calloc(1, sizeof(*d));
    struct fault first = { 0 };

    d->options = *options;
    d->pidfd = -1;
    snprintf(d->pid_path, sizeof(d->pid_path), "%s/storage-daemon.pid", options->folder);
    snprintf(d->state_path, sizeof(d->state_path), "%s/storage-daemon.json", options->folder);
    snprintf(d->socket_path, sizeof(d->socket_path), "%s/storage-daemon.qmp", options->folder);
    if (strlen(d->socket_path) > 107 || strpbrk(options->tls_dir, ",") != NULL ||
        strpbrk(options->address, ",") != NULL) {
        free(d);
        return fault_raise_cause(f, "%s: path too long for a socket, or a comma in it",
                                 options->folder);
    }
    pthread_mutex_init(&d->mutex, NULL);
    d->wake = eventfd(0, EFD_CLOEXEC);

    storage_daemon_lock(d);
    take_over(d);
    if (ensure(d, &first) < 0)
        log_error("storage_daemon.unavailable cause=%s", first.cause);
    storage_daemon_unlock(d);

    if (d->wake < 0 || pthread_create(&d->thread, NULL, supervise, d) != 0) {
        forget(d);
        free(d);
        return fault_raise_cause(f, "storage daemon: no thread");
    }
    *ret = d;
    return 0;
}

void
storage_daemon_close(struct storage_daemon *d, bool stop)
{
    if (d == NULL)
        return;
    eventfd_write(d->wake, 1);
    pthread_join(d->thread, NULL);
    if (stop && d->pid != 0 && alive(d)) {
        process_stop(d->pid, d->start_time, 5000);
        unlink(d->state_path);
    }
    forget(d);
    close(d->wake);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}
