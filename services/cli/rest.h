/* Requests to services: with the token, the microversion, the --debug trace, and errors in words. */
#pragma once

#include <jansson.h>

#include "cli.h"
#include "http/client.h"

struct rest {
    enum service service;
    enum http_method method;
    const char *path;                /* Below the service's version, with its query. */
    const json_t *body;              /* NULL: none */
    const char *content_type;        /* NULL: application/json */
    const char *microversion;        /* NULL: the service's usual one. */
    const struct http_pair *headers; /* More of them. */
    size_t headers_count;
    bool text; /* The answer is no JSON: it is left in 'exchange'. */
    /* Bodies that are no JSON: */
    int body_file;
    size_t body_size;
    void (*sent)(void *owner, size_t bytes);
    int (*sink)(void *owner, const char *data, size_t size, struct fault *f);
    void *owner;
    /* The answer, in the arena: */
    int status;
    json_t *answer; /* NULL: none, or no JSON. */
    struct http_exchange exchange;
};

/* 0 for a status below 400. Otherwise negative with the service's own message and the request id (FAULT_NOT_FOUND for 404,
 * FAULT_FORBIDDEN for 403, else FAULT_CONFLICT); 'status' is then set, or 0 when no answer came. A cached token that is refused is replaced, once. */
int rest_call(struct cli *cli, struct rest *r, struct fault *f);

/* GET; the answer, or NULL with a fault. */
json_t *rest_get(struct cli *cli, enum service service, const char *path, int *ret_status,
                 struct fault *f);

/* One exchange, traced when --debug says so. */
int rest_exchange(struct cli *cli, struct http_exchange *x, struct fault *f);

/* Raises what an answer of 400 and above says: "message (HTTP 404) (Request-ID: req-...)". */
int rest_explain(struct arena *a, const struct http_exchange *x, struct fault *f);
