/* See metadata_server.h. The serving thread runs every listener's libmicrohttpd from one epoll; handlers run in it, with the
 * mutex held, and never block. The fetching thread takes the id of one server at a time, asks for its facts without the
 * mutex, and wakes all connections that wait for that server. */
#include "metadata_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "guest/metadata.h"
#include "metadata_clients.h"
#include "netns.h"
#include "port_rules.h"

#define METADATA_PORT 80
#define CONNECTIONS 256
#define CONNECTIONS_PER_GUEST 16
#define CONNECTION_TIMEOUT_S 15
#define CONNECTION_MEMORY 16384
#define TICK_MS 1000
#define MAX_PATH 1024

struct listener {
    struct metadata_server *server;
    char *netns;
    struct MHD_Daemon *daemon;
};

struct facts {
    json_t *json;
    int64_t at_ms;
};

enum progress { NEW, WAITING, FETCHED, FAILED, ABSENT };

/* One HTTP request, from its first line to its end. */
struct request {
    struct list link; /* In server->waiting while it is WAITING. */
    struct listener *listener;
    struct MHD_Connection *connection;
    enum progress progress;
    char *instance_id;
};

struct metadata_server {
    struct metadata_source source;
    pthread_t serving, fetching;
    int epoll, wake; /* 'wake': an eventfd, to end. */
    atomic_bool stopping;
    _Atomic uint64_t requests, unknown, limited, failed, fetches;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* Something waits, or the end. */
    struct map *listeners GUARDED_BY(mutex); /* By netns. */
    struct metadata_clients *clients GUARDED_BY(mutex);
    struct map *cache GUARDED_BY(mutex); /* Instance id to struct facts. */
    struct list waiting GUARDED_BY(mutex);
};

static void
free_facts(void *value)
{
    struct facts *x = value;

    json_decref(x->json);
    free(x);
}

/* --- answers (in the serving thread, mutex held) ---------------------------------------------------------------- */

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type, const void *data, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result r;

    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    r = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return r;
}

static enum MHD_Result
answer_status(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, "text/plain; charset=UTF-8", text, strlen(text));
}

static enum MHD_Result
answer_not_found(struct MHD_Connection *connection)
{
    return answer_status(connection, MHD_HTTP_NOT_FOUND, "404 Not Found\n");
}

static enum MHD_Result
answer_document(struct MHD_Connection *connection, const json_t *facts, const char *path)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    const char *type, *data;
    size_t size;

    if (metadata_get(facts, path, a, &type, &data, &size, &f) < 0)
        return f.kind == FAULT_NOT_FOUND ? answer_not_found(connection)
                                         : answer_status(connection, fault_status(f.kind) > 0 ? (unsigned)fault_status(f.kind) : 500, "error\n");
    return answer(connection, MHD_HTTP_OK, type, data, size);
}

static const struct metadata_identity *
identify(struct metadata_server *m, const struct request *q)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *peer;
    char ip[INET_ADDRSTRLEN];

    if (info == NULL || info->client_addr == NULL || info->client_addr->sa_family != AF_INET)
        return NULL;
    peer = (const struct sockaddr_in *)(const void *)info->client_addr;
    inet_ntop(AF_INET, &peer->sin_addr, ip, sizeof(ip));
    return metadata_clients_find(m->clients, q->listener->netns, ip);
}

static const json_t *
find_facts(struct metadata_server *m, const char *instance_id)
{
    const struct facts *x = map_get(m->cache, instance_id);

    return x != NULL && clock_mono_ms() - x->at_ms <= m->source.cache_ms ? x->json : NULL;
}

