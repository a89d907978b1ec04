/* What metadata_server.c (threads, listeners) and metadata_answer.c (requests) share, and nobody
 * else. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "metadata_clients.h"

struct metadata_listener {
    struct metadata_server *server;
    char *netns;
    struct MHD_Daemon *daemon;
};

struct metadata_facts {
    json_t *json;
    int64_t at_ms;
};

enum metadata_progress { NEW, WAITING, FETCHED, FAILED, ABSENT };

/* One HTTP request, from its first line to its end. */
struct metadata_request {
    struct list link; /* In server->waiting while it is WAITING. */
    struct metadata_listener *listener;
    struct MHD_Connection *connection;
    enum metadata_progress progress;
    char *instance_id;
};

struct metadata_server {
    struct metadata_source source;
    pthread_t serving, fetching;
    int epoll, wake; /* 'wake': an eventfd, to end. */
    atomic_bool stopping;
    _Atomic uint64_t requests, unknown, limited, failed, fetches;
    pthread_mutex_t mutex;
    pthread_cond_t work;                     /* Something waits, or the end. */
    struct map *listeners GUARDED_BY(mutex); /* By netns. */
    struct metadata_clients *clients GUARDED_BY(mutex);
    struct map *cache GUARDED_BY(mutex); /* Instance id to struct metadata_facts. */
    struct list waiting GUARDED_BY(mutex);
};

/* libmicrohttpd's handlers; the first argument is the struct metadata_listener. They run in the
 * serving thread with the mutex held, and never block. */
enum MHD_Result metadata_on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **state);
void metadata_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code);
