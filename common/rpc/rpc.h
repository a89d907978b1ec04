/* RPC over RabbitMQ (AMQP 0-9-1, librabbitmq).
 *
 * One connection per process, owned by one thread; other threads hand it what to publish and wait for what
 * comes back. It reconnects by itself (exponential, 0.1 to 5 s) and declares its queues again. Fixed queue names:
 * "<name>" for a service's shared queue, "<name>.<host>" for a host's, one exclusive reply queue per process.
 * A message is JSON: {v, method, operation_id, deadline, timeout_ms, request_id, from, params} (envelope.h); publisher confirms,
 * manual acks, per-message expiration. The broker is a doorbell: what must not be lost is in the database (see outbox.h, saga.h).
 *
 * Queues: a service's is durable and shared; a host's (a name with a '.') is exclusive to its connection, so a call to a
 * host that is away fails at once, and nobody else can take its messages. Broker users: "name@host" for what runs
 * on a host, which may then speak for that host only; any name without '@' for services. TLS: amqps://, always
 * verified; ?cacertfile=, ?certfile=, ?keyfile= name files. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/fault.h"

struct rpc;

struct rpc_options {
    const char *url; /* amqp://user:password@host:port/vhost; TLS with amqps:// */
    const char
        *name; /* The process: "compute", "compute-agent"; with 'host' its identity as a sender. */
    const char *host; /* "" for services. */
    unsigned workers; /* Threads that run received methods; 0: 4. */
};

/* Starts the thread; does not wait for the broker. */
int rpc_open(struct rpc **ret, const struct rpc_options *options, struct fault *f);
/* Begins no received method any more and waits for those in work: true when all have returned. Calling goes on working. */
bool rpc_drain(struct rpc *r, int wait_ms);
void rpc_close(
    struct rpc *
        r); /* Answers what is in work (2 s at most), then ends: handlers must have returned by their own deadline. */
bool rpc_connected(const struct rpc *r);

/* What a received method gets. */
struct rpc_request {
    struct arena *arena;
    struct rpc *rpc;
    const char *method, *operation_id, *request_id;
    const char *from_name,
        *from_host; /* The sender: user-id property checked by the broker when it is set. */
    const json_t *params;
    int64_t deadline_mono_ms; /* Don't begin after it. */
    void *owner;              /* As given to rpc_serve(). */
};

struct rpc_method {
    const char *name;
    bool cast; /* No answer. */
    int deadline_ms;
    /* *ret: the answer, owned by the arena, or left alone. */
    int (*handle)(struct rpc_request *request, json_t **ret, struct fault *f);
};

/* Receives on 'queue' from now on (after each reconnect too); a host's own queue is rpc_queue(a, name, host). */
int rpc_serve(struct rpc *r, const char *queue, const struct rpc_method *methods, size_t count,
              void *owner, struct fault *f);

/* Publishes and waits for the answer. 'operation_id': receivers do an operation once, however often it comes: the same id,
 * method and parameters get the first one's answer for as long as the receiver lives and remembers (some thousand operations; failures that
 * trying again may help are not remembered). NULL: a new one, as reads and polls need. 'deadline_ms' 0: 60 s. 'ret' may be NULL. The remote fault is passed on in 'f'. FAULT_UNAVAILABLE: surely not begun (broker away, or nobody
 * took it before it expired); FAULT_TIMEOUT: begun perhaps. */
int rpc_call(struct rpc *r, const char *queue, const char *method, const char *operation_id,
             const json_t *params, int deadline_ms, struct arena *a, json_t **ret, struct fault *f);

/* Publishes with confirm, without answer. For hints; what matters goes through the outbox. */
int rpc_cast(struct rpc *r, const char *queue, const char *method, const char *operation_id,
             const json_t *params, struct fault *f);

/* Events to all who listen (fanout exchange 'name'), e.g. token revocations. Handlers run in the RPC workers. */
int rpc_publish(struct rpc *r, const char *exchange, const char *method, const json_t *params,
                struct fault *f);
int rpc_subscribe(struct rpc *r, const char *exchange, const struct rpc_method *methods,
                  size_t count, void *owner, struct fault *f);

/* Called in a worker after each (re)connect, and now if there is a connection: the moment to catch up with what was missed. */
void rpc_on_connect(struct rpc *r, void (*fn)(void *owner), void *owner);

struct rpc_stats {
    uint64_t published, received, calls, timeouts, dropped, reconnects;
};
void rpc_stats(const struct rpc *r, struct rpc_stats *ret);

/* "compute-agent.host1" in the arena; host NULL or "": the name alone. */
char *rpc_queue(struct arena *a, const char *name, const char *host);