static enum MHD_Result
begin(struct metadata_server *m, struct request *q, const char *method, const char *path)
{
    const struct metadata_identity *who = identify(m, q);
    const json_t *facts;

    m->requests++;
    if (who == NULL) {
        m->unknown++;
        return answer_not_found(q->connection);
    }
    if (!metadata_clients_take(m->clients, who->port_id, clock_mono_ms())) {
        m->limited++;
        return answer_status(q->connection, MHD_HTTP_TOO_MANY_REQUESTS, "429 Too Many Requests\n");
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_status(q->connection, MHD_HTTP_METHOD_NOT_ALLOWED, "405 Method Not Allowed\n");
    if (strlen(path) > MAX_PATH || path[0] != '/')
        return answer_not_found(q->connection);

    facts = find_facts(m, who->instance_id);
    if (facts != NULL)
        return answer_document(q->connection, facts, path);
    q->instance_id = memory_strdup(who->instance_id);
    q->progress = WAITING;
    list_append(&m->waiting, &q->link);
    MHD_suspend_connection(q->connection);
    pthread_cond_signal(&m->work);
    return MHD_YES;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
           const char *upload, size_t *upload_size, void **state)
{
    struct listener *l = arg;
    struct request *q = *state;

    (void)version;
    (void)upload;
    if (q == NULL) {
        q = memory_calloc(1, sizeof(*q));
        list_init(&q->link);
        q->listener = l;
        q->connection = connection;
        *state = q;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0; /* Nobody uploads anything here. */
        return MHD_YES;
    }
    switch (q->progress) {
    case NEW:
        return begin(l->server, q, method, path);
    case FETCHED: {
        const struct facts *x = map_get(l->server->cache, q->instance_id);

        if (x != NULL)
            return answer_document(connection, x->json, path);
        return answer_not_found(connection);
    }
    case ABSENT:
        return answer_not_found(connection);
    case WAITING:
    case FAILED:
        break;
    }
    return answer_status(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "503 Service Unavailable\n");
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct request *q = *state;

    (void)arg;
    (void)connection;
    (void)code;
    if (q == NULL)
        return;
    list_remove(&q->link);
    free(q->instance_id);
    free(q);
    *state = NULL;
}

/* --- the fetching thread ---------------------------------------------------------------------------------------- */

static void
wake_waiting(struct metadata_server *m, const char *instance_id, enum progress progress)
{
    struct request *q;

    LIST_EACH (q, &m->waiting, struct request, link) {
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
    struct facts *x = memory_calloc(1, sizeof(*x));

    *x = (struct facts){ json_incref(json), clock_mono_ms() };
    map_set(m->cache, instance_id, x);
}

static void *
fetch_main(void *arg)
{
    struct metadata_server *m = arg;

    pthread_mutex_lock(&m->mutex);
    while (!m->stopping) {
        struct request *q = LIST_FIRST(&m->waiting, struct request, link);
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
            log_warn("metadata.unavailable instance=%s error=%s cause=%s", instance_id, f.message, f.cause);
            wake_waiting(m, instance_id, f.kind == FAULT_NOT_FOUND ? ABSENT : FAILED);
        }
        arena_free(a);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

/* --- the serving thread ----------------------------------------------------------------------------------------- */

static void
run_listener(struct listener *l)
{
    MHD_UNSIGNED_LONG_LONG timeout = 1;

    /* It may have work left that no descriptor tells of. */
    for (int i = 0; i < 64; i++) {
        MHD_run(l->daemon);
        if (MHD_get_timeout(l->daemon, &timeout) != MHD_YES || timeout > 0)
            return;
    }
}

/* Listeners may have gone between epoll_wait() and the mutex, so events only say that there is something to do. */
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

/* --- listeners -------------------------------------------------------------------------------------------------- */

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
start_listener(struct metadata_server *m, struct listener *l, struct fault *f)
{
    struct epoll_event event = { .events = EPOLLIN };
    int fd = -1, r = netns_run(l->netns, open_socket, &fd, f);

    if (r < 0)
        return r;
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, l,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                                 MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_GUEST,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (l->daemon == NULL) {
        close(fd);
        return fault_raise_cause(f, "metadata server in %s does not start", l->netns);
    }
    if (epoll_ctl(m->epoll, EPOLL_CTL_ADD, MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                  &event) < 0)
        return fault_raise_cause(f, "metadata server in %s: %s", l->netns, strerror(errno));
    return 0;
}

/* Whoever still waits is let go first: libmicrohttpd ends only connections that are awake. */
static void
free_listener(void *value)
{
    struct listener *l = value;
    struct request *q;

    if (l->daemon != NULL) {
        LIST_EACH (q, &l->server->waiting, struct request, link) {
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
    struct listener *l;
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
metadata_server_set_clients(struct metadata_server *m, const struct metadata_client *clients, size_t count)
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

/* --- its life --------------------------------------------------------------------------------------------------- */

int
metadata_server_open(struct metadata_server **ret, const struct metadata_source *source, struct fault *f)
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
