/* One easy handle per client: libcurl keeps its connections alive between exchanges. What a
 * failure means is decided by whether the request can have reached the other side: before that
 * FAULT_UNAVAILABLE, after it FAULT_TIMEOUT, because then nobody knows whether it was carried
 * out. */
#include "client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "../base/array.h"
#include "../base/memory.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    DEADLINE_MS = 30000,
    MAX_ANSWER = 64 * 1024 * 1024,
    MAX_ANSWER_HEADERS = 200
};

struct http_client {
    CURL *curl;
    char *ca_file;
    int connect_timeout_ms;
};

/* One exchange under way. */
struct transfer {
    struct http_exchange *x;
    struct arena *arena;
    struct fault *fault;
    struct str answer;
    struct http_pair *headers;
    size_t headers_count, headers_capacity;
    off_t body_start, body_at;
    bool stopped; /* By us, with 'fault' filled. */
};

static void
init_library(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *
http_client_new(const struct http_client_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *c = memory_calloc(1, sizeof(*c));

    pthread_once(&once, init_library);
    c->curl = curl_easy_init();
    if (c->curl == NULL)
        memory_exhausted(sizeof(*c));
    c->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (options != NULL && options->connect_timeout_ms > 0)
        c->connect_timeout_ms = options->connect_timeout_ms;
    if (options != NULL && options->ca_file != NULL)
        c->ca_file = memory_strdup(options->ca_file);
    return c;
}

void
http_client_free(struct http_client *c)
{
    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    free(c->ca_file);
    free(c);
}

static size_t
on_data(char *data, size_t unit, size_t count, void *object)
{
    struct transfer *t = object;
    size_t size = unit * count, max = t->x->max_answer > 0 ? t->x->max_answer : MAX_ANSWER;

    if (t->x->sink != NULL) {
        t->stopped = t->x->sink(t->x->sink_owner, data, size, t->fault) < 0;
    } else if (t->answer.size + size > max) {
        t->stopped = true;
        fault_raise(t->fault, FAULT_UNAVAILABLE, "The answer is larger than %zu bytes.", max);
    } else {
        str_add_n(&t->answer, data, size);
    }
    return t->stopped ? 0 : size;
}

static size_t
on_header(char *data, size_t unit, size_t count, void *object)
{
    struct transfer *t = object;
    size_t size = unit * count, rest;
    const char *colon = memchr(data, ':', size);
    const char *value;
    struct http_pair *pair;

    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        const char *space = memchr(data, ' ', size);

        t->x->status = space != NULL ? (int)strtol(space, NULL, 10)
                                     : 0; /* For the sink; the line's end ends the number. */
        t->headers_count = 0;             /* Those of a 100 don't count. */
        return size;
    }
    if (colon == NULL || t->headers_count == MAX_ANSWER_HEADERS)
        return size;
    value = colon + 1;
    rest = size - (size_t)(value - data);
    while (rest > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        rest--;
    }
    while (rest > 0 && strchr(" \t\r\n", value[rest - 1]) != NULL)
        rest--;
    pair = ARRAY_PUSH(t->arena, t->headers, t->headers_count, t->headers_capacity);
    pair->name = arena_strndup(t->arena, data, (size_t)(colon - data));
    pair->value = arena_strndup(t->arena, value, rest);
    return size;
}

static size_t
on_upload(char *buffer, size_t unit, size_t count, void *object)
{
    struct transfer *t = object;
    size_t left = t->x->body_size - (size_t)(t->body_at - t->body_start);
    ssize_t n = pread(t->x->body_file, buffer, MIN(unit * count, left), t->body_at);

    if (n < 0 || (n == 0 && left > 0)) {
        t->stopped = true;
        fault_raise_cause(t->fault, "reading the body to send: %s",
                          n < 0 ? strerror(errno) : "too short");
        return CURL_READFUNC_ABORT;
    }
    t->body_at += n;
    if (t->x->sent != NULL)
        t->x->sent(t->x->sent_owner, (size_t)(t->body_at - t->body_start));
    return (size_t)n;
}

