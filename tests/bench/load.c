/* A load for `make bench`: so many connections, kept alive, each sends the same request again and again for so many milliseconds.
 *   load MILLISECONDS CONNECTIONS METHOD URL BODIES [HEADER: VALUE]...
 * BODIES: "-", or a file whose lines are the bodies, taken in turn. "@uuid" in the URL becomes a fresh UUID in every request.
 * Prints "RATE MEDIAN_US P99_US ERRORS BYTES": answers a second, latencies, answers that were no 2xx, size of one body. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"

#define SAMPLES 200000 /* Of one connection. */
#define THREADS_MAX 256

struct worker {
    pthread_t thread;
    struct str request;
    int64_t answers, errors, bytes;
    int *latencies;
    size_t latencies_count;
};

static const char *method;
static char host[64], path[4096];
static unsigned port;
static struct str headers;
static struct sockaddr_in server = { .sin_family = AF_INET };
static int64_t end_us;
static char **bodies;
static size_t bodies_count;
static atomic_size_t bodies_next;

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

/* What is sent next. Where every request is the same it is made once, so that the load costs little beside what it measures. */
static void
make_request(struct str *out)
{
    const char *body = bodies_count == 0 ? NULL : bodies[bodies_next++ % bodies_count];
    const char *mark = strstr(path, "@uuid");

    if (out->size > 0 && mark == NULL && bodies_count <= 1)
        return;
    str_clear(out);
    str_addf(out, "%s ", method);
    if (mark != NULL) {
        char id[UUID_TEXT];

        uuid_new(id);
        str_addf(out, "%.*s%s%s", (int)(mark - path), path, id, mark + strlen("@uuid"));
    } else {
        str_add(out, path);
    }
    str_addf(out, " HTTP/1.1\r\nHost: %s:%u\r\nAccept: application/json\r\n%s", host, port,
             str_text(&headers));
    if (body != NULL)
        str_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    else
        str_add(out, "\r\n");
}

static void *
run(void *argument)
{
    static __thread char buffer[65536];
    struct worker *w = argument;
    int fd = open_connection();

    for (int64_t begin = clock_mono_us(); begin < end_us; begin = clock_mono_us()) {
        int status;

        make_request(&w->request);
        if (write(fd, w->request.data, w->request.size) != (ssize_t)w->request.size ||
            (status = read_answer(fd, buffer, sizeof(buffer), &w->bytes)) < 0) {
            close(fd);
            fd = open_connection();
            w->errors++;
            continue;
        }
        w->answers++;
        w->errors += status < 200 || status > 299;
        if (w->latencies_count < SAMPLES)
            w->latencies[w->latencies_count++] = (int)(clock_mono_us() - begin);
    }
    close(fd);
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int
read_bodies(const char *file_path)
{
    FILE *file = fopen(file_path, "re");
    char *line = NULL;
    size_t space = 0;

    if (file == NULL)
        return -1;
    for (ssize_t n = getline(&line, &space, file); n > 0; n = getline(&line, &space, file)) {
        bodies = reallocarray(bodies, bodies_count + 1, sizeof(*bodies));
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        bodies[bodies_count++] = line;
        line = NULL;
    }
    fclose(file);
    return 0;
}

/* Of all connections together. */
static void
report(const struct worker *workers, size_t count, int64_t duration_us)
{
    int64_t answers = 0, errors = 0;
    size_t samples = 0;
    int *all = calloc(count * SAMPLES + 1, sizeof(*all));

    for (size_t i = 0; i < count; i++) {
        answers += workers[i].answers;
        errors += workers[i].errors;
        memcpy(all + samples, workers[i].latencies, workers[i].latencies_count * sizeof(*all));
        samples += workers[i].latencies_count;
    }
    qsort(all, samples, sizeof(*all), compare);
    printf("%.0f %d %d %lld %lld\n", (double)answers * 1e6 / (double)duration_us,
           samples == 0 ? 0 : all[samples / 2], samples == 0 ? 0 : all[samples * 99 / 100],
           (long long)errors, (long long)workers[0].bytes);
    free(all);
}

int
main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    int64_t duration_ms, connections, begin_us;

    if (argc < 6 || str_to_int64(argv[1], 1, 600000, &duration_ms) < 0 ||
        str_to_int64(argv[2], 1, THREADS_MAX, &connections) < 0 ||
        sscanf(argv[4], "http://%63[^:]:%u%4095s", host, &port, path) != 3)
        return 2;
    method = argv[3];
    if (strcmp(argv[5], "-") != 0 && read_bodies(argv[5]) < 0) {
        perror(argv[5]);
        return 1;
    }
    server.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host, &server.sin_addr);
    for (int i = 6; i < argc; i++)
        str_addf(&headers, "%s\r\n", argv[i]);
    begin_us = clock_mono_us();
    end_us = begin_us + duration_ms * 1000;
    for (int64_t i = 0; i < connections; i++) {
        workers[i].latencies = calloc(SAMPLES, sizeof(*workers[i].latencies));
        pthread_create(&workers[i].thread, NULL, run, &workers[i]);
    }
    for (int64_t i = 0; i < connections; i++)
        pthread_join(workers[i].thread, NULL);
    report(workers, (size_t)connections, clock_mono_us() - begin_us);
    return 0;
}
