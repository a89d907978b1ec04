/* A daemon as a process of its own, and what its tests do with it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

enum { WAIT_MS = 60000 };

struct world {
    struct pg *pg;
    struct arena *arena;
    char folder[32];
    char *config, *log;
    pid_t pid;
};

static inline void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline char *
read_file(struct arena *a, const char *path)
{
    struct str text = { 0 };
    char part[4096], *ret;
    FILE *file = fopen(path, "re");
    size_t n;

    while (file != NULL && (n = fread(part, 1, sizeof(part), file)) > 0)
        str_add_n(&text, part, n);
    if (file != NULL)
        fclose(file);
    ret = arena_strdup(a, str_text(&text));
    str_done(&text);
    return ret;
}

static inline void
pause_a_little(void)
{
    const struct timespec pause = { .tv_nsec = 5000000 };

    nanosleep(&pause, NULL);
}

/* Waits until the log says it. */
static inline void
await_log(struct world *w, const char *text)
{
    for (int64_t started = clock_mono_ms(); strstr(read_file(w->arena, w->log), text) == NULL;
         pause_a_little()) {
        if (clock_mono_ms() - started > WAIT_MS)
            fail_msg("\"%s\" is not in the log: %s", text, read_file(w->arena, w->log));
    }
}

static inline pid_t
spawn(struct world *w, const char *const *words)
{
    const char *argv[24] = { "test_daemon", "--as-daemon" };
    int log = open(w->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    size_t count = 2;
    pid_t pid;

    while (*words != NULL)
        argv[count++] = *words++;
    pid = fork();
    if (pid == 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execv("/proc/self/exe", (char **)(uintptr_t)argv);
        _exit(127);
    }
    close(log);
    assert_true(pid > 0);
    return pid;
}

static inline int
exit_code(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int
run(struct world *w, const char *line)
{
    size_t count;
    char **words = str_split(w->arena, line, ' ', &count);
    const char **argv = ARENA_ARRAY(w->arena, const char *, count + 1);

    memcpy(argv, words, count * sizeof(*argv));
    write_file(w->log, "");
    return exit_code(spawn(w, argv));
}

static inline void
configure(struct world *w, const char *url, const char *more)
{
    write_file(
        w->config,
        arena_printf(
            w->arena,
            "[daemon]\nmanagement_listen = unix:%s/management\ncontrol_socket = %s/control\n"
            "state_dir = %s/state\ndrain = 5\n[api]\nlisten = unix:%s/api\n[database]\nurl = %s\n"
            "[trivial]\nsecret = geheim\n%s",
            w->folder, w->folder, w->folder, w->folder, url, more));
}

static inline void
start(struct world *w)
{
    const char *const words[] = { "--config", w->config, NULL };

    write_file(w->log, "");
    w->pid = spawn(w, words);
}

/* Over a unix socket, which libcurl's wrapper here doesn't speak. */
static inline char *
ask(struct world *w, const char *socket_name, const char *request, int *ret_status)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = 60 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *text =
             arena_printf(w->arena, "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", request),
         part[4096], *ret, *body;
    struct str answer = { 0 };
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", w->folder, socket_name);
    *ret_status = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text)) {
        while ((n = recv(fd, part, sizeof(part), 0)) > 0)
            str_add_n(&answer, part, (size_t)n);
    }
    close(fd);
    if (answer.size > 12)
        *ret_status = (int)strtol(answer.data + 9, NULL, 10);
    ret = arena_strdup(w->arena, str_text(&answer));
    str_done(&answer);
    body = strstr(ret, "\r\n\r\n");
    return body != NULL ? body + 4 : ret;
}

static inline int
status_of(struct world *w, const char *socket_name, const char *request)
{
    int status;

    ask(w, socket_name, request, &status);
    return status;
}

static inline void
finish(struct world *w)
{
    kill(w->pid, SIGTERM);
    assert_int_equal(exit_code(w->pid), 0);
    w->pid = 0;
}

static inline int
setup(void **state)
{
    struct world *w = *state;

    w->arena = arena_new();
    snprintf(w->folder, sizeof(w->folder), "/tmp/test-daemon-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->config = arena_printf(w->arena, "%s/conf", w->folder);
    w->log = arena_printf(w->arena, "%s/log", w->folder);
    return 0;
}

static inline int
teardown(void **state)
{
    static const char *const files[] = { "state/release", "conf",    "log",
                                         "api",           "control", "management" };
    struct world *w = *state;

    if (w->pid > 0) {
        kill(w->pid, SIGKILL);
        waitpid(w->pid, NULL, 0);
        w->pid = 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlink(arena_printf(w->arena, "%s/%s", w->folder, files[i]));
    rmdir(arena_printf(w->arena, "%s/state", w->folder));
    rmdir(w->folder);
    arena_free(w->arena);
    return 0;
}

static inline int
setup_all(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->pg = pg_open();
    *state = w;
    return 0;
}

static inline int
teardown_all(void **state)
{
    struct world *w = *state;

    pg_close(w->pg);
    free(w);
    return 0;
}
