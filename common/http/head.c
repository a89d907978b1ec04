/* The head of a request, checked. libmicrohttpd is lenient (RFC 9112 allows much of it), but
 * what two parsers in a row read differently is how requests are smuggled, so here one reading
 * is enforced:
 *
 * - Lines end in CRLF. libmicrohttpd has put NULs in place of the line ends, in one buffer:
 *   after the version, and after each value, must come two NULs and then the next name, and two
 *   more at the very end of the head. A bare LF, a NUL inside a line or a folded line (which it
 *   copies elsewhere) breaks that row.
 * - One Host, one Content-Length or one "Transfer-Encoding: chunked", not both.
 * - Names are tokens, values have no control characters; the target is in origin form without
 *   dot segments, encoded slashes or encoded NULs.
 *
 * How chunks are delimited can't be seen from here, so the connection of a chunked request is
 * closed after its answer (connection.c): what follows on it is never read as a request. */
#include "exchange.h"

#include "../base/clock.h"
#include "clients.h"
#include "url.h"

enum { BAD_REQUEST = 400, UNAUTHORIZED = 401, URI_TOO_LONG = 414, HEAD_TOO_LARGE = 431 };

/* Headers that may stand once; the position is the bit that says it did. */
static const struct single {
    const char *name;
    size_t size;
    int status; /* When it stands twice. */
} singles[] = {
#define SINGLE(name, status)                                                                       \
    {                                                                                              \
        name, sizeof(name) - 1, status                                                             \
    }
    SINGLE("Host", BAD_REQUEST),
    SINGLE("Content-Length", BAD_REQUEST),
    SINGLE("Transfer-Encoding", BAD_REQUEST),
    SINGLE("Content-Type", BAD_REQUEST),
    SINGLE("Content-Range", BAD_REQUEST),
    SINGLE("Range", BAD_REQUEST),
    SINGLE("Expect", BAD_REQUEST),
    SINGLE("Authorization", UNAUTHORIZED),
    SINGLE("X-Auth-Token", UNAUTHORIZED),
    SINGLE("X-Service-Token", UNAUTHORIZED),
    SINGLE("X-Subject-Token", BAD_REQUEST),
    SINGLE("Idempotency-Key", BAD_REQUEST),
#undef SINGLE
};
enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING };

struct reading {
    struct exchange *exchange;
    const char *next; /* Where the next name must begin. */
    const char *end;  /* Of the head, the empty line included. */
    unsigned seen;    /* Of 'singles'. */
    const char *single[ARRAY_SIZE(singles)];
    int status;
    const char *why;
};

