/* See metadata_server.h. The serving thread runs every listener's libmicrohttpd from one epoll;
 * handlers run in it, with the mutex held, and never block. The fetching thread takes the id of one
 * server at a time, asks for its facts without the mutex, and wakes all connections that wait for
 * that server. */
#include "metadata_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "metadata_internal.h"
#include "netns.h"
#include "port_rules.h"

#define METADATA_PORT 80
#define CONNECTIONS 256
#define CONNECTIONS_PER_GUEST 16
#define CONNECTION_TIMEOUT_S 15
#define CONNECTION_MEMORY 16384
#define TICK_MS 1000

static void
free_facts(void *value)
{
    struct metadata_facts *x = value;

    json_decref(x->json);
    free(x);
}

/* --- the fetching thread ---------------------------------------------------------------------- */

static void
wake_waiting(struct metadata_server *m, const char *instance_id, enum metadata_progress progress)
{
    struct metadata_request *q;

    LIST_EACH (q, &m->waiting, struct metadata_request, link) {
        if (strcmp(q->instance_id, instance_id) != 0)
            continue;
        list_remove(&q->link);
        q->progress = progress;
        MHD_resume_connection(q->connection);
    }
}

static void
store(struct metadata_server *m, const char *instance_id, json_t *json)
{
    struct metadata_facts *x = memory_calloc(1, sizeof(*x));

    *x = (struct metadata_facts){ json_incref(json), clock_mono_ms() };
    map_set(m->cache, instance_id, x);
}

