/* What server.c (threads, and what is served) and server_request.c (one request) share. Nobody else includes it. */
#pragma once

#include <pthread.h>

#include "internal.h"
#include "operations.h"

/* What rpc_serve() and rpc_subscribe() were told. */
struct binding {
    struct list link;
    const struct rpc_method *methods;
    size_t count;
    void *owner;
};

struct listener {
    struct list link;
    void (*fn)(void *owner);
    void *owner;
};

struct job {
    struct list link;
    struct delivery *delivery; /* NULL: call 'listener'. */
    struct binding *binding;
    struct listener *listener;
    uint64_t generation;
    int64_t received_ms;
};

struct rpc_server {
    struct rpc *rpc;
    unsigned workers;
    pthread_t *threads;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* A job, or the end. */
    pthread_cond_t idle; /* Nothing is in work. */
    struct list jobs GUARDED_BY(mutex);
    struct list bindings GUARDED_BY(mutex);
    struct list listeners GUARDED_BY(mutex);
    struct operations *operations GUARDED_BY(mutex);
    unsigned in_work GUARDED_BY(mutex);
    bool draining GUARDED_BY(mutex);
};

/* Examines a delivery, does what it asks for, answers and acknowledges. In a worker. */
void rpc_server_run(struct rpc_server *s, const struct job *j);