static int
on_seek(void *object, curl_off_t offset, int origin)
{
    struct transfer *t = object;

    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    t->body_at = t->body_start + offset;
    return CURL_SEEKFUNC_OK;
}

static void
free_list(void *list)
{
    curl_slist_free_all(list);
}

static struct curl_slist *
header_list(struct arena *a, const struct http_exchange *x, bool has_body)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;

    for (size_t i = 0; i < x->headers_count; i++) {
        const struct http_pair *h = &x->headers[i];
        bool empty = str_empty(h->value);

        if (h->value == NULL)
            continue;
        typed = typed || str_equal_nocase(h->name, "Content-Type");
        list =
            curl_slist_append(list, arena_printf(a, empty ? "%s;" : "%s: %s", h->name, h->value));
    }
    if (has_body && !typed)
        list = curl_slist_append(list, arena_printf(a, "Content-Type: %s",
                                                    x->content_type != NULL ? x->content_type
                                                                            : "application/json"));
    arena_defer(a, free_list, list);
    return list;
}

static void
prepare(struct http_client *c, struct transfer *t)
{
    const struct http_exchange *x = t->x;
    CURL *curl = c->curl;
    bool from_file = x->body_file > 0, has_body = from_file || x->body != NULL;

    curl_easy_reset(curl); /* Keeps the connections. */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_URL, x->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     (long)(x->deadline_ms > 0 ? x->deadline_ms : DEADLINE_MS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);

    if (from_file) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->body_size);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, t);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256 * 1024L);
    } else if (has_body || x->method == HTTP_POST || x->method == HTTP_PUT) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(x->body != NULL ? x->body_size : 0));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body != NULL ? x->body : "");
    }
    if (x->method == HTTP_HEAD)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (x->method != HTTP_GET || has_body)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, http_method_name(x->method));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, header_list(t->arena, x, has_body));
}

static int
explain(CURL *curl, CURLcode code, struct fault *f)
{
    long request_size = 0;

    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_size);
    switch ((int)code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        fault_raise_cause(f, "not an http URL");
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        fault_raise(f, FAULT_UNAVAILABLE, "The service cannot be reached.");
        break;
    default:
        if (request_size == 0)
            fault_raise(f, FAULT_UNAVAILABLE, "The service cannot be reached.");
        else
            fault_raise(f, FAULT_TIMEOUT, "The service did not answer in time.");
        break;
    }
    return fault_add_cause(f, "%s", curl_easy_strerror(code));
}

int
http_client_run(struct http_client *c, struct arena *a, struct http_exchange *x, struct fault *f)
{
    struct transfer t = { .x = x, .arena = a, .fault = f };
    CURLcode code;
    long status = 0;

    if (x->body_file > 0) {
        t.body_start = t.body_at = lseek(x->body_file, 0, SEEK_CUR);
        if (t.body_start < 0)
            return fault_raise_cause(f, "the body to send is no file: %s", strerror(errno));
    }
    prepare(c, &t);
    code = curl_easy_perform(c->curl);
    if (code != CURLE_OK) {
        str_done(&t.answer);
        return t.stopped ? -1 : explain(c->curl, code, f);
    }
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    x->status = (int)status;
    x->answer_headers = t.headers;
    x->answer_headers_count = t.headers_count;
    x->answer = "";
    x->answer_size = t.answer.size;
    if (t.answer.data != NULL) {
        x->answer = str_take(&t.answer);
        arena_defer(a, free, (void *)(uintptr_t)x->answer);
    }
    return 0;
}

const char *
http_exchange_header(const struct http_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->answer_headers_count; i++) {
        if (str_equal_nocase(x->answer_headers[i].name, name))
            return x->answer_headers[i].value;
    }
    return NULL;
}