static bool
is_token(const char *text, size_t size)
{
    static const bool yes[256] = {
        ['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
        ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
        ['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
        ['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    };

    for (size_t i = 0; i < size; i++) {
        if (!yes[(unsigned char)text[i]])
            return false;
    }
    return size > 0;
}

static unsigned char
is_control(unsigned char c)
{
    return (unsigned char)(((c < ' ') & (c != '\t')) | (c == 0x7f));
}

/* Tokens are long and come with every request: without branches, and in pieces of one size, the compiler takes a piece at once. */
static bool
is_value(const char *text, size_t size)
{
    unsigned char bad = 0;
    size_t i = 0;

    for (; size - i >= 16; i += 16) {
        for (size_t j = 0; j < 16; j++)
            bad |= is_control((unsigned char)text[i + j]);
    }
    for (; i < size; i++)
        bad |= is_control((unsigned char)text[i]);
    return bad == 0;
}

static enum MHD_Result
refuse(struct reading *r, int status, const char *why)
{
    r->status = status;
    r->why = why;
    return MHD_NO;
}

static enum MHD_Result
on_header(void *owner, enum MHD_ValueKind kind _unused_, const char *name, size_t name_size,
          const char *value, size_t value_size)
{
    struct reading *r = owner;
    struct http_request *request = &r->exchange->request;
    const char *end = value + value_size;

    if (name != r->next || end + 2 >= r->end || end[0] != '\0' || end[1] != '\0')
        return refuse(r, BAD_REQUEST,
                      "The lines of the request's head must end in CRLF, and must not be folded.");
    r->next = end + 2;
    if (!is_token(name, name_size))
        return refuse(r, BAD_REQUEST, "The name of a header is not a token.");
    if (!is_value(value, value_size))
        return refuse(r, BAD_REQUEST, "The value of a header has control characters.");
    if (request->headers_count == HTTP_MAX_HEADERS)
        return refuse(r, HEAD_TOO_LARGE, "The request has too many headers.");

    if (value_size > 0 && (end[-1] == ' ' || end[-1] == '\t')) {
        while (value_size > 0 && (value[value_size - 1] == ' ' || value[value_size - 1] == '\t'))
            value_size--;
        value = arena_strndup(request->arena, value, value_size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(singles); i++) {
        if (singles[i].size != name_size || !str_equal_nocase(singles[i].name, name))
            continue;
        if (r->seen & (1u << i))
            return refuse(r, singles[i].status, "A header that may stand only once stands twice.");
        r->seen |= 1u << i;
        r->single[i] = value;
        break;
    }
    request->headers[request->headers_count++] = (struct http_pair){ name, value };
    return MHD_YES;
}

static enum http_method
method_from_name(const char *name)
{
    for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++) {
        if (str_equal(http_method_name(m), name))
            return m;
    }
    return HTTP_OTHER;
}

/* "." or "..", also when written with %2e. */
static bool
is_dots(const char *segment, size_t size)
{
    size_t dots = 0;

    for (size_t i = 0; i < size; dots++) {
        if (segment[i] == '.')
            i++;
        else if (size - i >= 3 && segment[i] == '%' && segment[i + 1] == '2' &&
                 (segment[i + 2] | 0x20) == 'e')
            i += 3;
        else
            return false;
    }
    return dots == 1 || dots == 2;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static const char *
check_path(const char *path, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (path[i] == '/' && i + 1 < size && (path[i + 1] == '.' || path[i + 1] == '%') &&
            is_dots(path + i + 1, strcspn(path + i + 1, "/?")))
            return "The path has '.' or '..' as a segment.";
        if (path[i] != '%')
            continue;
        if (size - i < 3 || !is_hex(path[i + 1]) || !is_hex(path[i + 2]))
            return "The path is not valid percent-encoding.";
        if ((path[i + 1] == '0' && path[i + 2] == '0') ||
            (path[i + 1] == '2' && (path[i + 2] | 0x20) == 'f'))
            return "The path has an encoded NUL or slash.";
    }
    return NULL;
}

static int
read_target(struct exchange *x, const char **ret_why)
{
    struct http_request *r = &x->request;
    size_t path_size = strcspn(r->path, "?");
    struct fault f = { 0 };

    for (size_t i = 0; i < x->target_size; i++) {
        unsigned char c = (unsigned char)r->path[i];

        if (c <= ' ' || c == 0x7f || c == '#') {
            *ret_why = "The request target has characters that must be percent-encoded.";
            return BAD_REQUEST;
        }
    }
    if (r->path[0] != '/' && !(r->method == HTTP_OPTIONS && str_equal(r->path, "*"))) {
        *ret_why = "The request target must be a path.";
        return BAD_REQUEST;
    }
    *ret_why = check_path(r->path, path_size);
    if (*ret_why != NULL)
        return BAD_REQUEST;

    r->query_text = "";
    if (path_size < x->target_size) {
        ((char *)r->path)[path_size] = '\0'; /* Our copy. */
        r->query_text = r->path + path_size + 1;
        if (url_parse_query(r->arena, r->query_text, &r->query, &r->query_count, &f) < 0) {
            *ret_why = "The query string is not valid percent-encoded UTF-8.";
            return BAD_REQUEST;
        }
    }
    return 0;
}

static bool
is_host(const char *value)
{
    return value[strspn(value,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] ==
           '\0';
}

/* What the headers together say about the body's length. */
static int
read_framing(struct exchange *x, const struct reading *r, bool old, const char **ret_why)
{
    const char *host = r->single[HOST], *length = r->single[CONTENT_LENGTH],
               *coding = r->single[TRANSFER_ENCODING];

    *ret_why = "The headers that delimit the body contradict each other.";
    if (host == NULL ? !old : !is_host(host)) {
        *ret_why = "A valid Host header is needed.";
        return BAD_REQUEST;
    }
    if (coding != NULL && (length != NULL || old || !str_equal_nocase(coding, "chunked")))
        return BAD_REQUEST;
    if (length != NULL && str_to_int64(length, 0, INT64_MAX, &x->request.content_length) < 0) {
        *ret_why = "Content-Length is not a number.";
        return BAD_REQUEST;
    }
    x->chunked = coding != NULL;
    return 0;
}

int
head_read(struct exchange *x, const char *method, const char *version, const char **ret_why)
{
    struct reading r = { .exchange = x };
    struct http_request *request = &x->request;
    size_t version_size = strlen(version);
    int status;

    *ret_why = "The request line is malformed.";
    if (request->path == NULL) {
        *ret_why = "The request target is too long.";
        return URI_TOO_LONG;
    }
    if (method + strlen(method) + 1 != x->target || x->target + x->target_size + 1 != version ||
        version_size != 8 || version[9] != '\0' || !is_token(method, strlen(method)))
        return BAD_REQUEST;
    request->method = method_from_name(method);
    status = read_target(x, ret_why);
    if (status != 0)
        return status;

    request->content_length = -1;
    request->headers = x->headers;
    r.next = version + version_size + 2;
    r.end = method + MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
                         ->header_size;
    MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, on_header, &r);
    if (r.status == 0 && r.next + 2 != r.end)
        refuse(&r, BAD_REQUEST, "The lines of the request's head must end in CRLF.");
    if (r.status != 0) {
        *ret_why = r.why;
        return r.status;
    }
    request->peer = client_peer(x->client);
    return read_framing(x, &r, version[7] == '0', ret_why);
}
