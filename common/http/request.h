/* One HTTP request as a handler sees it: parsed, bounded, in an arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/fault.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

const char *http_method_name(enum http_method method);

struct http_pair {
    const char *name, *value; /* Of a query parameter without '=': value is NULL. */
};

struct http_body; /* A body that is still arriving: see body.h. */

struct http_request {
    struct arena *arena; /* Everything here, and what the handler makes, lives in it. */
    enum http_method method;
    const char *path;        /* As sent, without the query; still percent-encoded. */
    const char *query_text;  /* As sent, without '?'; "" if none. */
    struct http_pair *query; /* Decoded, in order of appearance; valid UTF-8 without NUL. */
    size_t query_count;
    struct http_pair *headers;
    size_t headers_count;
    const char *peer;   /* Address of the client, "127.0.0.1". */
    int64_t started_us; /* clock_mono_us() when the first line was in. */
    const char *body;   /* All of it, terminated; NULL for a streamed one. */
    size_t body_size;
    struct http_body *stream; /* For operations that read as it comes; else NULL. */
    int64_t content_length;   /* As announced; -1: chunked or none. */
    bool may_wait; /* The handler runs in a thread for what takes long; see struct http_response. */
};

/* First header of that name (any case), or NULL. A header that may stand only once was checked before. */
const char *http_header(const struct http_request *r, const char *name);

/* First query parameter of that name, or NULL; "" for one without value. */
const char *http_query(const struct http_request *r, const char *name);
