/* A loop around one session: listen, wait for the socket, take what came. Once in a poll it asks the server for something, because
 * a session that was cut off silently looks like one to which nobody speaks. */
#include "listener.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "connection.h"

enum { POLL_MS = 2000, RETRY_MS = 1000, ANSWER_MS = 2000 };

struct db_listener {
    struct db_listener_options options;
    char *channel, *url;
    struct connection_counters counters;
    struct db_connection *connection;
    int wake; /* eventfd: it is time to end. */
    atomic_bool ending;
    _Atomic int64_t current_until_ms;
    pthread_t thread;
};

/* Sleeps on the session's socket (-1: none) and the wake. */
static void
wait_for(struct db_listener *l, int fd, int64_t until_ms)
{
    struct pollfd p[] = { { .fd = l->wake, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    int64_t left = until_ms - clock_mono_ms();

    poll(p, fd < 0 ? 1 : 2, (int)MAX(left, 0));
}

static int
begin(struct db_listener *l, struct fault *f)
{
    char sql[128];

    if (connection_ready(l->connection, f) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "LISTEN %s", l->channel);
    if (connection_script(l->connection, sql, f) < 0)
        return -1;
    l->options.heard(l->options.owner, NULL); /* Before it, anything may have been missed. */
    return 0;
}

/* True: something was heard. */
static bool
take(struct db_listener *l)
{
    PGnotify *said;
    bool heard = false;

    PQconsumeInput(l->connection->pg);
    while ((said = PQnotifies(l->connection->pg)) != NULL) {
        l->options.heard(l->options.owner, said->extra);
        PQfreemem(said);
        heard = true;
    }
    return heard;
}

static int
settle(struct db_listener *l)
{
    int r = l->options.settle == NULL ? 0 : l->options.settle(l->options.owner);

    if (r >= 0)
        atomic_store(&l->current_until_ms, clock_mono_ms() + l->options.poll_ms * 5 / 2);
    return r;
}

/* As long as the session lasts, or an error in what was heard. */
static int
listen_on(struct db_listener *l, struct fault *f)
{
    int64_t next_ms = 0;

    while (!atomic_load(&l->ending)) {
        bool due = clock_mono_ms() >= next_ms;

        if (due && connection_script(l->connection, "SELECT", f) < 0)
            return -1;
        if (take(l) || due) {
            next_ms = clock_mono_ms() + (settle(l) < 0 ? RETRY_MS : l->options.poll_ms);
            if (atomic_load(&l->ending))
                break;
        }
        if (connection_broken(l->connection) || l->connection->leaving)
            return fault_raise_cause(f, "the server ended the session");
        wait_for(l, PQsocket(l->connection->pg), next_ms);
    }
    return 0;
}

static void *
run(void *object)
{
    struct db_listener *l = object;
    bool failing = false;

    while (!atomic_load(&l->ending)) {
        struct fault f = { 0 };

        l->connection = connection_new(l->url, &l->counters);
        l->connection->answer_deadline_ms = ANSWER_MS;
        if (begin(l, &f) >= 0) {
            if (failing)
                log_info("db.listens-again channel=%s", l->channel);
            failing = false;
            listen_on(l, &f);
        }
        connection_free(l->connection);
        if (atomic_load(&l->ending))
            break;
        if (!failing)
            log_warn("db.listen-failed channel=%s reason=\"%s\" cause=\"%s\"", l->channel,
                     f.message, f.cause);
        failing = true;
        wait_for(l, -1, clock_mono_ms() + RETRY_MS);
    }
    return NULL;
}

int
db_listener_open(struct db_listener **ret, struct db_pool *p,
                 const struct db_listener_options *options, struct fault *f)
{
    struct db_listener *l = memory_calloc(1, sizeof(*l));

    l->options = *options;
    if (l->options.poll_ms == 0)
        l->options.poll_ms = POLL_MS;
    l->channel = memory_strdup(options->channel);
    l->url = memory_strdup(db_pool_url(p));
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0 || pthread_create(&l->thread, NULL, run, l) != 0) {
        if (l->wake >= 0)
            close(l->wake);
        free(l->channel);
        free(l->url);
        free(l);
        return fault_raise_cause(f, "cannot start a thread that listens to the database");
    }
    pthread_setname_np(l->thread, "db-listen");
    *ret = l;
    return 0;
}

void
db_listener_close(struct db_listener *l)
{
    if (l == NULL)
        return;
    atomic_store(&l->ending, true);
    eventfd_write(l->wake, 1);
    pthread_join(l->thread, NULL);
    close(l->wake);
    free(l->channel);
    free(l->url);
    free(l);
}

bool
db_listener_is_current(const struct db_listener *l)
{
    return l != NULL &&
           clock_mono_ms() <
               atomic_load_explicit(&((struct db_listener *)(uintptr_t)l)->current_until_ms,
                                    memory_order_relaxed);
}
