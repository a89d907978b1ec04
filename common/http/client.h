/* The HTTP client: libcurl with kept-alive connections. One 'struct http_client' per thread that calls. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "../base/str.h"
#include "request.h"

struct http_client;

struct http_client_options {
    const char *ca_file;    /* NULL: the system's. Verification is always on. */
    int connect_timeout_ms; /* 0: 2000 */
};

struct http_client *http_client_new(const struct http_client_options *options); /* NULL: defaults */
void http_client_free(struct http_client *c);

struct http_exchange {
    /* The request: */
    enum http_method method;
    const char *url;
    const struct http_pair *headers;
    size_t headers_count;
    const char *body; /* NULL: none */
    size_t body_size;
    int body_file; /* Or a descriptor to send from its offset, 'body_size' bytes; 0: none. */
    const char *content_type; /* NULL: application/json if there is a body. */
    int deadline_ms;          /* For all of it; 0: 30 s. */
    void (*sent)(
        void *owner,
        size_t bytes); /* NULL, or told how much of 'body_file' has been handed to the network. */
    void *sent_owner;
    /* Where the answer's body goes: into 'answer' (at most max_answer bytes; 0: 64 MiB), or piece by piece
     * to 'sink', which returns negative to stop; 'status' is known by then. */
    int (*sink)(void *owner, const char *data, size_t size, struct fault *f);
    void *sink_owner;
    size_t max_answer;
    /* The answer, in the arena: */
    int status;
    struct http_pair *answer_headers;
    size_t answer_headers_count;
    const char *answer;
    size_t answer_size;
};

/* 0 when an answer came, whatever its status. FAULT_UNAVAILABLE: could not connect; FAULT_TIMEOUT: connected,
 * but no whole answer in time (the effect is unknown). Redirects are not followed. */
int http_client_run(struct http_client *c, struct arena *a, struct http_exchange *x,
                    struct fault *f);

const char *http_exchange_header(const struct http_exchange *x, const char *name);
