/* Reads one answer: its head, then a body by length, by chunks, or until the end. */
#include "plain_answer.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/str.h"

enum { MAX_HEAD = 256 * 1024, MAX_ANSWER = 64 * 1024 * 1024, MAX_HEADERS = 200 };

/* More bytes: 1, the end: 0, or -errno. */
static int
fill(struct plain_reader *in)
{
    ssize_t n;

    do {
        n = recv(in->fd, in->buffer, PLAIN_PIECE, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    in->start = 0;
    in->end = (size_t)n;
    in->any = in->any || n > 0;
    return n > 0;
}

/* One line without its end, appended to 'line' (which is emptied first). */
static int
read_line(struct plain_reader *in, struct str *line)
{
    str_clear(line);
    while (line->size < MAX_HEAD) {
        char *end;
        size_t size;

        if (in->start == in->end) {
            int r = fill(in);

            if (r <= 0)
                return r < 0 ? r : -EPIPE;
        }
        end = memchr(in->buffer + in->start, '\n', in->end - in->start);
        size = end != NULL ? (size_t)(end - in->buffer) - in->start : in->end - in->start;
        str_add_n(line, in->buffer + in->start, size);
        in->start += size + (end != NULL);
        if (end != NULL) {
            if (line->size > 0 && line->data[line->size - 1] == '\r')
                line->data[--line->size] = '\0';
            return 0;
        }
    }
    return -EMSGSIZE;
}

struct answer {
    struct http_pair *headers;
    size_t count, capacity;
    bool chunked, closes;
    int64_t length; /* -1: until the end */
};

static void
take_header(struct arena *a, struct answer *answer, const char *line)
{
    const char *colon = strchr(line, ':'), *value;
    struct http_pair *pair;
    size_t size;

    if (colon == NULL || answer->count == MAX_HEADERS)
        return;
    value = colon + 1 + strspn(colon + 1, " \t");
    pair = ARRAY_PUSH(a, answer->headers, answer->count, answer->capacity);
    pair->name = arena_strndup(a, line, (size_t)(colon - line));
    for (size = strlen(value); size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t');)
        size--;
    pair->value = arena_strndup(a, value, size);
    if (str_equal_nocase(pair->name, "Transfer-Encoding"))
        answer->chunked = strcasestr(value, "chunked") != NULL;
    else if (str_equal_nocase(pair->name, "Connection"))
        answer->closes = strcasestr(value, "close") != NULL;
    else if (str_equal_nocase(pair->name, "Content-Length") &&
             str_to_int64(value, 0, INT64_MAX, &answer->length) < 0)
        answer->length = -1;
}

static int
read_head(struct plain_reader *in, struct arena *a, struct http_exchange *x, struct answer *answer)
{
    _cleanup_(str_done) struct str line = { 0 };
    int r;

    do {
        *answer = (struct answer){ .length = -1 };
        r = read_line(in, &line);
        if (r < 0)
            return r;
        if (!str_starts(str_text(&line), "HTTP/1.") || line.size < 12)
            return -EPROTO;
        x->status = (int)strtol(line.data + 9, NULL, 10);
        answer->closes = line.data[7] == '0';
        while ((r = read_line(in, &line)) == 0 && line.size > 0)
            take_header(a, answer, line.data);
        if (r < 0)
            return r;
    } while (x->status >= 100 && x->status < 200);
    return 0;
}

static int
take(struct http_exchange *x, struct str *body, const char *data, size_t size, struct fault *f)
{
    if (x->sink != NULL && x->status < 400)
        return x->sink(x->sink_owner, data, size, f);
    if (body->size + size > (x->max_answer > 0 ? x->max_answer : MAX_ANSWER))
        return fault_raise(f, FAULT_UNAVAILABLE, "The answer is too large.");
    str_add_n(body, data, size);
    return 0;
}

/* 'size' bytes, or all there is (-1). */
static int
read_bytes(struct plain_reader *in, int64_t size, struct http_exchange *x, struct str *body,
           struct fault *f)
{
    while (size != 0) {
        size_t n;

        if (in->start == in->end) {
            int r = fill(in);

            if (r == 0 && size < 0)
                return 0;
            if (r <= 0)
                return r < 0 ? r : -EPIPE;
        }
        n = in->end - in->start;
        if (size > 0)
            n = MIN(n, (size_t)size);
        if (take(x, body, in->buffer + in->start, n, f) < 0)
            return -ECANCELED;
        in->start += n;
        size -= size > 0 ? (int64_t)n : 0;
    }
    return 0;
}

static int
read_chunks(struct plain_reader *in, struct http_exchange *x, struct str *body, struct fault *f)
{
    _cleanup_(str_done) struct str line = { 0 };
    long long size;
    int r;

    for (;;) {
        r = read_line(in, &line);
        if (r < 0)
            return r;
        if (!isxdigit((unsigned char)str_text(&line)[0]))
            return -EPROTO;
        size = strtoll(line.data, NULL, 16);
        if (size < 0)
            return -EPROTO;
        if (size == 0)
            break;
        r = read_bytes(in, size, x, body, f);
        if (r == 0)
            r = read_line(in, &line);
        if (r < 0)
            return r;
    }
    while ((r = read_line(in, &line)) == 0 && line.size > 0)
        continue; /* Trailers. */
    return r;
}

int
plain_answer_read(struct plain_reader *in, struct arena *a, struct http_exchange *x,
                  bool *ret_closes, struct fault *f)
{
    struct answer answer;
    struct str body = { 0 };
    int r = read_head(in, a, x, &answer);

    if (r < 0)
        return r;
    if (x->method == HTTP_HEAD || x->status == 204 || x->status == 304)
        r = 0;
    else if (answer.chunked)
        r = read_chunks(in, x, &body, f);
    else
        r = read_bytes(in, answer.length, x, &body, f);
    *ret_closes = answer.closes || (!answer.chunked && answer.length < 0 && x->status != 204);
    x->answer_headers = answer.headers;
    x->answer_headers_count = answer.count;
    x->answer = arena_strndup(a, str_text(&body), body.size);
    x->answer_size = body.size;
    str_done(&body);
    return r;
}
