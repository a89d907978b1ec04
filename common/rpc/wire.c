/* One AMQP connection: opening it, declaring queues, publishing. AMQP 0-9-1 with RabbitMQ's confirms, CC and dead
 * lettering; librabbitmq frames it. What arrives is wire_read.c. */
#include "wire.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "../base/memory.h"
#include "../base/str.h"
#include "wire_state.h"

#define FRAME_MAX 131072
#define HEARTBEAT_S 10
#define OPEN_TIMEOUT_S 4

/* The broker's own words are the operator's: they name queues and users. */
static int
fail_reply(amqp_rpc_reply_t reply, const char *what, struct fault *f)
{
    int r = fault_raise(f, FAULT_UNAVAILABLE, "The message bus is not available.");

    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        return fault_add_cause(f, "%s: %s", what, amqp_error_string2(reply.library_error));
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *m = reply.reply.decoded;
        return fault_add_cause(f, "%s: %.*s", what, (int)m->reply_text.len,
                               (char *)m->reply_text.bytes);
    }
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *m = reply.reply.decoded;
        return fault_add_cause(f, "%s: %.*s", what, (int)m->reply_text.len,
                               (char *)m->reply_text.bytes);
    }
    fault_add_cause(f, "%s: no answer", what);
    return r;
}

static int
check_reply(struct wire *w, const char *what, struct fault *f)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(w->state);

    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : fail_reply(reply, what, f);
}

int
wire_check_status(int status, const char *what, struct fault *f)
{
    if (status >= AMQP_STATUS_OK)
        return 0;
    fault_raise(f, FAULT_UNAVAILABLE, "The message bus is not available.");
    return fault_add_cause(f, "%s: %s", what, amqp_error_string2(status));
}

/* The value of a "name=" in the part of a URL behind its '?', as RabbitMQ's own clients write TLS files. */
static const char *
url_option(struct arena *a, const char *query, const char *name, const char *fallback)
{
    size_t count = 0;
    char **parts = query == NULL ? NULL : str_split(a, query, '&', &count);
    size_t length = strlen(name);

    for (size_t i = 0; i < count; i++) {
        if (str_starts(parts[i], name) && parts[i][length] == '=')
            return parts[i] + length + 1;
    }
    return fallback;
}

/* TLS checks the broker's certificate and name, always: amqps://...?cacertfile=&certfile=&keyfile= */
static int
socket_for(struct wire *w, const struct amqp_connection_info *info, const char *query,
           struct arena *a, amqp_socket_t **ret, struct fault *f)
{
    const char *certificate = url_option(a, query, "certfile", NULL);
    const char *key = url_option(a, query, "keyfile", NULL);
    int r;

    if (!info->ssl) {
        *ret = amqp_tcp_socket_new(w->state);
        return *ret != NULL ? 0 : fault_raise_cause(f, "no memory for a socket");
    }
    *ret = amqp_ssl_socket_new(w->state);
    if (*ret == NULL)
        return fault_raise_cause(f, "no memory for a TLS socket");
    amqp_ssl_socket_set_verify_peer(*ret, 1);
    amqp_ssl_socket_set_verify_hostname(*ret, 1);
    r = wire_check_status(amqp_ssl_socket_set_ssl_versions(*ret, AMQP_TLSv1_2, AMQP_TLSvLATEST),
                          "TLS versions", f);
    if (r < 0)
        return r;
    r = wire_check_status(
        amqp_ssl_socket_set_cacert(*ret, url_option(a, query, "cacertfile",
                                                    "/etc/ssl/certs/ca-certificates.crt")),
        "TLS authorities", f);
    if (r < 0 || certificate == NULL || key == NULL)
        return r;
    return wire_check_status(amqp_ssl_socket_set_key(*ret, certificate, key), "TLS key", f);
}

static int
log_in(struct wire *w, const struct amqp_connection_info *info, const char *connection_name,
       struct fault *f)
{
    amqp_table_entry_t entry = { .key = amqp_cstring_bytes("connection_name") };
    const amqp_table_t properties = { .num_entries = 1, .entries = &entry };
    amqp_rpc_reply_t reply;
    int r;

    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(connection_name);
    reply =
        amqp_login_with_properties(w->state, info->vhost, 0, FRAME_MAX, HEARTBEAT_S, &properties,
                                   AMQP_SASL_METHOD_PLAIN, info->user, info->password);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        return fail_reply(reply, "login", f);

