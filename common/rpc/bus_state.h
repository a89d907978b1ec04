/* What bus.c (for other threads) and bus_thread.c (the thread itself) share. Nobody else includes it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "bus.h"
#include "reconnect.h"

#define CONSUMERS_MAX 32
#define REPLY_CONSUMER 0 /* Its place among the consumers. */

struct consumer {
    enum wire_queue kind;
    char *name, *exchange;
    void *context;
    uint64_t declared; /* On the connection of this generation. */
};

struct ack {
    struct list link;
    uint64_t generation, tag;
};

struct bus {
    char *url, *name;
    uint16_t prefetch;
    struct bus_hooks hooks;
    void *owner;
    pthread_t thread;
    bool started;
    int wake_fd;
    _Atomic bool up;
    _Atomic uint64_t generation;

    pthread_mutex_t mutex;
    pthread_cond_t declared; /* A consumer was declared, or the connection broke. */
    struct list outgoing GUARDED_BY(mutex);
    struct list acks GUARDED_BY(mutex);
    struct consumer consumers[CONSUMERS_MAX] GUARDED_BY(mutex);
    unsigned consumers_count GUARDED_BY(mutex);
    bool closing GUARDED_BY(mutex);

    /* The thread's own: */
    struct wire *wire;
    struct reconnect reconnect;
    struct list unconfirmed; /* Of struct message, by tag. */
    unsigned unconfirmed_count;
    uint64_t next_id;
    bool blocked;
    char last_failure[512]; /* To connect; as the log has it. */
    char *
        reply_queue; /* Another name on each connection: the broker may not have noticed yet that the last one is gone. */
};

/* Tells and frees. */
void message_finish(struct message *m, enum message_result result);

void *bus_run(void *bus); /* The thread. */

/* Ends the connection, if there is one; what was sent on it and not confirmed is lost. In the thread, or after it. */
void bus_break(struct bus *c, const struct fault *why);

/* The acknowledgements that wait; without a connection it only frees them. In the thread, or after it. */
int bus_send_acks(struct bus *c, struct fault *f);
