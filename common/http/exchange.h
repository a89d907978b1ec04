/* One request on its way through the server, and the server itself: what the files of this
 * folder share. Private.
 *
 *   connection.c  what libmicrohttpd calls: the states of an exchange, in the I/O threads
 *   head.c        request line and headers: checked, and made into a struct http_request
 *   body.c        bodies that are read as they come
 *   reply.c       from struct http_response to the answer libmicrohttpd sends
 *   workers.c     threads that run handlers
 *   clients.c     connections: how many, and how long they may say nothing
 *   listen.c      the listening socket
 *   server.c      start, drain, stop, numbers
 *
 * An exchange belongs to the I/O thread of its connection, but for the time between
 * workers_push() and MHD_resume_connection(), when the connection is suspended and the worker
 * owns it. A streamed one is shared: its struct http_body has a mutex, and the last of the two
 * who lets go releases it. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../base/list.h"
#include "../base/str.h"
#include "server.h"

enum {
    HTTP_MAX_TARGET = 8192,         /* Bytes of path and query; longer: 414. */
    HTTP_MAX_HEADERS = 100,         /* More: 431. */
    HTTP_BODY_BUFFER = 1024 * 1024, /* Between a sender and the handler that reads. */
    HTTP_KEEP_BODY = 64 * 1024,     /* Buffers up to this size are kept for the next request. */
};

enum exchange_state {
    EXCHANGE_HEAD,        /* The request line came; headers are coming. */
    EXCHANGE_COLLECT,     /* The body is coming, into 'body'. */
    EXCHANGE_WORK,        /* With a worker; the connection is suspended. */
    EXCHANGE_STREAM_IDLE, /* With a worker that hasn't asked for the body yet; suspended. */
    EXCHANGE_STREAM,      /* With a worker; the body goes through 'stream'. */
    EXCHANGE_READY,       /* 'reply' may be sent. */
};

struct client;

struct http_body {
    struct exchange *exchange;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* What the reader waits for. */
    char *ring;             /* HTTP_BODY_BUFFER bytes, from the first read on. */
    size_t first, used;     /* Of the ring. */
    int64_t received, max;  /* Bytes so far; the most there may be. */
    int64_t refused;        /* Bytes thrown away after the handler had ended. */
    int64_t window_ms;      /* Since when 'window_bytes' are counted: senders must keep a pace. */
    size_t window_bytes;
    unsigned owners; /* Connection and worker. */
    bool wanted;     /* The handler has asked for the body. */
    bool suspended;  /* The connection waits for us to resume it. */
    bool ended;      /* All has been received. */
    bool gone;       /* The connection is closed, or the server stops. */
    bool too_large;
    bool finished;    /* The handler has returned; the reply is there. */
    struct list link; /* In the server's list of streams. */
};

struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct client *client;
    enum exchange_state state;
    struct http_request request;
    struct http_response response;
    struct http_pair headers[HTTP_MAX_HEADERS];
    const char *target; /* As libmicrohttpd has it; for telling where it ended. */
    size_t target_size;
    int64_t max_body;
    bool chunked;
    bool overflow;  /* The body grew beyond max_body; the rest is thrown away. */
    size_t refused; /* Bytes of that. */
    struct str body;
    struct http_body *stream; /* NULL but for streamed bodies. */
    struct MHD_Response *reply;
    struct exchange *next; /* In a queue, or in the list of free ones. */
};

struct http_server {
    struct http_handler handler;
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    int listen_fd, port;
    char *unix_path, *certificate, *key;
    struct workers *workers, *streamers, *waiters;
    struct clients *clients;
    atomic_bool draining, stopping;
    atomic_uint active; /* Requests between their head and the end of their answer. */
    atomic_ullong requests, responses[6];
    pthread_mutex_t mutex; /* Guards what follows. */
    pthread_cond_t idle;   /* 'active' has become 0 while draining. */
    struct exchange *free_list;
    unsigned free_count;
    struct list streams;
};

/* connection.c */
struct exchange *exchange_new(struct http_server *s, struct MHD_Connection *connection);
void exchange_free(struct exchange *x); /* Back to the free list. */
void exchange_destroy(struct exchange *x);
void *http_on_target(void *owner, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_request(void *owner, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **state);
void http_on_completed(void *owner, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode why);
/* In a worker: runs the handler and hands the connection back; 'x' may be gone afterwards. With
 * 'refuse' the handler isn't run, and the answer is 503. */
void exchange_run(struct exchange *x, void *worker, bool refuse);

/* head.c: 0, or the status to refuse the request with and the reason. */
int head_read(struct exchange *x, const char *method, const char *version, const char **ret_why);

/* body.c */
struct http_body *body_new(struct exchange *x);
void body_free(struct http_body *b);
enum body_next { BODY_WAIT, BODY_CONTINUE, BODY_ANSWER, BODY_CLOSE };
enum body_next body_begin(
    struct http_body *b); /* May the connection go on with receiving? Suspends when not yet. */
enum body_next body_receive(struct http_body *b, const char *data,
                            size_t *size); /* '*size': what it left. */
enum body_next body_end(struct http_body *b);
void
body_finish(struct http_body *b); /* In the worker: the reply is there. Drops the worker's share. */
void
body_abandon(struct http_body *b); /* In the I/O thread: the connection is done. Drops its share. */
void body_interrupt(struct http_body *b); /* The server stops: the reader gets an error. */

/* reply.c */
void reply_make(struct exchange *x); /* x->reply from x->response, which is used up. */
void reply_refuse(struct exchange *x, int status,
                  const char *why);  /* x->reply: the small JSON error. */
void reply_drop(struct exchange *x); /* Neither response nor reply will be sent. */

/* listen.c: the socket, or negative with a fault. */
int listen_open(const char *address, char **ret_unix_path, int *ret_port, struct fault *f);
