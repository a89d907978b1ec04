/* The dispatcher: the one place with the order of a request:
 * route -> version -> token -> parse -> policy -> handler -> render. */
#pragma once

#include "../auth/authenticator.h"
#include "../db/pool.h"
#include "../http/server.h"
#include "operation.h"
#include "policy.h"

struct api_server;

struct api_server_options {
    const struct api *api;
    const char *listen;
    unsigned io_threads, workers, waiting_workers,
        waiting_max; /* See struct http_server_options. */
    struct db_pool *pool;
    struct authenticator *authenticator;
    const char *policy_file;  /* NULL: defaults only. */
    const char *identity_url; /* For WWW-Authenticate. */
    const char *public_url;   /* Base of links; NULL: from the Host header. */
    void *service;            /* call->service */
    const char *tls_certificate, *tls_key;
    int64_t
        expired_token_window_s; /* How long after its end a token serves beside a service's own. */
};

int api_server_start(struct api_server **ret, const struct api_server_options *options,
                     struct fault *f);
int api_server_reload_policy(struct api_server *s, struct fault *f);
void api_server_drain(struct api_server *s, int grace_ms);
void api_server_stop(struct api_server *s);
int api_server_port(const struct api_server *s);
struct http_server *api_server_http(struct api_server *s);
const struct policy *api_server_policy(const struct api_server *s);
struct authenticator *api_server_authenticator(struct api_server *s);
const struct api_server_options *api_server_options(const struct api_server *s);

/* Runs one request without a socket: for tests. 'db_pool' may be NULL for operations that need none. */
void api_server_handle(struct api_server *s, void *worker, struct http_request *request,
                       struct http_response *response);
