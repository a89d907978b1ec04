/* Running a program to its end: pipes, a deadline, limits and what it wrote.
 *
 * How a child comes to life is process_spawn.c's subject; here it is fed, drained, timed and reaped. The
 * program leads a process group of its own, and the whole group is killed when its leader has ended or
 * its time is up: nothing that it started stays behind with our pipes open. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "process_spawn.h"
#include "str.h"

#define OUTPUT_MAX ((size_t)4 * 1024 * 1024)
#define ERRORS_MAX ((size_t)64 * 1024)
#define DEADLINE_MS 30000
#define FILES_MAX 64
#define KILL_WAIT_MS 5000

/* One child and our ends of its pipes; -1: closed. */
struct child {
    pid_t pid;
    int pidfd, input, output, errors;
    size_t input_done;
    struct str output_text, errors_text;
    bool too_much, timed_out;
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Kills and reaps what an early return leaves. */
static void
child_done(struct child *c)
{
    close_end(&c->input);
    close_end(&c->output);
    close_end(&c->errors);
    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close_end(&c->pidfd);
    str_done(&c->output_text);
    str_done(&c->errors_text);
}

/* write(2) without the signal that a program which reads no further would give our process. */
static ssize_t
write_quietly(int fd, const char *data, size_t size)
{
    static const struct timespec at_once = { 0 };
    sigset_t pipe_signal, pending, before;
    ssize_t n;
    int error;

    sigpending(&pending);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    n = write(fd, data, size);
    error = errno;
    if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

static void
feed(struct child *c, const struct process_run *run)
{
    ssize_t n =
        write_quietly(c->input, run->input + c->input_done, run->input_size - c->input_done);

    if (n > 0)
        c->input_done += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || c->input_done == run->input_size)
        close_end(&c->input);
}

/* Reads what is there; closes '*fd' at the end. Beyond 'max' it is read and dropped. True: dropped some. */
static bool
drain(int *fd, struct str *text, size_t max)
{
    bool dropped = false;
    char part[16384];
    ssize_t n;

    while (*fd >= 0) {
        n = read(*fd, part, sizeof(part));
        if (n > 0) {
            size_t room = max - text->size;

            str_add_n(text, part, MIN((size_t)n, room));
            dropped = (size_t)n > room || dropped;
            if ((size_t)n < sizeof(part))
                break; /* The rest, if any, is poll's to say: a writer without end must not hold us. */
            if (dropped)
                break;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno == EAGAIN) {
            break;
        } else {
            close_end(fd);
        }
    }
    return dropped;
}

/* Until the leader has ended, its time is up or it wrote too much. */
static void
attend(struct child *c, const struct process_run *run, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd ends[] = {
            { .fd = c->pidfd, .events = POLLIN },
            { .fd = c->output, .events = POLLIN },
            { .fd = c->errors, .events = POLLIN },
            { .fd = c->input, .events = POLLOUT },
        };
        int64_t left = deadline_ms - clock_mono_ms();

        if (left <= 0) {
            c->timed_out = true;
            return;
        }
        if (poll(ends, ARRAY_SIZE(ends), (int)MIN(left, (int64_t)INT32_MAX)) < 0 && errno != EINTR)
            return;
        if (ends[1].revents != 0)
            c->too_much = drain(&c->output, &c->output_text, OUTPUT_MAX);
        if (ends[2].revents != 0)
            drain(&c->errors, &c->errors_text, ERRORS_MAX);
        if (ends[3].revents != 0)
            feed(c, run);
        if (c->too_much || ends[0].revents != 0)
            return;
    }
}

