/* The wire: one AMQP 0-9-1 connection (librabbitmq) with two channels, one to publish with confirms, one to consume.
 *
 * For bus.c only, whose thread is the only one to touch it. It knows exchanges, queues, frames and properties,
 * and nothing about calls, methods or who waits. Reading never blocks; opening, declaring and publishing may, for
 * seconds. A negative return means that the connection is of no more use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/fault.h"

/* Where calls and casts are published to, and where those go that nobody took in time. A call carries its reply queue as
 * a second routing key (CC) that WIRE_CALLS doesn't know and WIRE_EXPIRED does: so what expires in a queue comes
 * back to its caller, at no cost for what doesn't. */
#define WIRE_CALLS "virga.calls"
#define WIRE_EXPIRED "virga.expired"

/* What arrives that is larger is dropped, and never held in memory. */
#define WIRE_BODY_MAX ((size_t)1024 * 1024)

struct wire;

int wire_open(struct wire **ret, const char *url, const char *connection_name, struct fault *f);
void wire_close(struct wire *w); /* NULL does nothing. Takes a second at most. */
int wire_fd(const struct wire *w);
const char *wire_user(const struct wire *w); /* As whom the broker knows us. */

enum wire_queue {
    WIRE_QUEUE_SHARED, /* Durable, of a service: its processes share the work. */
    WIRE_QUEUE_HOST, /* Exclusive: goes with the connection, so that a call to a host that is away fails at once. */
    WIRE_QUEUE_REPLY,  /* Exclusive; also hears of calls that expired. Needs no acks. */
    WIRE_QUEUE_EVENTS, /* Exclusive, bound to a fanout exchange. */
    WIRE_EXCHANGE,     /* No queue: the fanout exchange alone, for those who publish to it. */
};
/* Declares, binds, and consumes; what arrives is marked with 'consumer'. 'exchange' for the last two. */
int wire_declare(struct wire *w, enum wire_queue kind, const char *name, const char *exchange,
                 unsigned consumer, uint16_t prefetch, struct fault *f);

struct wire_publish {
    const char *exchange, *key;
    const char *message_id;  /* Comes back with a return. */
    const char *correlation; /* NULL: none */
    const char *reply_to;    /* NULL: none */
    const char *body;
    size_t size;
    int64_t expire_ms; /* 0: never */
    bool mandatory, persistent;
};
/* The delivery tag that the broker will confirm is in '*ret_tag'. */
int wire_publish(struct wire *w, const struct wire_publish *p, uint64_t *ret_tag, struct fault *f);
int wire_ack(struct wire *w, uint64_t tag, struct fault *f);

/* A message from the broker, on the heap. Texts are never NULL. */
struct delivery {
    unsigned consumer;
    uint64_t tag; /* For wire_ack(). */
    bool redelivered;
    bool expired;  /* Our own call, back from WIRE_EXPIRED. */
    bool oversize; /* 'body' was not kept. */
    char *message_id, *correlation, *reply_to, *user_id;
    char *body;
    size_t size;
};
void delivery_free(struct delivery *d);

enum wire_event_kind {
    WIRE_NOTHING,  /* No whole event is there; wait for the descriptor. */
    WIRE_MORE,     /* Something was read, nothing to do; ask again. */
    WIRE_CONFIRM,  /* tag, multiple */
    WIRE_REFUSE,   /* The broker could not take it: tag, multiple */
    WIRE_RETURN,   /* delivery: nobody has such a queue; its confirm follows */
    WIRE_DELIVERY, /* delivery */
    WIRE_BLOCKED,  /* The broker is short of memory or disk: publish nothing until */
    WIRE_UNBLOCKED,
};
struct wire_event {
    enum wire_event_kind kind;
    uint64_t tag;
    bool multiple;
    struct delivery *delivery; /* The caller's to free. */
};
int wire_next(struct wire *w, struct wire_event *ret, struct fault *f);
