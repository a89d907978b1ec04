/* The server that the dispatcher serves: what dispatch.c and server.c share. Private. */
#pragma once

#include "dispatch.h"
#include "router.h"

struct api_server {
    struct api_server_options options;
    const struct dialect *dialect;
    struct router *router;
    struct policy *policy;
    struct policy
        *old_policy; /* The one before the last reload: requests in work may still look at it. */
    struct http_server *http;
    const char **at_once_paths; /* Of the operations that are tried in the I/O thread. */
    size_t at_once_count;
};

/* What each worker thread has of its own. */
struct api_worker {
    struct http_client *client;
};

static inline bool
operation_is_inline(const struct operation *o)
{
    return (o->flags & OP_INLINE) != 0;
}

/* dispatch.c: api_server_handle() in the I/O thread. False: it has to be done in a worker. */
bool api_server_handle_at_once(struct api_server *s, struct http_request *request,
                               struct http_response *response);
