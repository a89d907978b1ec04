/* nsforward FROM TO [FROM TO]...     each [NETNS@]ADDRESS:PORT
 *
 * TCP carried across network namespaces of one machine: it listens at FROM and connects each client to TO. NETNS is
 * the path of a namespace (/run/netns/..., /proc/PID/ns/net); without it the caller's own. So the hosts of an
 * all-in-one cloud, which have no route to the machine they run on, reach its APIs and its broker at 127.0.0.1, and
 * the machine reaches the hosts' management addresses, without an address or a bridge in either.
 *
 * A socket stays in the namespace it was made in, so entering one takes two system calls for each listener and
 * connection and none for each byte. One thread, one epoll; what a client sends waits in a fixed buffer until the
 * other side takes it, and only then more is read. Needs CAP_SYS_ADMIN. Not for guests' traffic, not for links
 * between machines. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_SIZE = 32768, EVENTS = 64, ROUNDS = 32 };

struct place {
    int netns; /* Descriptor of the namespace; the process's own if none was named. */
    struct sockaddr_in address;
};

/* What epoll knows: a listener (then 'stream' is NULL) or one of the two sockets of a stream. */
struct endpoint {
    int fd;
    uint32_t interest; /* As epoll was told last; 0: it does not know the socket. */
    struct stream *stream;
    struct endpoint *peer;
    const struct place *target; /* Of a listener: where its clients go. */
    char buffer[BUFFER_SIZE];   /* Read from 'fd', not yet written to the peer: [start, end). */
    size_t start, end;
    bool connecting;
    bool read_done; /* The other side sends no more. */
    bool shut;      /* The peer was told so. */
};

struct stream {
    struct endpoint client, server;
    bool dead; /* Freed when the events at hand are done with. */
    struct stream *next_dead;
};

static int home_netns = -1, events_fd = -1;
static struct stream *dead_streams;

static _Noreturn void
fail(const char *what)
{
    fprintf(stderr, "nsforward: %s: %m\n", what);
    exit(1);
}

static _Noreturn void
usage(void)
{
    fputs("usage: nsforward FROM TO [FROM TO]...    each [NETNS@]ADDRESS:PORT\n", stderr);
    exit(2);
}

static void
parse_place(const char *text, struct place *ret)
{
    const char *at = strrchr(text, '@');
    const char *host = at != NULL ? at + 1 : text;
    const char *colon = strrchr(host, ':');
    char number[INET_ADDRSTRLEN] = "", *rest;
    unsigned long port;

    *ret = (struct place){ .netns = home_netns, .address = { .sin_family = AF_INET } };
    if (colon == NULL || (size_t)(colon - host) >= sizeof(number))
        usage();
    memcpy(number, host, (size_t)(colon - host));
    port = strtoul(colon + 1, &rest, 10);
    if (inet_pton(AF_INET, number, &ret->address.sin_addr) != 1 || *rest != '\0' || port == 0 ||
        port > UINT16_MAX)
        usage();
    ret->address.sin_port = htons((uint16_t)port);

    if (at != NULL) {
        char path[4096];

        if ((size_t)(at - text) >= sizeof(path))
            usage();
        memcpy(path, text, (size_t)(at - text));
        path[at - text] = '\0';
        ret->netns = open(path, O_RDONLY | O_CLOEXEC);
        if (ret->netns < 0)
            fail(path);
    }
}

/* A TCP socket that belongs to the namespace 'netns'. */
static int
socket_in(int netns)
{
    int fd, error;

    if (netns != home_netns && setns(netns, CLONE_NEWNET) < 0)
        return -1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    error = errno;
    if (netns != home_netns && setns(home_netns, CLONE_NEWNET) < 0)
        fail("setns"); /* Lost in the wrong namespace: every later connection would go astray. */
    errno = error;
    return fd;
}

/* Who waits for nothing is taken out: epoll reports a hang-up even to those who did not ask. */
static void
set_interest(struct endpoint *end, uint32_t interest)
{
    struct epoll_event event = { .events = interest, .data.ptr = end };
    int change = interest == 0 ? EPOLL_CTL_DEL : end->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (end->interest == interest)
        return;
    if (epoll_ctl(events_fd, change, end->fd, &event) < 0)
        fail("epoll_ctl");
    end->interest = interest;
}

static void
stream_close(struct stream *stream)
{
    if (stream->dead)
        return;
    close(stream->client.fd);
    close(stream->server.fd);
    stream->dead = true;
    stream->next_dead = dead_streams;
    dead_streams = stream;
}

