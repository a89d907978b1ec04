/* What the parts of one struct rpc know of each other: the connection below, the client's and the server's half above.
 * For the files of this folder only. */
#pragma once

#include <stdatomic.h>

#include "bus.h"
#include "rpc.h"

struct rpc_client; /* Those who wait for an answer or a confirm. */
struct rpc_server; /* Methods, workers, operations. */

struct rpc {
    char *name, *host;
    struct bus *bus;
    struct rpc_client *client;
    struct rpc_server *server;
    _Atomic uint64_t published, received, calls, timeouts, dropped;
};

struct rpc_client *rpc_client_new(struct rpc *r);
void
rpc_client_stop(struct rpc_client *c); /* Everybody who waits fails now; returns when all have. */
void rpc_client_free(struct rpc_client *c);
void rpc_client_take(struct rpc_client *c, struct delivery *d); /* From the reply queue. */
void rpc_client_connected(struct rpc_client *c);

int rpc_server_open(struct rpc_server **ret, struct rpc *r, unsigned workers, struct fault *f);
bool rpc_server_drain(struct rpc_server *s,
                      int64_t until_ms);    /* Begins nothing more; waits for what is in work. */
void rpc_server_join(struct rpc_server *s); /* Ends the workers. */
void rpc_server_free(struct rpc_server *s);
void rpc_server_take(struct rpc_server *s, struct delivery *d, void *binding, uint64_t generation);
void rpc_server_connected(struct rpc_server *s);

/* Counts a message that is not what it should be; the log gets one record a second at most. */
void rpc_drop(struct rpc *r, const char *why, const struct delivery *d);

/* A message without answer, handed to the connection: for those who watch many at once. 'exchange' NULL: to the
 * queue 'key'. 'done' is told what became of it, in the connection's thread. */
struct rpc_post {
    const char *exchange, *key, *method, *operation_id, *request_id;
    const json_t *params;
    int send_ms;   /* How long it may wait for the broker. */
    int expire_ms; /* How long for a receiver. */
    bool persistent;
    const char *correlation; /* For 'done' to know it by; NULL: none. */
    void (*done)(const struct message *m, enum message_result result, void *owner);
    void *owner;
};
int rpc_post(struct rpc *r, const struct rpc_post *post, struct fault *f);
