/* A client for HTTP/1.1 (RFC 9112) without TLS: one connection, kept between requests to the same server. */
#pragma once

#include "http/client.h"

struct plain_http {
    int fd;                  /* -1: none */
    char server[300];        /* "host:port" of it. */
    const char *unix_socket; /* NULL, or where to connect whatever the URL says. Not owned. */
};

void plain_http_close(struct plain_http *h);

/* As http_client_run(), for URLs with http:. A timeout holds for each read and write, not for their sum. */
int plain_http_run(struct plain_http *h, struct arena *a, struct http_exchange *x, struct fault *f);