/* What each side waits for follows from the two buffers alone. */
static void
stream_update(struct stream *stream)
{
    struct endpoint *ends[] = { &stream->client, &stream->server };

    for (size_t i = 0; i < 2; i++) {
        struct endpoint *end = ends[i], *peer = end->peer;
        bool room = end->start == end->end && !end->read_done;
        bool waiting =
            end->connecting || peer->start < peer->end || (peer->read_done && !peer->shut);

        set_interest(end, (room && !stream->server.connecting ? EPOLLIN : 0U) |
                              (waiting ? EPOLLOUT : 0U));
    }
}

/* Moves what 'from' has to its peer, as far as both go without waiting, but not so long that others starve.
 * Returns false when the stream is broken. */
static bool
pump(struct endpoint *from)
{
    struct endpoint *to = from->peer;

    for (int round = 0; round < ROUNDS; round++) {
        ssize_t n;

        if (from->start < from->end) {
            n = send(to->fd, from->buffer + from->start, from->end - from->start, MSG_NOSIGNAL);
            if (n < 0)
                return errno == EAGAIN || errno == EINTR;
            from->start += (size_t)n;
            continue;
        }
        if (from->read_done) {
            if (!from->shut && shutdown(to->fd, SHUT_WR) < 0)
                return false;
            from->shut = true;
            return true;
        }
        n = recv(from->fd, from->buffer, sizeof(from->buffer), 0);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        from->read_done = n == 0;
        from->start = 0;
        from->end = (size_t)n;
    }
    return true;
}

static void
stream_ready(struct endpoint *end, uint32_t events)
{
    struct stream *stream = end->stream;

    if (end->connecting) {
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
            stream_close(stream);
            return;
        }
        end->connecting = false;
    }
    if ((events & EPOLLERR) || (!stream->server.connecting && (!pump(end) || !pump(end->peer))) ||
        (stream->client.shut && stream->server.shut)) {
        stream_close(stream);
        return;
    }
    stream_update(stream);
}

static void
accept_client(const struct endpoint *listener)
{
    const struct place *target = listener->target;
    struct stream *stream;
    int client, server, one = 1;

    client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return; /* Gone already, or out of descriptors: the next event tries again. */
    server = socket_in(target->netns);
    stream = calloc(1, sizeof(*stream));
    if (server < 0 || stream == NULL ||
        (connect(server, (const struct sockaddr *)&target->address, sizeof(target->address)) < 0 &&
         errno != EINPROGRESS)) {
        close(client);
        if (server >= 0)
            close(server);
        free(stream);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    stream->client = (struct endpoint){ .fd = client, .stream = stream };
    stream->server = (struct endpoint){ .fd = server, .stream = stream, .connecting = true };
    stream->client.peer = &stream->server;
    stream->server.peer = &stream->client;
    stream_update(stream);
}

static void
listen_at(const struct place *from, const struct place *to)
{
    struct endpoint *listener = calloc(1, sizeof(*listener));
    int one = 1;

    if (listener == NULL)
        fail("calloc");
    *listener = (struct endpoint){ .fd = socket_in(from->netns), .target = to };
    if (listener->fd < 0 ||
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(listener->fd, (const struct sockaddr *)&from->address, sizeof(from->address)) < 0 ||
        listen(listener->fd, SOMAXCONN) < 0)
        fail("listen");
    set_interest(listener, EPOLLIN);
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc < 3 || argc % 2 != 1)
        usage();
    home_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    events_fd = epoll_create1(EPOLL_CLOEXEC);
    if (home_netns < 0 || events_fd < 0)
        fail("start");
    (void)signal(SIGPIPE, SIG_IGN);

    for (int i = 1; i < argc; i += 2) {
        struct place from, *to = calloc(1, sizeof(*to));

        if (to == NULL)
            fail("calloc");
        parse_place(argv[i], &from);
        parse_place(argv[i + 1], to);
        listen_at(&from, to);
    }

    for (;;) {
        int count = epoll_wait(events_fd, events, EVENTS, -1);

        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct endpoint *end = events[i].data.ptr;

            if (end->stream == NULL)
                accept_client(end);
            else if (!end->stream->dead)
                stream_ready(end, events[i].events);
        }
        while (dead_streams != NULL) {
            struct stream *stream = dead_streams;

            dead_streams = stream->next_dead;
            free(stream);
        }
    }
}
