#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "clients.h"
#include "exchange.h"
#include "workers.h"

enum {
    STREAMERS_PER_WORKER = 4, /* They mostly wait for their clients. */
    STREAMERS_MIN = 16,
    CONNECTION_MEMORY = 32 * 1024, /* Also the most a request's head may take. */
    MAX_BODY = 1024 * 1024,
    MAX_CONNECTIONS = 4096,
    WAITING_MAX = 100,
    IDLE_TIMEOUT_S = 60,
};

static void log_library(void *owner, const char *format, va_list args) _printf_(2, 0);

static void
log_library(void *owner _unused_, const char *format, va_list args)
{
    char text[256];

    if (!log_enabled(LOG_DEBUG))
        return;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http.library message=%s", text);
}

/* Targets are decoded by url.c, after they were checked. */
static size_t
keep_escapes(void *owner _unused_, struct MHD_Connection *connection _unused_, char *text)
{
    return strlen(text);
}

static int
read_pem(const char *path, char **ret, struct fault *f)
{
    struct str text = { 0 };
    char part[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fault_raise(f, FAULT_INVALID, "Cannot read %s: %s.", path, strerror(errno));
    while ((n = read(fd, part, sizeof(part))) > 0 && text.size < MAX_BODY)
        str_add_n(&text, part, (size_t)n);
    explicit_bzero(part, sizeof(part));
    close(fd);
    *ret = str_take(&text);
    return n < 0 || *ret == NULL ? fault_raise(f, FAULT_INVALID, "Cannot read %s.", path) : 0;
}

static int
start_daemon(struct http_server *s, struct fault *f)
{
    const struct http_server_options *o = &s->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_library, NULL },
        { MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL },
        { MHD_OPTION_THREAD_POOL_SIZE, o->io_threads > 1 ? (intptr_t)o->io_threads : 0, NULL },
        /* Divided among the threads, however unevenly they accept; clients.c has the real limit. */
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(o->max_connections * o->io_threads + 64), NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_timeout_s, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_on_completed, s },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)clients_on_connection, s->clients },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)http_on_target, s },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL },
        { MHD_OPTION_END, 0, NULL }, /* Room for those of TLS. */
        { MHD_OPTION_END, 0, NULL },
        { MHD_OPTION_END, 0, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    size_t last = ARRAY_SIZE(options) - 4;

    if (o->tls_certificate != NULL) {
        if (MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_NO)
            return fault_raise(f, FAULT_INVALID, "This libmicrohttpd has no TLS.");
        if (o->tls_key == NULL)
            return fault_raise(f, FAULT_INVALID, "A TLS certificate needs its key.");
        if (read_pem(o->tls_certificate, &s->certificate, f) < 0 ||
            read_pem(o->tls_key, &s->key, f) < 0)
            return -1;
        flags |= MHD_USE_TLS;
        options[last++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate };
        options[last++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, s->key };
        options[last++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL"
        };
    }
    s->daemon = MHD_start_daemon(flags, 0, clients_on_accept, s->clients, http_on_request, s,
                                 MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (s->daemon == NULL)
        return fault_raise(f, FAULT_UNAVAILABLE, "Cannot start the HTTP server on %s.", o->listen);
    return 0;
}

static void
server_free(struct http_server *s)
{
    workers_free(s->workers);
    workers_free(s->streamers);
    workers_free(s->waiters);
    clients_free(s->clients);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->unix_path != NULL)
        unlink(s->unix_path);
    for (struct exchange *x = s->free_list, *next; x != NULL; x = next) {
        next = x->next;
        exchange_destroy(x);
    }
    if (s->key != NULL)
        explicit_bzero(s->key, strlen(s->key));
    free(s->key);
    free(s->certificate);
    free(s->unix_path);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static int
start(struct http_server *s, struct fault *f)
{
    const struct http_server_options *o = &s->options;
    unsigned streamers =
        s->handler.streams != NULL ? MAX(o->workers * STREAMERS_PER_WORKER, STREAMERS_MIN + 0u) : 1;

    s->clients = clients_new(o->max_connections, (int64_t)o->idle_timeout_s * 1000);
    if (s->clients == NULL)
        return fault_raise_cause(f, "cannot start a thread");
    s->listen_fd = listen_open(o->listen, &s->unix_path, &s->port, f);
    if (s->listen_fd < 0)
        return -1;
    if (workers_new(&s->workers, s, "work", 0, o->workers, o->workers, f) < 0 ||
        workers_new(&s->streamers, s, "stream", o->workers, 0, streamers, f) < 0 ||
        workers_new(&s->waiters, s, "wait", o->workers + streamers, 0, o->waiting_workers, f) < 0)
        return -1;
    workers_limit(s->waiters, o->waiting_max);
    return start_daemon(s, f);
}

int
http_server_start(struct http_server **ret, const struct http_server_options *options,
                  const struct http_handler *handler, struct fault *f)
{
    struct http_server *s = memory_calloc(1, sizeof(*s));
    struct http_server_options *o = &s->options;
    pthread_condattr_t attributes;
    sigset_t all, before;
    int r;

    s->handler = *handler;
    *o = *options;
    o->io_threads = MAX(o->io_threads, 1u);
    o->workers = MAX(o->workers, 1u);
    o->waiting_workers = MAX(o->waiting_workers, 1u);
    o->waiting_max = o->waiting_max > 0 ? o->waiting_max : WAITING_MAX;
    o->max_body = o->max_body > 0 ? o->max_body : MAX_BODY;
    o->max_connections = o->max_connections > 0 ? o->max_connections : MAX_CONNECTIONS;
    o->idle_timeout_s = o->idle_timeout_s > 0 ? o->idle_timeout_s : IDLE_TIMEOUT_S;
    s->listen_fd = -1;
    list_init(&s->streams);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->idle, &attributes);
    pthread_condattr_destroy(&attributes);

    sigfillset(&all); /* Signals are the main thread's; ours inherit the mask. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = start(s, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0) {
        workers_stop(s->workers);
        workers_stop(s->streamers);
        workers_stop(s->waiters);
        server_free(s);
        return r;
    }
    o->listen = o->tls_certificate = o->tls_key = NULL; /* The caller's text. */
    *ret = s;
    return 0;
}

