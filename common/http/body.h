/* A request body read as it comes, by the worker that handles the request. A bounded buffer (1 MiB) lies
 * between the connection and the reader; a slow reader stops the sender, a slow sender blocks the reader no
 * longer than the server's read deadline. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "request.h"

/* Up to 'size' bytes: their number, 0 at the end, negative with a fault when the client went away, sent less
 * than it announced, or was too slow. */
ssize_t http_body_read(struct http_request *r, void *buffer, size_t size, struct fault *f);