static void *
fetch_main(void *arg)
{
    struct metadata_server *m = arg;

    pthread_mutex_lock(&m->mutex);
    while (!m->stopping) {
        struct metadata_request *q = LIST_FIRST(&m->waiting, struct metadata_request, link);
        struct arena *a;
        char *instance_id;
        json_t *json = NULL;
        struct fault f = { 0 };
        int r;

        if (q == NULL) {
            pthread_cond_wait(&m->work, &m->mutex);
            continue;
        }
        a = arena_new();
        instance_id = arena_strdup(a, q->instance_id);
        pthread_mutex_unlock(&m->mutex);
        m->fetches++;
        r = m->source.fetch(m->source.owner, instance_id, a, &json, &f);
        pthread_mutex_lock(&m->mutex);
        if (r >= 0 && json != NULL) {
            store(m, instance_id, json);
            wake_waiting(m, instance_id, FETCHED);
        } else {
            m->failed++;
            log_warn("metadata.unavailable instance=%s error=%s cause=%s", instance_id, f.message,
                     f.cause);
            wake_waiting(m, instance_id, f.kind == FAULT_NOT_FOUND ? ABSENT : FAILED);
        }
        arena_free(a);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

/* --- the serving thread ----------------------------------------------------------------------- */

static void
run_listener(struct metadata_listener *l)
{
    MHD_UNSIGNED_LONG_LONG timeout = 1;

    /* It may have work left that no descriptor tells of. */
    for (int i = 0; i < 64; i++) {
        MHD_run(l->daemon);
        if (MHD_get_timeout(l->daemon, &timeout) != MHD_YES || timeout > 0)
            return;
    }
}

/* Listeners may have gone between epoll_wait() and the mutex, so events only say that there is
 * something to do. */
static void
run_listeners(struct metadata_server *m)
{
    struct map_at at = { 0 };

    pthread_mutex_lock(&m->mutex);
    while (map_next(m->listeners, &at))
        run_listener(at.value);
    pthread_mutex_unlock(&m->mutex);
}

static void *
serve_main(void *arg)
{
    struct metadata_server *m = arg;
    struct epoll_event events[16];

    while (!m->stopping) {
        if (epoll_wait(m->epoll, events, ARRAY_SIZE(events), TICK_MS) < 0 && errno != EINTR)
            break;
        run_listeners(m);
    }
    return NULL;
}

/* --- listeners -------------------------------------------------------------------------------- */

static int
open_socket(void *arg, struct fault *f)
{
    int *ret = arg, one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(METADATA_PORT) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    inet_pton(AF_INET, METADATA_ADDRESS, &address.sin_addr);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0) {
        int r = fault_raise_cause(f, "metadata socket: %s", strerror(errno));

        if (fd >= 0)
            close(fd);
        return r;
    }
    *ret = fd;
    return 0;
}

static int
start_listener(struct metadata_server *m, struct metadata_listener *l, struct fault *f)
{
    struct epoll_event event = { .events = EPOLLIN };
    int fd = -1, r = netns_run(l->netns, open_socket, &fd, f);

    if (r < 0)
        return r;
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                 metadata_on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_NOTIFY_COMPLETED, metadata_on_completed, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                                 MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_PER_GUEST, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (l->daemon == NULL) {
        close(fd);
        return fault_raise_cause(f, "metadata server in %s does not start", l->netns);
    }
    if (epoll_ctl(m->epoll, EPOLL_CTL_ADD,
                  MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &event) < 0)
        return fault_raise_cause(f, "metadata server in %s: %s", l->netns, strerror(errno));
    return 0;
}

/* Whoever still waits is let go first: libmicrohttpd ends only connections that are awake. */
static void
free_listener(void *value)
{
    struct metadata_listener *l = value;
    struct metadata_request *q;

    if (l->daemon != NULL) {
        LIST_EACH (q, &l->server->waiting, struct metadata_request, link) {
            if (q->listener != l)
                continue;
            list_remove(&q->link);
            q->progress = FAILED;
            MHD_resume_connection(q->connection);
        }
        MHD_run(l->daemon);
        epoll_ctl(l->server->epoll, EPOLL_CTL_DEL,
                  MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, NULL);
        MHD_stop_daemon(l->daemon);
    }
    free(l->netns);
    free(l);
}

int
metadata_server_listen(struct metadata_server *m, const char *netns, struct fault *f)
{
    struct metadata_listener *l;
    int r = 0;

    pthread_mutex_lock(&m->mutex);
    if (!map_has(m->listeners, netns)) {
        l = memory_calloc(1, sizeof(*l));
        l->server = m;
        l->netns = memory_strdup(netns);
        r = start_listener(m, l, f);
        if (r < 0)
            free_listener(l);
        else
            map_set(m->listeners, netns, l);
    }
    pthread_mutex_unlock(&m->mutex);
    return r;
}

void
metadata_server_unlisten(struct metadata_server *m, const char *netns)
{
    pthread_mutex_lock(&m->mutex);
    map_remove(m->listeners, netns);
    pthread_mutex_unlock(&m->mutex);
}

void
metadata_server_set_clients(struct metadata_server *m, const struct metadata_client *clients,
                            size_t count)
{
    struct map_at at = { 0 };

    pthread_mutex_lock(&m->mutex);
    metadata_clients_set(m->clients, clients, count);
    while (map_next(m->cache, &at))
        if (!metadata_clients_has_instance(m->clients, at.key))
            map_remove(m->cache, at.key);
    pthread_mutex_unlock(&m->mutex);
}

void
metadata_server_stats(struct metadata_server *m, struct metadata_stats *ret)
{
    *ret = (struct metadata_stats){ m->requests, m->unknown, m->limited, m->failed, m->fetches };
}

/* --- its life --------------------------------------------------------------------------------- */

int
metadata_server_open(struct metadata_server **ret, const struct metadata_source *source,
                     struct fault *f)
{
    struct metadata_server *m = memory_calloc(1, sizeof(*m));
    struct epoll_event event = { .events = EPOLLIN };

    m->source = *source;
    m->listeners = map_new(free_listener);
    m->clients = metadata_clients_new(source->requests_per_s, source->burst);
    m->cache = map_new(free_facts);
    list_init(&m->waiting);
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->work, NULL);
    m->epoll = epoll_create1(EPOLL_CLOEXEC);
    m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->epoll < 0 || m->wake < 0 || epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->wake, &event) < 0) {
        fault_raise_cause(f, "metadata server: %s", strerror(errno));
        m->stopping = true;
        metadata_server_close(m);
        return -1;
    }
    if (pthread_create(&m->serving, NULL, serve_main, m) != 0 ||
        pthread_create(&m->fetching, NULL, fetch_main, m) != 0)
        memory_exhausted(sizeof(*m));
    *ret = m;
    return 0;
}

void
metadata_server_close(struct metadata_server *m)
{
    if (m == NULL)
        return;
    if (!m->stopping) {
        pthread_mutex_lock(&m->mutex);
        m->stopping = true;
        pthread_cond_broadcast(&m->work);
        pthread_mutex_unlock(&m->mutex);
        eventfd_write(m->wake, 1);
        pthread_join(m->serving, NULL);
        pthread_join(m->fetching, NULL);
    }
    map_free(m->listeners);
    metadata_clients_free(m->clients);
    map_free(m->cache);
    close(m->epoll);
    close(m->wake);
    pthread_mutex_destroy(&m->mutex);
    pthread_cond_destroy(&m->work);
    free(m);
}
