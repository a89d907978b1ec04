/* QMP over a unix socket: a line is a message. */
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"

#define LINE_MAX_BYTES ((size_t)16 * 1024 * 1024) /* Node lists grow with the volumes. */
#define EVENTS_MAX 256

struct qmp {
    int fd;
    struct str in;  /* Received and not yet taken. */
    json_t *events; /* Array; the oldest go first when there are too many. */
    int64_t next_id;
};

static int
broken(struct fault *f, const char *what, int error)
{
    fault_raise(f, FAULT_UNAVAILABLE, "The storage daemon does not answer.");
    return fault_add_cause(f, "qmp: %s: %s", what,
                           error != 0 ? strerror(error) : "connection closed");
}

static int
wait_for(struct qmp *q, short what, int64_t until_ms, struct fault *f)
{
    struct pollfd p = { .fd = q->fd, .events = what };
    int r;

    do {
        int64_t left = until_ms - clock_mono_ms();
        r = poll(&p, 1, (int)MAX(left, 0));
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return broken(f, "poll", errno);
    if (r == 0) {
        fault_raise(f, FAULT_TIMEOUT, "The storage daemon does not answer in time.");
        return fault_add_cause(f, "qmp: deadline");
    }
    return 0;
}

static int
send_all(struct qmp *q, const char *data, size_t size, int64_t until_ms, struct fault *f)
{
    while (size > 0) {
        ssize_t n = send(q->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        int r;

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return broken(f, "send", errno);
        if (n < 0) {
            r = wait_for(q, POLLOUT, until_ms, f);
            if (r < 0)
                return r;
            continue;
        }
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int
receive_some(struct qmp *q, int64_t until_ms, struct fault *f)
{
    ssize_t n;
    int r;

    if (q->in.size > LINE_MAX_BYTES)
        return broken(f, "line", EMSGSIZE);
    r = wait_for(q, POLLIN, until_ms, f);
    if (r < 0)
        return r;
    str_reserve(&q->in, 65536);
    n = recv(q->fd, q->in.data + q->in.size, 65535, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return broken(f, "recv", n < 0 ? errno : 0);
    q->in.size += (size_t)n;
    q->in.data[q->in.size] = '\0';
    return 0;
}

/* The next message, whatever it is; a reference of the caller's. */
static int
receive(struct qmp *q, int64_t until_ms, json_t **ret, struct fault *f)
{
    const char *end = NULL;
    size_t line;
    int r;

    while (q->in.size == 0 || (end = memchr(q->in.data, '\n', q->in.size)) == NULL) {
        r = receive_some(q, until_ms, f);
        if (r < 0)
            return r;
    }
    line = (size_t)(end - q->in.data);
    *ret = json_loadb(q->in.data, line, 0, NULL);
    q->in.size -= line + 1;
    memmove(q->in.data, end + 1, q->in.size + 1);
    if (*ret == NULL || !json_is_object(*ret)) {
        json_decref(*ret);
        return broken(f, "message", EBADMSG);
    }
    return 0;
}

static void
keep_event(struct qmp *q, json_t *message)
{
    if (json_array_size(q->events) >= EVENTS_MAX)
        json_array_remove(q->events, 0);
    json_array_append(q->events, message);
}

/* The answer to the command 'id'. */
static int
receive_answer(struct qmp *q, int64_t id, int64_t until_ms, json_t **ret, struct fault *f)
{
    for (;;) {
        json_t *message;
        int r = receive(q, until_ms, &message, f);

        if (r < 0)
            return r;
        if (json_object_get(message, "event") != NULL) {
            keep_event(q, message);
        } else if (json_get_int(message, "id") == id) {
            *ret = message;
            return 0;
        }
        json_decref(message);
    }
}

int
qmp_run(struct qmp *q, struct arena *a, const char *command, json_t *arguments, int deadline_ms,
        json_t **ret, struct fault *f)
{
    int64_t until_ms = clock_mono_ms() + deadline_ms;
    json_auto_t *message = json_pack("{s:s, s:I, s:o*}", "execute", command, "id",
                                     (json_int_t)++q->next_id, "arguments", arguments);
    json_t *answer;
    char *text;
    int r;

    if (message == NULL)
        return fault_raise_cause(f, "qmp: %s: arguments", command);
    text = json_text(a, message);
    r = send_all(q, text, strlen(text), until_ms, f);
    if (r < 0)
        return r;
    r = receive_answer(q, q->next_id, until_ms, &answer, f);
    if (r < 0)
        return r;
    json_own(a, answer);
    if (json_object_get(answer, "error") != NULL) {
        const char *words = json_get_text(json_object_get(answer, "error"), "desc");
        return fault_raise_cause(f, "qmp: %s: %s", command, words != NULL ? words : "refused");
    }
    if (ret != NULL)
        *ret = json_object_get(answer, "return");
    return 0;
}

static bool
event_is(const json_t *message, const char *name, const char *key, const char *value)
{
    return str_equal(json_get_text(message, "event"), name) &&
           str_equal(json_get_text(json_object_get(message, "data"), key), value);
}

int
qmp_wait_event(struct qmp *q, struct arena *a, const char *name, const char *key, const char *value,
               int deadline_ms, json_t **ret, struct fault *f)
{
    int64_t until_ms = clock_mono_ms() + deadline_ms;
    size_t at = 0;

    for (;;) {
        json_t *message;
        int r;

        for (; at < json_array_size(q->events); at++) {
            message = json_array_get(q->events, at);
            if (!event_is(message, name, key, value))
                continue;
            json_own(a, json_incref(message));
            if (ret != NULL)
                *ret = json_object_get(message, "data");
            json_array_remove(q->events, at);
            return 0;
        }
        r = receive(q, until_ms, &message, f);
        if (r < 0)
            return r;
        if (json_object_get(message, "event") != NULL)
            keep_event(q, message);
        json_decref(message);
        at = 0;
    }
}

void
qmp_drop_events(struct qmp *q)
{
    json_array_clear(q->events);
}

static int
connect_to(const char *path, int *ret, struct fault *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return fault_raise_cause(f, "qmp: path of the socket is too long: %s", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return broken(f, "socket", errno);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int error = errno;

        close(fd);
        return broken(f, "connect", error);
    }
    *ret = fd;
    return 0;
}

static int
negotiate(struct qmp *q, int deadline_ms, struct fault *f)
{
    struct arena *a;
    json_t *greeting;
    int r;

    r = receive(q, clock_mono_ms() + deadline_ms, &greeting, f);
    if (r < 0)
        return r;
    r = json_object_get(greeting, "QMP") != NULL ? 0 : broken(f, "greeting", EBADMSG);
    json_decref(greeting);
    if (r < 0)
        return r;
    a = arena_new();
    r = qmp_run(q, a, "qmp_capabilities", NULL, deadline_ms, NULL, f);
    arena_free(a);
    return r;
}

int
qmp_open(struct qmp **ret, const char *path, int deadline_ms, struct fault *f)
{
    struct qmp *q;
    int fd = -1, r;

    r = connect_to(path, &fd, f);
    if (r < 0)
        return r;
    q = memory_calloc(1, sizeof(*q));
    q->fd = fd;
    q->events = json_array();
    r = negotiate(q, deadline_ms, f);
    if (r < 0) {
        qmp_close(q);
        return r;
    }
    *ret = q;
    return 0;
}

void
qmp_close(struct qmp *q)
{
    if (q == NULL)
        return;
    close(q->fd);
    str_done(&q->in);
    json_decref(q->events);
    free(q);
}