    amqp_channel_open(w->state, CHANNEL_PUBLISH);
    r = check_reply(w, "channel", f);
    if (r < 0)
        return r;
    amqp_channel_open(w->state, CHANNEL_CONSUME);
    r = check_reply(w, "channel", f);
    if (r < 0)
        return r;
    amqp_confirm_select(w->state, CHANNEL_PUBLISH);
    r = check_reply(w, "confirm.select", f);
    w->next_tag = 1;
    return r;
}

static int
declare_exchange(struct wire *w, const char *name, const char *type, struct fault *f)
{
    amqp_exchange_declare(w->state, CHANNEL_CONSUME, amqp_cstring_bytes(name),
                          amqp_cstring_bytes(type), 0, 1, 0, 0, amqp_empty_table);
    return check_reply(w, "exchange.declare", f);
}

static int
connect_to(struct wire *w, char *url, const char *query, struct arena *a,
           const char *connection_name, struct fault *f)
{
    const struct timeval timeout = { .tv_sec = OPEN_TIMEOUT_S };
    const unsigned user_timeout_ms = 2 * HEARTBEAT_S * 1000;
    struct amqp_connection_info info;
    amqp_socket_t *socket;
    int r;

    if (amqp_parse_url(url, &info) != AMQP_STATUS_OK)
        return fault_raise_cause(f,
                                 "the message bus URL is not amqp://user:password@host:port/vhost");
    w->user = memory_strdup(info.user);
    r = socket_for(w, &info, query, a, &socket, f);
    if (r < 0)
        return r;
    amqp_set_handshake_timeout(w->state, &timeout);
    amqp_set_rpc_timeout(w->state, &timeout);
    r = wire_check_status(amqp_socket_open_noblock(socket, info.host, info.port, &timeout),
                          "connect", f);
    if (r < 0)
        return r;
    w->fd = amqp_get_sockfd(w->state);
    /* A broker that stopped reading must not hold the thread longer than one that stopped its heartbeats. */
    setsockopt(w->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof(user_timeout_ms));
    r = log_in(w, &info, connection_name, f);
    if (r < 0)
        return r;
    r = declare_exchange(w, WIRE_CALLS, "direct", f);
    if (r < 0)
        return r;
    return declare_exchange(w, WIRE_EXPIRED, "direct", f);
}

int
wire_open(struct wire **ret, const char *url, const char *connection_name, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char *base = arena_strdup(a, url);
    char *query = strchr(base, '?');
    struct wire *w = memory_calloc(1, sizeof(*w));
    int r;

    if (query != NULL)
        *query++ = '\0';
    w->fd = -1;
    w->state = amqp_new_connection();
    r = connect_to(w, base, query, a, connection_name, f);
    explicit_bzero(base, strlen(base));
    if (r < 0) {
        wire_close(w);
        return r;
    }
    *ret = w;
    return 0;
}