/* Ends the group and reaps its leader. While the leader is not reaped its number cannot be another's. */
static int
finish(struct child *c)
{
    siginfo_t info = { 0 };

    if (c->timed_out || c->too_much)
        kill(-c->pid, SIGKILL);
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    kill(-c->pid, SIGKILL);
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* What the leader left in the pipes when it ended. */
static void
drain_rest(struct child *c)
{
    size_t before;

    do {
        before = c->output_text.size;
        c->too_much = drain(&c->output, &c->output_text, OUTPUT_MAX) || c->too_much;
    } while (!c->too_much && c->output >= 0 && c->output_text.size > before);
    do {
        before = c->errors_text.size;
        drain(&c->errors, &c->errors_text, ERRORS_MAX);
    } while (c->errors >= 0 && c->errors_text.size > before);
}

static char *
command_line(struct arena *a, const char *const *argv)
{
    _cleanup_(str_done) struct str text = { 0 };

    for (size_t i = 0; argv[i] != NULL && text.size < 200; i++)
        str_addf(&text, "%s%s", i > 0 ? " " : "", argv[i]);
    return arena_strdup(a, str_text(&text));
}

int
process_run(struct arena *a, struct process_run *run, struct fault *f)
{
    int timeout_ms = run->deadline_ms > 0 ? run->deadline_ms : DEADLINE_MS;
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    _cleanup_(child_done) struct child c = { .pidfd = -1, .input = -1, .output = -1, .errors = -1 };
    struct spawn spawn = {
        .argv = run->argv,
        .netns = run->netns,
        .limits = run->limits,
        .with_input = run->input != NULL,
        .dies_with_parent = true,
    };
    int r;

    if (spawn.limits.files == 0)
        spawn.limits.files = FILES_MAX;
    r = process_spawn(&spawn, f);
    if (r < 0)
        return r;
    c.pid = spawn.pid;
    c.input = spawn.input;
    c.output = spawn.output;
    c.errors = spawn.errors;
    c.pidfd = pidfd_open(c.pid, 0);
    if (c.pidfd < 0)
        return fault_raise_cause(f, "pidfd_open: %s", strerror(errno));

    if (run->input_size == 0)
        close_end(&c.input);
    attend(&c, run, deadline_ms);
    run->status = finish(&c);
    drain_rest(&c);
    run->output = arena_strndup(a, str_text(&c.output_text), c.output_text.size);
    run->output_size = c.output_text.size;
    run->errors = arena_strndup(a, str_text(&c.errors_text), c.errors_text.size);

    if (c.timed_out) {
        fault_raise(f, FAULT_TIMEOUT, "A program did not end in time.");
        return fault_add_cause(f, "%s: killed after %d ms: %s", command_line(a, run->argv),
                               timeout_ms, run->errors);
    }
    if (c.too_much)
        return fault_raise_cause(f, "%s: killed: wrote more than %zu bytes",
                                 command_line(a, run->argv), OUTPUT_MAX);
    if (run->status != 0)
        return fault_raise_cause(f, "%s: %s %d: %s", command_line(a, run->argv),
                                 run->status > 128 ? "ended by signal" : "exit status",
                                 run->status > 128 ? run->status - 128 : run->status, run->errors);
    return 0;
}

int
process_start(const char *const *argv, const char *netns, const char *log_path, pid_t *ret,
              struct fault *f)
{
    struct spawn spawn = { .argv = argv, .netns = netns, .detached = true, .log_path = log_path };
    int r = process_spawn(&spawn, f);

    if (r < 0)
        return r;
    *ret = spawn.pid;
    return 0;
}

uint64_t
process_start_time(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long ticks = 0;
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    /* The second field is the name in parentheses, and a name may hold spaces and parentheses itself. */
    at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, " %llu", &ticks) != 1)
        return 0;
    return ticks;
}

/* True when the process behind 'pidfd' has ended within 'wait_ms'. */
static bool
ended(int pidfd, int wait_ms)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;
    struct pollfd end = { .fd = pidfd, .events = POLLIN };

    for (;;) {
        int64_t left = MAX(deadline_ms - clock_mono_ms(), (int64_t)0);
        int r = poll(&end, 1, (int)left);

        if (r > 0 || (r < 0 && errno != EINTR))
            return true;
        if (left == 0)
            return false;
    }
}

void
process_stop(pid_t pid, uint64_t start_time, int grace_ms)
{
    siginfo_t info;
    int pidfd;

    if (pid <= 1)
        return;
    pidfd = pidfd_open(pid, 0);
    if (pidfd < 0)
        return; /* It is gone. */
    /* After the open: from here on the descriptor is the one process whose start we look at. */
    if (start_time == 0 || process_start_time(pid) == start_time) {
        pidfd_send_signal(pidfd, SIGTERM, NULL, 0);
        if (!ended(pidfd, grace_ms)) {
            pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
            ended(pidfd, KILL_WAIT_MS);
        }
        waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG); /* ECHILD: another's to reap. */
    }
    close(pidfd);
}
