/* The answer to one request: filled by the handler, sent by the server. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/str.h"
#include "request.h"

struct http_response {
    struct arena *arena;      /* The request's. */
    int status;               /* 200 to start with. */
    const char *content_type; /* NULL: application/json when there is a body, else none. */
    struct http_pair *headers;
    size_t headers_count, headers_capacity;
    struct str body; /* Small answers; the server takes it over. */
    int file; /* Or: a descriptor (-1: none) sent by sendfile from 'file_offset', 'file_size' bytes; closed by the server. */
    int64_t file_offset, file_size;
    /* The handler has done nothing, for it would keep a worker long: it wants to be called again with request->may_wait. */
    bool later;
};

/* Adds or replaces a header; name and value are copied. CR and LF in a value are an assertion. */
void http_response_header(struct http_response *r, const char *name, const char *value);