void
wire_close(struct wire *w)
{
    const struct timeval timeout = { .tv_sec = 1 };

    if (w == NULL)
        return;
    amqp_set_rpc_timeout(w->state, &timeout);
    if (w->fd >= 0)
        amqp_connection_close(w->state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(w->state);
    for (size_t i = 0; i < ARRAY_SIZE(w->partial); i++)
        delivery_free(w->partial[i].delivery);
    free(w->user);
    free(w);
}

int
wire_fd(const struct wire *w)
{
    return w->fd;
}

const char *
wire_user(const struct wire *w)
{
    return w->user;
}

static int
bind_queue(struct wire *w, const char *queue, const char *exchange, const char *key,
           struct fault *f)
{
    amqp_queue_bind(w->state, CHANNEL_CONSUME, amqp_cstring_bytes(queue),
                    amqp_cstring_bytes(exchange), amqp_cstring_bytes(key), amqp_empty_table);
    return check_reply(w, "queue.bind", f);
}

int
wire_declare(struct wire *w, enum wire_queue kind, const char *name, const char *exchange,
             unsigned consumer, uint16_t prefetch, struct fault *f)
{
    const bool exclusive = kind != WIRE_QUEUE_SHARED;
    const bool takes_calls = kind == WIRE_QUEUE_SHARED || kind == WIRE_QUEUE_HOST;
    amqp_table_entry_t entry = { .key = amqp_cstring_bytes("x-dead-letter-exchange") };
    const amqp_table_t arguments = { .num_entries = takes_calls ? 1 : 0, .entries = &entry };
    char tag[16];
    int r;

    if (kind == WIRE_QUEUE_EVENTS || kind == WIRE_EXCHANGE) {
        r = declare_exchange(w, exchange, "fanout", f);
        if (r < 0 || kind == WIRE_EXCHANGE)
            return r;
    }
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(WIRE_EXPIRED);
    amqp_queue_declare(w->state, CHANNEL_CONSUME, amqp_cstring_bytes(name), 0,
                       kind == WIRE_QUEUE_SHARED, exclusive, exclusive, arguments);
    r = check_reply(w, "queue.declare", f);
    if (r < 0)
        return r;

    if (takes_calls)
        r = bind_queue(w, name, WIRE_CALLS, name, f);
    else
        r = bind_queue(w, name, kind == WIRE_QUEUE_REPLY ? WIRE_EXPIRED : exchange, name, f);
    if (r < 0)
        return r;

    amqp_basic_qos(w->state, CHANNEL_CONSUME, 0, prefetch, 0);
    r = check_reply(w, "basic.qos", f);
    if (r < 0)
        return r;
    snprintf(tag, sizeof(tag), "%u", consumer);
    amqp_basic_consume(w->state, CHANNEL_CONSUME, amqp_cstring_bytes(name), amqp_cstring_bytes(tag),
                       0, kind == WIRE_QUEUE_REPLY, 0, amqp_empty_table);
    return check_reply(w, "basic.consume", f);
}

int
wire_publish(struct wire *w, const struct wire_publish *p, uint64_t *ret_tag, struct fault *f)
{
    amqp_basic_properties_t properties = { 0 };
    amqp_field_value_t copy = { .kind = AMQP_FIELD_KIND_UTF8 };
    amqp_table_entry_t header = { .key = amqp_cstring_bytes("CC") };
    char expire[24];
    int r;

    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                        AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode =
        p->persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
    properties.user_id = amqp_cstring_bytes(w->user);
    properties.message_id = amqp_cstring_bytes(p->message_id);
    if (p->correlation != NULL) {
        properties._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
        properties.correlation_id = amqp_cstring_bytes(p->correlation);
    }
    if (p->expire_ms > 0) {
        snprintf(expire, sizeof(expire), "%lld", (long long)p->expire_ms);
        properties._flags |= AMQP_BASIC_EXPIRATION_FLAG;
        properties.expiration = amqp_cstring_bytes(expire);
    }
    if (p->reply_to != NULL) {
        copy.value.bytes = amqp_cstring_bytes(p->reply_to);
        header.value.kind = AMQP_FIELD_KIND_ARRAY;
        header.value.value.array.num_entries = 1;
        header.value.value.array.entries = &copy;
        properties._flags |= AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_HEADERS_FLAG;
        properties.reply_to = amqp_cstring_bytes(p->reply_to);
        properties.headers.num_entries = 1;
        properties.headers.entries = &header;
    }
    r = amqp_basic_publish(w->state, CHANNEL_PUBLISH, amqp_cstring_bytes(p->exchange),
                           amqp_cstring_bytes(p->key), p->mandatory, 0, &properties,
                           (amqp_bytes_t){ .len = p->size, .bytes = (void *)(uintptr_t)p->body });
    r = wire_check_status(r, "basic.publish", f);
    if (r < 0)
        return r;
    *ret_tag = w->next_tag++;
    return 0;
}

int
wire_ack(struct wire *w, uint64_t tag, struct fault *f)
{
    return wire_check_status(amqp_basic_ack(w->state, CHANNEL_CONSUME, tag, 0), "basic.ack", f);
}
