/* Starts a private PostgreSQL as a child that the kernel ends when this program ends, even by SIGKILL. */
#include "pg_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"

#define START_TRIES 600 /* Of 50 ms. */

static char folder[64], url[192];
static pid_t server, owner;

static _noreturn_ void
fail(const char *what)
{
    char path[96], line[512];
    FILE *log;

    fprintf(stderr, "pg: %s: %s\n", what, strerror(errno));
    snprintf(path, sizeof(path), "%s/log", folder);
    log = fopen(path, "re");
    while (log != NULL && fgets(line, sizeof(line), log) != NULL)
        fprintf(stderr, "pg: %s", line);
    exit(1);
}

/* The newest installed server's folder of programs. */
static void
find_programs(char *ret, size_t size)
{
    const char *best = NULL;
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
        fail("no server below /usr/lib/postgresql");
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (best == NULL || strverscmp(found.gl_pathv[i], best) > 0)
            best = found.gl_pathv[i];
    snprintf(ret, size, "%s", best);
    globfree(&found);
}

/* Starts argv[0] as the unprivileged user, its output in the log. It gets SIGQUIT when this program ends. */
static pid_t
start(const char *const *argv, const struct passwd *user)
{
    char path[96];
    pid_t parent = getpid(), pid;

    snprintf(path, sizeof(path), "%s/log", folder);
    pid = fork();
    if (pid != 0)
        return pid;

    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 || chdir("/") < 0)
        _exit(126);
    if (user != NULL &&
        (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
        _exit(126);
    /* After the change of user, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) < 0 || getppid() != parent)
        _exit(126);
    unsetenv("NOTIFY_SOCKET");
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int
remove_one(const char *path, _unused_ const struct stat *st, _unused_ int kind,
           _unused_ struct FTW *at)
{
    return remove(path);
}

static void
stop(void)
{
    if (getpid() != owner) /* A child of fork() that called exit(). */
        return;
    if (server > 0) {
        kill(server, SIGQUIT);
        waitpid(server, NULL, 0);
    }
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
init_cluster(const char *programs, const char *data, const struct passwd *user)
{
    char initdb[256];
    const char *const argv[] = { initdb,      "-D",
                                 data,        "-U",
                                 "virga",     "-A",
                                 "trust",     "-E",
                                 "UTF8",      "--locale=C.UTF-8",
                                 "--no-sync", "--no-instructions",
                                 NULL };
    int status;
    pid_t pid;

    snprintf(initdb, sizeof(initdb), "%s/initdb", programs);
    pid = start(argv, user);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        fail("initdb");
}

static void
wait_until_ready(void)
{
    for (int i = 0; i < START_TRIES; i++) {
        if (PQping(url) == PQPING_OK)
            return;
        if (waitpid(server, NULL, WNOHANG) != 0)
            break;
        poll(NULL, 0, 50);
    }
    server = 0;
    fail("the server did not start");
}

static void
start_server(void)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : NULL;
    const char *tmp = getenv("TMPDIR");
    char programs[128], postgres[160], data[96], sockets[128];
    const char *const argv[] = { postgres,
                                 "-D",
                                 data,
                                 "-c",
                                 sockets,
                                 "-c",
                                 "listen_addresses=",
                                 "-c",
                                 "fsync=off",
                                 "-c",
                                 "synchronous_commit=off",
                                 "-c",
                                 "full_page_writes=off",
                                 "-c",
                                 "shared_buffers=32MB",
                                 "-c",
                                 "max_connections=100",
                                 NULL };

    if (geteuid() == 0 && user == NULL)
        fail("no user nobody");
    snprintf(folder, sizeof(folder), "%.40s/virga-pg-XXXXXX",
             tmp == NULL || strlen(tmp) > 40 ? "/tmp" : tmp);
    if (mkdtemp(folder) == NULL || chmod(folder, 0711) < 0 ||
        (user != NULL && chown(folder, user->pw_uid, user->pw_gid) < 0))
        fail(folder);
    owner = getpid();
    atexit(stop);
    find_programs(programs, sizeof(programs));
    snprintf(postgres, sizeof(postgres), "%s/postgres", programs);
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", folder);
    snprintf(url, sizeof(url), "host=%s user=virga dbname=postgres", folder);
    init_cluster(programs, data, user);
    server = start(argv, user);
    if (server < 0)
        fail("fork");
    wait_until_ready();
}

const char *
pg_server_url(void)
{
    const char *given = getenv("VIRGA_TEST_PG_URL");

    if (given != NULL && given[0] != '\0')
        return given;
    if (server == 0)
        start_server();
    return url;
}
