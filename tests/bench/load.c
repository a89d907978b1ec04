/* A load for `make bench`: so many connections, kept alive, each sends the same request again and again for so many seconds.
 *   load SECONDS CONNECTIONS URL [HEADER: VALUE]...
 * Prints "RATE MEDIAN_US P99_US ERRORS BYTES": answers a second, latencies, answers that were no 2xx, size of one body. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define SAMPLES 200000

static struct str request;
static struct sockaddr_in server = { .sin_family = AF_INET };
static int64_t end_us;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int64_t answers, errors, bytes;
static int *latencies;
static size_t latencies_count;

/* Reads one answer: its status, and how long its body was; -1 when the connection ended. */
static int
read_answer(int fd, char *buffer, size_t size, int64_t *ret_body)
{
    size_t have = 0;
    char *end = NULL;
    const char *length;
    int64_t want = 0;

    while (end == NULL) {
        ssize_t n = have < size - 1 ? read(fd, buffer + have, size - 1 - have) : 0;

        if (n <= 0)
            return -1;
        have += (size_t)n;
        buffer[have] = '\0';
        end = strstr(buffer, "\r\n\r\n");
    }
    length = strcasestr(buffer, "content-length:");
    if (length != NULL && length < end)
        want = strtoll(length + 15, NULL, 10);
    for (int64_t got = (int64_t)have - (end + 4 - buffer); got < want;) {
        char rest[65536];
        ssize_t n = read(fd, rest, sizeof(rest));

        if (n <= 0)
            return -1;
        got += n;
    }
    *ret_body = want;
    return (int)strtol(buffer + 9, NULL, 10);
}

static int
open_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&server, sizeof(server)) == 0)
        return fd;
    perror("connect");
    exit(1);
}

static void *
run(void *argument)
{
    static __thread char buffer[65536];
    int64_t mine = 0, bad = 0, body = 0;
    int fd = open_connection();

    (void)argument;
    for (int64_t begin = clock_mono_us(); begin < end_us; begin = clock_mono_us()) {
        int status;

        if (write(fd, request.data, request.size) != (ssize_t)request.size ||
            (status = read_answer(fd, buffer, sizeof(buffer), &body)) < 0) {
            close(fd);
            fd = open_connection();
            bad++;
            continue;
        }
        mine++;
        bad += status < 200 || status > 299;
        pthread_mutex_lock(&mutex);
        if (latencies_count < SAMPLES)
            latencies[latencies_count++] = (int)(clock_mono_us() - begin);
        pthread_mutex_unlock(&mutex);
    }
    close(fd);
    pthread_mutex_lock(&mutex);
    answers += mine;
    errors += bad;
    bytes = body;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int
main(int argc, char **argv)
{
    int64_t seconds, connections;
    pthread_t threads[256];
    char host[64], path[1024];
    unsigned port;

    if (argc < 4 || str_to_int64(argv[1], 1, 600, &seconds) < 0 ||
        str_to_int64(argv[2], 1, 256, &connections) < 0 ||
        sscanf(argv[3], "http://%63[^:]:%u%1023s", host, &port, path) != 3)
        return 2;
    server.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host, &server.sin_addr);
    str_addf(&request, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nAccept: application/json\r\n", path, host,
             port);
    for (int i = 4; i < argc; i++)
        str_addf(&request, "%s\r\n", argv[i]);
    str_add(&request, "\r\n");
    latencies = calloc(SAMPLES, sizeof(*latencies));
    end_us = clock_mono_us() + seconds * 1000000;
    for (int64_t i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    for (int64_t i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    qsort(latencies, latencies_count, sizeof(*latencies), compare);
    printf("%.0f %d %d %lld %lld\n", (double)answers / (double)seconds,
           latencies_count == 0 ? 0 : latencies[latencies_count / 2],
           latencies_count == 0 ? 0 : latencies[latencies_count * 99 / 100], (long long)errors,
           (long long)bytes);
    return 0;
}
