/* Requests on their way: plain HTTP by a small client of our own, https by libcurl, which is loaded only then.
 *
 * Loading libcurl with its thirty-odd libraries takes five times as long as all the rest of "virga server list". Inside a data
 * center, behind a TLS proxy or on a single machine the services speak plain HTTP/1.1, which needs none of it. */
#pragma once

#include "http/client.h"

struct transport;

struct transport *transport_new(const char *ca_file,
                                const char *unix_socket); /* Both may be NULL. */
void transport_free(struct transport *t);

/* As http_client_run(). */
int transport_run(struct transport *t, struct arena *a, struct http_exchange *x, struct fault *f);
