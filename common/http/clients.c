#include "clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../base/clock.h"
#include "../base/compiler.h"
#include "../base/list.h"
#include "../base/memory.h"
#include "../base/str.h"

enum { GRACE_MS = 250 };

struct client {
    struct list link;
    int fd;
    atomic_llong owes_since_ms; /* 0: we owe it an answer, or it is being answered. */
    char peer[INET6_ADDRSTRLEN];
};

struct clients {
    unsigned max;
    int64_t patience_ms;
    atomic_uint count;
    pthread_t watcher;
    pthread_mutex_t mutex;
    pthread_cond_t changed;             /* The first client came, there are too many, or the end. */
    struct list list GUARDED_BY(mutex); /* Oldest connection first. */
    bool crowded GUARDED_BY(mutex), ending GUARDED_BY(mutex);
};

static void
peer_name(const struct sockaddr *address, char *ret, size_t size)
{
    if (address != NULL && address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, ret,
                  (socklen_t)size);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct in6_addr *six =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(six))
            inet_ntop(AF_INET, &six->s6_addr[12], ret, (socklen_t)size);
        else
            inet_ntop(AF_INET6, six, ret, (socklen_t)size);
    } else {
        snprintf(ret, size, "unix");
    }
}

/* The connection is still in the list, so its descriptor is open, and libmicrohttpd sees the end
 * of it. */
static void
cut(struct client *c)
{
    shutdown(c->fd, SHUT_RDWR);
}

/* Too many: up to an eighth of them has to go, those first that have owed us longest. Who came
 * just now stays. */
static void
make_room(struct clients *c)
{
    unsigned wanted = MAX(c->max / 8, 1u);
    int64_t now = clock_mono_ms();

    for (int64_t age = c->patience_ms; wanted > 0 && age >= GRACE_MS; age /= 2) {
        struct client *client;

        LIST_EACH (client, &c->list, struct client, link) {
            int64_t since = atomic_load_explicit(&client->owes_since_ms, memory_order_relaxed);

            if (wanted > 0 && since != 0 && now - since >= age) {
                cut(client);
                atomic_store(&client->owes_since_ms, 0);
                wanted--;
            }
        }
    }
}

static void
cut_late(struct clients *c)
{
    int64_t now = clock_mono_ms();
    struct client *client;

    LIST_EACH (client, &c->list, struct client, link) {
        int64_t since = atomic_load_explicit(&client->owes_since_ms, memory_order_relaxed);

        if (since != 0 && now - since >= c->patience_ms)
            cut(client);
        else if (since != 0)
            client_notice_end(client);
    }
}

/* Sleeps while there is no connection; otherwise looks at all of them four times in the time one
 * has. */
static void *
watch(void *object)
{
    struct clients *c = object;

    pthread_mutex_lock(&c->mutex);
    while (!c->ending) {
        if (c->crowded) {
            make_room(c);
            c->crowded = false;
        }
        cut_late(c);
        if (list_empty(&c->list)) {
            pthread_cond_wait(&c->changed, &c->mutex);
        } else {
            int64_t wait_ms = MAX(c->patience_ms / 4, 10);
            struct timespec until;

            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_sec += wait_ms / 1000;
            until.tv_nsec += wait_ms % 1000 * 1000000;
            if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
            }
            pthread_cond_timedwait(&c->changed, &c->mutex, &until);
        }
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

struct clients *
clients_new(unsigned max, int64_t patience_ms)
{
    struct clients *c = memory_calloc(1, sizeof(*c));
    pthread_condattr_t attributes;

    c->max = max;
    c->patience_ms = patience_ms;
    list_init(&c->list);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&c->watcher, NULL, watch, c) != 0) {
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->mutex);
        free(c);
        return NULL;
    }
    pthread_setname_np(c->watcher, "http-clients");
    return c;
}

void
clients_free(struct clients *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->ending = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->watcher, NULL);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

enum MHD_Result
clients_on_accept(void *owner, const struct sockaddr *address _unused_, socklen_t size _unused_)
{
    struct clients *c = owner;

    if (atomic_load(&c->count) < c->max)
        return MHD_YES;
    pthread_mutex_lock(&c->mutex);
    c->crowded = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    return MHD_NO;
}

void
clients_on_connection(void *owner, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode what)
{
    struct clients *c = owner;
    struct client *client = *socket_context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *address =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const union MHD_ConnectionInfo *fd =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        bool first;

        client = memory_calloc(1, sizeof(*client));
        client->fd = fd->connect_fd;
        atomic_init(&client->owes_since_ms, clock_mono_ms());
        peer_name(address != NULL ? address->client_addr : NULL, client->peer,
                  sizeof(client->peer));
        *socket_context = client;

        pthread_mutex_lock(&c->mutex);
        first = list_empty(&c->list);
        list_append(&c->list, &client->link);
        if (atomic_fetch_add(&c->count, 1) + 1 >= c->max - c->max / 16)
            c->crowded = true;
        if (first || c->crowded)
            pthread_cond_signal(&c->changed);
        pthread_mutex_unlock(&c->mutex);
        return;
    }
    if (client == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    list_remove(&client->link);
    atomic_fetch_sub(&c->count, 1);
    pthread_mutex_unlock(&c->mutex);
    free(client);
    *socket_context = NULL;
}

struct client *
client_get(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

const char *
client_peer(const struct client *c)
{
    return c->peer;
}

void
client_notice_end(struct client *c)
{
    char next;

    if (recv(c->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        cut(c);
}

void
client_owes(struct client *c)
{
    atomic_store_explicit(&c->owes_since_ms, clock_mono_ms(), memory_order_relaxed);
}

void
client_owes_nothing(struct client *c)
{
    atomic_store_explicit(&c->owes_since_ms, 0, memory_order_relaxed);
}

unsigned
clients_count(const struct clients *c)
{
    return atomic_load(&((struct clients *)c)->count);
}
