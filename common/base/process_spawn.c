/* fork and exec with care: between the two the child may call only what is async-signal-safe, because
 * another thread may have held any lock when we forked. So everything that allocates (looking up the
 * program, building the environment) is done before. What fails in the child is told through a pipe that
 * a successful exec closes. */
#include "process_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "str.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* All descriptors of one start; -1: closed. */
struct ends {
    int child_input, child_output, child_errors; /* The child's 0, 1 and 2. */
    int input, output, errors;                   /* Ours. */
    int netns;
    int told, tell; /* What failed in the child: read here, written there. */
};

struct failure {
    int error;
    char step[32];
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
ends_done(struct ends *e)
{
    close_end(&e->child_input);
    close_end(&e->child_output);
    close_end(&e->child_errors);
    close_end(&e->input);
    close_end(&e->output);
    close_end(&e->errors);
    close_end(&e->netns);
    close_end(&e->told);
    close_end(&e->tell);
}

/* Never 0, 1 or 2: those are laid over in the child. */
static int
above_standard(int fd)
{
    int moved;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return moved;
}

static int
make_pipe(int *ret_read, int *ret_write)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *ret_read = above_standard(fds[0]);
    *ret_write = above_standard(fds[1]);
    return *ret_read < 0 || *ret_write < 0 ? -EMFILE : 0;
}

static int
open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0640);

    return fd < 0 ? -errno : above_standard(fd);
}

