/* The process's one connection to the broker, and the thread that owns it.
 *
 * Other threads hand messages over and are told what became of each; what is delivered is handed up. The thread wakes by an
 * eventfd, reconnects as reconnect.h says, and declares everything again after each connect. Nothing here knows
 * calls or methods: that is client.c and server.c. Hooks run in the connection's thread, without locks held: they take
 * note and wake somebody, and never block. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/fault.h"
#include "../base/list.h"
#include "wire.h"

struct bus;

enum message_result {
    MESSAGE_CONFIRMED, /* The broker has it. */
    MESSAGE_RETURNED,  /* No such queue. */
    MESSAGE_REFUSED,   /* The broker could not take it. */
    MESSAGE_LOST,      /* Sent, but the connection broke: it may have arrived. */
    MESSAGE_UNSENT,    /* Not sent: the broker was away until 'send_by_ms'. */
};

/* On the heap; the connection owns it from bus_send() on. */
struct message {
    struct list link;
    uint64_t tag;
    bool returned;
    char id[24];
    char *exchange, *key; /* Exchange "": straight to the queue 'key'. */
    char *correlation;    /* NULL: none */
    char *body;
    size_t size;
    bool mandatory, persistent;
    bool
        wants_reply; /* The reply queue of the connection of the moment is put in when it is sent. */
    int64_t send_by_ms; /* Steady clock. */
    int64_t expire_ms;  /* Steady clock; the broker drops it then. 0: never */
    /* Called once, whatever happens; may be NULL. The message is freed after it. */
    void (*done)(const struct message *m, enum message_result result, void *owner);
    void *owner;
};
struct message *message_new(const char *exchange, const char *key, const char *correlation,
                            const char *body, size_t size);

struct bus_hooks {
    /* 'context' as given to bus_consume(), NULL on the reply queue. The delivery is the hook's to free. */
    void (*delivered)(struct delivery *d, void *context, uint64_t generation, void *owner);
    void (*connected)(void *owner);
};

/* 'name' is seen by who looks at the broker's connections, and is part of the reply queue's name. */
int bus_open(struct bus **ret, const char *url, const char *name, uint16_t prefetch,
             const struct bus_hooks *hooks, void *owner, struct fault *f);

/* Sends what waits, half a second at most, and ends. What is left is done as LOST or UNSENT. */
void bus_close(struct bus *c);

bool bus_up(struct bus *c);             /* Logged in and all queues declared. */
uint64_t bus_generation(struct bus *c); /* How often it has connected. */

void bus_send(struct bus *c, struct message *m);

/* Acknowledges a delivery; one of an earlier connection is left to the broker, which sends it again. */
void bus_ack(struct bus *c, uint64_t generation, uint64_t tag);

/* Declares a queue and consumes from it, now and after each connect. Returns when the broker has it, or
 * at once when it is away. The same queue or exchange twice is one. */
int bus_consume(struct bus *c, enum wire_queue kind, const char *name, const char *exchange,
                void *context, struct fault *f);