static void
stop_listening(struct http_server *s)
{
    if (!atomic_exchange(&s->draining, true)) {
        MHD_quiesce_daemon(s->daemon);
        shutdown(s->listen_fd, SHUT_RDWR); /* New clients are refused at once instead of waiting. */
    }
}

void
http_server_drain(struct http_server *s, int grace_ms)
{
    struct timespec until;

    stop_listening(s);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += grace_ms / 1000;
    until.tv_nsec += grace_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->mutex);
    while (atomic_load(&s->active) > 0 && pthread_cond_timedwait(&s->idle, &s->mutex, &until) == 0)
        continue;
    pthread_mutex_unlock(&s->mutex);
}

/* Each suspended connection must be resumed before libmicrohttpd is stopped: the workers do it,
 * with an answer that says we are going. */
void
http_server_stop(struct http_server *s)
{
    struct http_body *b;

    if (s == NULL)
        return;
    stop_listening(s);
    atomic_store(&s->stopping, true);
    pthread_mutex_lock(&s->mutex);
    LIST_EACH (b, &s->streams, struct http_body, link)
        body_interrupt(b);
    pthread_mutex_unlock(&s->mutex);
    workers_stop(s->workers);
    workers_stop(s->streamers);
    workers_stop(s->waiters); /* After those who push to them. */
    MHD_stop_daemon(s->daemon);
    server_free(s);
}

int
http_server_port(const struct http_server *s)
{
    return s->port;
}

void
http_server_stats(const struct http_server *s, struct http_server_stats *ret)
{
    unsigned queued, busy, threads;

    workers_count(s->workers, &ret->queued, &ret->busy_workers, &ret->workers);
    workers_count(s->streamers, &queued, &busy, &threads);
    ret->queued += queued;
    ret->busy_workers += busy;
    ret->workers += threads;
    workers_count(s->waiters, &ret->waiting, &busy, &threads);
    ret->waiting += busy;
    ret->connections = clients_count(s->clients);
    ret->requests = atomic_load(&((struct http_server *)s)->requests);
    for (size_t i = 0; i < ARRAY_SIZE(ret->responses); i++)
        ret->responses[i] = atomic_load(&((struct http_server *)s)->responses[i]);
}
