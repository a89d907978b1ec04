/* Calls to other OpenStack services over REST, as this daemon's own user: token kept and renewed, endpoints from the
 * catalogue, the user's request id passed on. One per process; thread-safe. */
#pragma once

#include <jansson.h>

#include "../http/client.h"
#include "daemon.h"

struct service_client;

/* Reads identity's place and the credentials from the common configuration. Does not call anybody yet. */
int service_client_open(struct service_client **ret, const struct daemon_config *config,
                        struct fault *f);
void service_client_close(struct service_client *c);

struct service_call {
    const char
        *service_type; /* "image", "network", "placement", "volumev3", "compute", "identity" */
    enum http_method method;
    const char *path;   /* Below the endpoint: "/v2.0/ports/..." exactly as the service has it. */
    const json_t *body; /* NULL: none */
    const char *microversion; /* "placement 1.39": OpenStack-API-Version; NULL: none */
    const char *request_id;   /* Passed on as X-OpenStack-Request-ID; NULL: none */
    const char *
        idempotency_key; /* A POST that is sent again has its effect once, where the service knows the header; NULL: none */
    const char *subject; /* A token that identity is asked about: X-Subject-Token. NULL: none */
    const char *token;   /* The user's, sent with ours as X-Service-Token; NULL: ours alone. */
    bool anonymous;      /* Without any token: for what is public. */
    int deadline_ms;     /* 0: 30 s */
    int status;          /* The answer. */
    json_t *answer;      /* Parsed JSON, in the arena; NULL if there is none. */
    struct http_pair *answer_headers;
    size_t answer_headers_count;
};

/* 0 for 2xx. Otherwise a fault: 4xx keeps its kind and the other service's message; 5xx and no connection are
 * FAULT_UNAVAILABLE. */
int service_call_run(struct service_client *c, struct http_client *http, struct arena *a,
                     struct service_call *call, struct fault *f);

/* URL of a service's endpoint (the internal one if there is one, else the public one; without its version, so that the same paths
 * fit), and a token for raw calls (streaming). */
int service_endpoint(struct service_client *c, struct http_client *http, struct arena *a,
                     const char *service_type, char **ret, struct fault *f);
int service_token(struct service_client *c, struct http_client *http, struct arena *a, char **ret,
                  struct fault *f);
/* Another token than 'refused', which a service has just answered with 401. */
int service_token_renew(struct service_client *c, struct http_client *http, struct arena *a,
                        const char *refused, char **ret, struct fault *f);