static int
open_ends(const struct spawn *s, struct ends *e)
{
    int r;

    r = make_pipe(&e->told, &e->tell);
    if (r < 0)
        return r;
    if (s->with_input)
        r = make_pipe(&e->child_input, &e->input);
    else
        r = e->child_input = open_file("/dev/null", O_RDONLY);
    if (r < 0)
        return r;
    if (s->detached) {
        const char *path = s->log_path != NULL ? s->log_path : "/dev/null";

        e->child_output = open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
        if (e->child_output < 0)
            return e->child_output;
        e->child_errors = fcntl(e->child_output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return e->child_errors < 0 ? -errno : 0;
    }
    r = make_pipe(&e->output, &e->child_output);
    if (r == 0)
        r = make_pipe(&e->errors, &e->child_errors);
    if (r < 0)
        return r;
    if ((e->input >= 0 && fcntl(e->input, F_SETFL, O_NONBLOCK) < 0) ||
        fcntl(e->output, F_SETFL, O_NONBLOCK) < 0 || fcntl(e->errors, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

static int
open_netns(const char *name, int *ret, struct fault *f)
{
    char path[512];

    if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL)
        return fault_raise_cause(f, "netns '%s': not a name", name);
    snprintf(path, sizeof(path), "/run/netns/%s", name);
    *ret = open_file(path, O_RDONLY);
    if (*ret < 0)
        return fault_raise_cause(f, "netns '%s': %s", name, strerror(-*ret));
    return 0;
}

static const char *
search_path(void)
{
    const char *path = getenv("PATH");

    return str_empty(path) ? DEFAULT_PATH : path;
}

/* The file that 'name' means. */
static int
look_up(const char *name, struct str *ret, struct fault *f)
{
    const char *at = search_path();

    if (strchr(name, '/') != NULL) {
        str_add(ret, name);
        return 0;
    }
    while (at != NULL) {
        const char *end = strchrnul(at, ':');

        str_clear(ret);
        str_add_n(ret, at, (size_t)(end - at));
        str_addf(ret, "/%s", name);
        /* A relative part of PATH is somebody's mistake, or trick. */
        if (*at == '/' && access(ret->data, X_OK) == 0)
            return 0;
        at = *end == ':' ? end + 1 : NULL;
    }
    return fault_raise_cause(f, "%s: not found in PATH", name);
}

_noreturn_ static void
fail(int tell, const char *step)
{
    struct failure failure = { .error = errno };
    ssize_t ignored _unused_;

    strncpy(failure.step, step, sizeof(failure.step) - 1);
    ignored = write(tell, &failure, sizeof(failure)); /* Less than PIPE_BUF: whole or not at all. */
    _exit(127);
}

static void
limit(int tell, int resource, int64_t value)
{
    struct rlimit rl = { .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value };

    if (value > 0 && setrlimit((__rlimit_resource_t)resource, &rl) < 0)
        fail(tell, "setrlimit");
}

static void
reset_signals(void)
{
    struct sigaction fresh = { .sa_handler = SIG_DFL };
    sigset_t none;

    /* Handlers go away by exec; what is ignored would stay so. */
    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &fresh, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

_noreturn_ static void
become(const struct spawn *s, const struct ends *e, pid_t parent, const char *program,
       char *const *environment)
{
    int tell = e->tell;

    if (s->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
    }
    if (s->detached ? setsid() < 0 : setpgid(0, 0) < 0)
        fail(tell, "setpgid");
    if (e->netns >= 0 && setns(e->netns, CLONE_NEWNET) < 0)
        fail(tell, "setns");
    if (dup2(e->child_input, STDIN_FILENO) < 0 || dup2(e->child_output, STDOUT_FILENO) < 0 ||
        dup2(e->child_errors, STDERR_FILENO) < 0)
        fail(tell, "dup2");
    if (dup2(tell, STDERR_FILENO + 1) < 0 || fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC) < 0)
        fail(tell, "dup2");
    tell = STDERR_FILENO + 1;
    if (close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
        fail(tell, "close_range");
    limit(tell, RLIMIT_CPU, s->limits.cpu_s);
    limit(tell, RLIMIT_AS, s->limits.memory_bytes);
    limit(tell, RLIMIT_FSIZE, s->limits.file_bytes);
    limit(tell, RLIMIT_NOFILE, s->limits.files);
    reset_signals();
    execve(program, (char *const *)(uintptr_t)s->argv, environment);
    fail(tell, "exec");
}

/* Waits for the exec, which closes the pipe, or for the reason why there was none. */
static int
await_exec(const char *name, pid_t pid, int told, struct fault *f)
{
    struct failure failure = { 0 };
    ssize_t n;

    do {
        n = read(told, &failure, sizeof(failure));
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    failure.step[sizeof(failure.step) - 1] = '\0';
    return fault_raise_cause(f, "%s: %s: %s", name, failure.step, strerror(failure.error));
}

static int
take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

int
process_spawn(struct spawn *s, struct fault *f)
{
    _cleanup_(ends_done) struct ends e = { -1, -1, -1, -1, -1, -1, -1, -1, -1 };
    _cleanup_(str_done) struct str program = { 0 };
    _cleanup_(str_done) struct str path = { 0 };
    char language[] = "LANG=C.UTF-8";
    char *environment[3] = { language };
    pid_t parent = getpid();
    sigset_t all, before;
    int r;

    r = look_up(s->argv[0], &program, f);
    if (r < 0)
        return r;
    if (s->netns != NULL) {
        r = open_netns(s->netns, &e.netns, f);
        if (r < 0)
            return r;
    }
    r = open_ends(s, &e);
    if (r < 0)
        return fault_raise_cause(f, "%s: %s", s->argv[0], strerror(-r));
    str_addf(&path, "PATH=%s", search_path());
    environment[1] = path.data;

    /* No handler of ours may run in the child before the exec. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->pid = fork();
    if (s->pid == 0)
        become(s, &e, parent, program.data, environment);
    r = -errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (s->pid < 0)
        return fault_raise_cause(f, "fork: %s", strerror(-r));

    close_end(&e.tell);
    r = await_exec(s->argv[0], s->pid, e.told, f);
    if (r < 0)
        return r;
    s->input = take(&e.input);
    s->output = take(&e.output);
    s->errors = take(&e.errors);
    return 0;
}
