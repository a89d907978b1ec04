/* The node runs in a session of its own; a guardian, which reads from a pipe that only we write to, kills that session and
 * removes the folder when we are gone. It has its own port mapper (epmd), so nothing is shared with other nodes. */
#include "broker.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/compiler.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/base/str.h"

#define FIRST_PORT 24000
#define PORTS 1900
#define START_TRIES 1200 /* Of 100 ms. */

struct broker {
    char *given; /* The environment's URL, or NULL. */
    char folder[64];
    int port, distribution_port, epmd_port;
    pid_t epmd, node, guardian;
    int guardian_fd; /* Told the processes to end; its end tells that we are gone. */
};

static _noreturn_ void
fail(const char *what)
{
    fprintf(stderr, "broker: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
free_port(void)
{
    for (int i = 0; i < 200; i++) {
        int port = FIRST_PORT + (int)random_below(PORTS);
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int bound = bind(fd, (struct sockaddr *)&address, sizeof(address));

        close(fd);
        if (bound == 0)
            return port;
    }
    fail("no free port");
}

static int
remove_one(const char *path, _unused_ const struct stat *st, _unused_ int kind,
           _unused_ struct FTW *at)
{
    return remove(path);
}

/* In a process of its own. */
static _noreturn_ void
guard(int fd, const char *folder)
{
    pid_t pids[2] = { 0 }; /* epmd, node */

    setsid();
    while (read(fd, pids, sizeof(pids)) == (ssize_t)sizeof(pids))
        ;
    for (size_t i = ARRAY_SIZE(pids); i-- > 0;) {
        if (pids[i] > 0)
            kill(-pids[i], SIGKILL);
    }
    for (int i = 0;
         i < 20 && nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT; i++)
        poll(NULL, 0, 50);
    _exit(0);
}

static void
start_guardian(struct broker *b)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        fail("pipe");
    b->guardian = fork();
    if (b->guardian == 0) {
        close(fds[1]);
        guard(fds[0], b->folder);
    }
    close(fds[0]);
    b->guardian_fd = fds[1];
}

static void
tell_guardian(const struct broker *b)
{
    const pid_t pids[2] = { b->epmd, b->node };

    if (write(b->guardian_fd, pids, sizeof(pids)) != (ssize_t)sizeof(pids))
        fail("guardian");
}

/* Runs argv in a session of its own, output in the folder's "out". */
static pid_t
start(const struct broker *b, const char *const *argv, const char *const *environment)
{
    _cleanup_(str_done) struct str path = { 0 };
    pid_t pid;

    str_addf(&path, "%s/out", b->folder);
    pid = fork();
    if (pid != 0)
        return pid;

    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(str_text(&path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    setsid();
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
        chdir(b->folder) < 0)
        _exit(126);
    execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    _exit(127);
}

static void
write_file(const struct broker *b, const char *name, const char *text)
{
    _cleanup_(str_done) struct str path = { 0 };
    FILE *file;

    str_addf(&path, "%s/%s", b->folder, name);
    file = fopen(str_text(&path), "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fail(str_text(&path));
}

static void
write_files(const struct broker *b, struct arena *a)
{
    static const char *const users[] = { "virga", "agent@hosta", "agent@hostb" };
    _cleanup_(str_done) struct str definitions = { 0 };

    str_add(&definitions, "{\"vhosts\": [{\"name\": \"/\"}], \"users\": [");
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        str_addf(&definitions, "%s{\"name\": \"%s\", \"password\": \"test\", \"tags\": []}",
                 i > 0 ? "," : "", users[i]);
    str_add(&definitions, "], \"permissions\": [");
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        str_addf(&definitions,
                 "%s{\"user\": \"%s\", \"vhost\": \"/\", \"configure\": \".*\", \"write\": \".*\", "
                 "\"read\": \".*\"}",
                 i > 0 ? "," : "", users[i]);
    str_add(&definitions, "]}");
    write_file(b, "definitions.json", str_text(&definitions));
    write_file(
        b, "rabbitmq.conf",
        arena_printf(a,
                     "loopback_users = none\nload_definitions = %s/definitions.json\n"
                     "vm_memory_high_watermark.absolute = 256MB\ndisk_free_limit.absolute = 50MB\n",
                     b->folder));
    write_file(b, "plugins", "[].");
}

/* Can somebody log in? */
static bool
is_ready(const struct broker *b)
{
    const struct timeval timeout = { .tv_sec = 2 };
    amqp_connection_state_t state = amqp_new_connection();
    amqp_socket_t *tcp = amqp_tcp_socket_new(state);
    bool ready = false;

    amqp_set_handshake_timeout(state, &timeout);
    amqp_set_rpc_timeout(state, &timeout);
    if (amqp_socket_open_noblock(tcp, "127.0.0.1", b->port, &timeout) == AMQP_STATUS_OK) {
        ready = amqp_login(state, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "virga", "test")
                    .reply_type == AMQP_RESPONSE_NORMAL;
        if (ready)
            amqp_connection_close(state, AMQP_REPLY_SUCCESS);
    }
    amqp_destroy_connection(state);
    return ready;
}

static _noreturn_ void
fail_with_output(const struct broker *b)
{
    _cleanup_(str_done) struct str path = { 0 };
    char line[512];
    FILE *file;

    str_addf(&path, "%s/out", b->folder);
    file = fopen(str_text(&path), "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        fprintf(stderr, "broker: %s", line);
    fail("the node did not start");
}

void
broker_start(struct broker *b)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *folder = b->folder;
    glob_t found;

    if (glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server", 0, NULL, &found) != 0)
        fail("no rabbitmq-server");

    const char *const argv[] = { arena_strdup(a, found.gl_pathv[found.gl_pathc - 1]), NULL };
    const char *const environment[] = {
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        arena_printf(a, "HOME=%s", folder),
        arena_printf(a, "RABBITMQ_NODENAME=test%d@localhost", b->port),
        "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
        arena_printf(a, "RABBITMQ_NODE_PORT=%d", b->port),
        arena_printf(a, "RABBITMQ_DIST_PORT=%d", b->distribution_port),
        arena_printf(a, "RABBITMQ_MNESIA_BASE=%s/db", folder),
        arena_printf(a, "RABBITMQ_LOG_BASE=%s/log", folder),
        arena_printf(a, "RABBITMQ_PID_FILE=%s/pid", folder),
        arena_printf(a, "RABBITMQ_ENABLED_PLUGINS_FILE=%s/plugins", folder),
        arena_printf(a, "RABBITMQ_CONFIG_FILE=%s/rabbitmq.conf", folder),
        arena_printf(a, "RABBITMQ_GENERATED_CONFIG_DIR=%s/generated", folder),
        arena_printf(a, "RABBITMQ_FEATURE_FLAGS_FILE=%s/features", folder),
        "RABBITMQ_CONF_ENV_FILE=/dev/null",
        arena_printf(a, "ERL_EPMD_PORT=%d", b->epmd_port),
        "ERL_EPMD_ADDRESS=127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
        " -kernel inet_dist_use_interface {127,0,0,1}",
        NULL,
    };

    globfree(&found);
    b->node = start(b, argv, environment);
    tell_guardian(b);
    for (int i = 0; i < START_TRIES; i++) {
        if (is_ready(b))
            return;
        if (waitpid(b->node, NULL, WNOHANG) != 0)
            break;
        poll(NULL, 0, 100);
    }
    fail_with_output(b);
}

static void
open_private(struct broker *b)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *tmp = getenv("TMPDIR");

    snprintf(b->folder, sizeof(b->folder), "%s/broker-XXXXXX",
             tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    if (mkdtemp(b->folder) == NULL)
        fail(b->folder);
    write_files(b, a);
    start_guardian(b);
    b->port = free_port();
    b->distribution_port = free_port();
    b->epmd_port = free_port();

    const char *const argv[] = { "/usr/bin/epmd", "-port",     arena_printf(a, "%d", b->epmd_port),
                                 "-address",      "127.0.0.1", NULL };
    const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };

    b->epmd = start(b, argv, environment);
    broker_start(b);
}

struct broker *
broker_open(void)
{
    struct broker *b = memory_calloc(1, sizeof(*b));
    const char *given = getenv("VIRGA_TEST_AMQP_URL");

    if (str_empty(given))
        open_private(b);
    else
        b->given = memory_strdup(given);
    return b;
}

void
broker_kill(struct broker *b)
{
    kill(-b->node, SIGKILL);
    waitpid(b->node, NULL, 0);
    /* Its children of the same session may hold the sockets a moment longer. */
    while (kill(-b->node, 0) == 0)
        poll(NULL, 0, 10);
    b->node = 0;
    tell_guardian(b);
}

void
broker_close(struct broker *b)
{
    if (b == NULL)
        return;
    if (b->given == NULL) {
        close(b->guardian_fd);
        waitpid(b->guardian, NULL, 0);
        waitpid(b->node, NULL, 0);
        waitpid(b->epmd, NULL, 0);
    }
    free(b->given);
    free(b);
}

bool
broker_is_private(const struct broker *b)
{
    return b->given == NULL;
}

char *
broker_url(const struct broker *b, struct arena *a, const char *user)
{
    const char *at = strchr(user, '@');

    if (b->given != NULL)
        return arena_strdup(a, b->given);
    if (at == NULL)
        return arena_printf(a, "amqp://%s:test@127.0.0.1:%d/%%2f", user, b->port);
    return arena_printf(a, "amqp://%.*s%%40%s:test@127.0.0.1:%d/%%2f", (int)(at - user), user,
                        at + 1, b->port);
}

char *
broker_unique(struct arena *a, const char *name)
{
    return arena_printf(a, "%s-%llx", name, (unsigned long long)random_uint64());
}
