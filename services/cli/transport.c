#include "transport.h"

#include "base/memory.h"
#include "base/str.h"
#include "plain_http.h"

struct transport {
    const char *ca_file; /* Not owned. */
    struct plain_http plain;
    struct http_client *curl;
};

struct transport *
transport_new(const char *ca_file, const char *unix_socket)
{
    struct transport *t = memory_calloc(1, sizeof(*t));

    t->ca_file = ca_file;
    t->plain.fd = -1;
    t->plain.unix_socket = unix_socket;
    return t;
}

void
transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    plain_http_close(&t->plain);
    http_client_free(t->curl);
    free(t);
}

int
transport_run(struct transport *t, struct arena *a, struct http_exchange *x, struct fault *f)
{
    if (str_starts(x->url, "http://"))
        return plain_http_run(&t->plain, a, x, f);
    if (t->curl == NULL)
        t->curl = http_client_new(
            &(struct http_client_options){ .ca_file = t->ca_file, .connect_timeout_ms = 10000 });
    return http_client_run(t->curl, a, x, f);
}
