/* The yardstick of `make bench`: libmicrohttpd with nothing behind it, answering every request with as many bytes as asked.
 *   bare PORT BYTES THREADS */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

static char *body;
static size_t body_size;

static enum MHD_Result
answer(void *owner, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *size, void **state)
{
    static int seen;
    struct MHD_Response *response;
    enum MHD_Result r;

    (void)owner, (void)url, (void)method, (void)version, (void)data, (void)size;
    if (*state == NULL) { /* The head is in. An answer given now would close the connection. */
        *state = &seen;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(body_size, body, MHD_RESPMEM_PERSISTENT);
    r = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return r;
}

int
main(int argc, char **argv)
{
    int64_t port, bytes, threads;
    struct MHD_Daemon *daemon;

    if (argc != 4 || str_to_int64(argv[1], 1, 65535, &port) < 0 ||
        str_to_int64(argv[2], 0, 1 << 24, &bytes) < 0 || str_to_int64(argv[3], 1, 64, &threads) < 0)
        return 2;
    body_size = (size_t)bytes;
    body = malloc(body_size + 1);
    if (body == NULL)
        return 1;
    memset(body, 'x', body_size);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, answer,
                              NULL, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)threads, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    pause();
    return 0;
}
