/* The receiving half of plain_http.c: an answer of HTTP/1.1 (RFC 9112) from a socket. */
#pragma once

#include "http/client.h"

enum { PLAIN_PIECE = 64 * 1024 }; /* Bytes read or sent at once. */

struct plain_reader {
    int fd;
    char *buffer; /* PLAIN_PIECE bytes */
    size_t start, end;
    bool any; /* Something came. */
};

/* Fills the answer's part of 'x'. 0, or negative: -errno, -EPIPE for an end too early, -EPROTO for what is no HTTP; a sink's
 * fault is in 'f' then. 'ret_closes': no other request may follow on the connection. */
int plain_answer_read(struct plain_reader *in, struct arena *a, struct http_exchange *x,
                      bool *ret_closes, struct fault *f);
