/* What an enemy, or a bug, may put into a queue: it is dropped, counted, and the next good message is served. */
#include <amqp.h>
#include <amqp_tcp_socket.h>

#include "common/rpc/wire.h"
#include "rpc_fixture.h"

static struct broker *broker;

/* A connection without any of our manners. */
static amqp_connection_state_t
open_raw(const char *user)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    amqp_connection_state_t state = amqp_new_connection();
    amqp_socket_t *tcp = amqp_tcp_socket_new(state);
    struct amqp_connection_info info;

    assert_int_equal(amqp_parse_url(broker_url(broker, a, user), &info), AMQP_STATUS_OK);
    assert_int_equal(amqp_socket_open(tcp, info.host, info.port), AMQP_STATUS_OK);
    assert_int_equal(amqp_login(state, info.vhost, 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, info.user,
                                info.password)
                         .reply_type,
                     AMQP_RESPONSE_NORMAL);
    amqp_channel_open(state, 1);
    assert_int_equal(amqp_get_rpc_reply(state).reply_type, AMQP_RESPONSE_NORMAL);
    return state;
}

static void
close_raw(amqp_connection_state_t state)
{
    amqp_connection_close(state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state);
}

static void
publish_raw(amqp_connection_state_t state, const char *queue, const char *user_id,
            const char *reply_to, const char *body, size_t size)
{
    amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_CORRELATION_ID_FLAG };

    properties.correlation_id = amqp_cstring_bytes("1");
    if (user_id != NULL) {
        properties._flags |= AMQP_BASIC_USER_ID_FLAG;
        properties.user_id = amqp_cstring_bytes(user_id);
    }
    if (reply_to != NULL) {
        properties._flags |= AMQP_BASIC_REPLY_TO_FLAG;
        properties.reply_to = amqp_cstring_bytes(reply_to);
    }
    assert_int_equal(amqp_basic_publish(state, 1, amqp_cstring_bytes(WIRE_CALLS),
                                        amqp_cstring_bytes(queue), 0, 0, &properties,
                                        (amqp_bytes_t){ .len = size,
                                                        .bytes = (void *)(uintptr_t)body }),
                     AMQP_STATUS_OK);
}

#define ENVELOPE(v, host, deadline)                                                                \
    "{\"v\": " v ", \"method\": \"cast\", \"operation_id\": \"o\", \"request_id\": \"\", "         \
    "\"deadline\": " deadline                                                                      \
    ", \"timeout_ms\": 1000, \"from\": {\"name\": \"n\", \"host\": \"" host "\"}}"

static uint64_t
dropped(struct rpc *rpc)
{
    struct rpc_stats stats;

    rpc_stats(rpc, &stats);
    return stats.dropped;
}

static void
test_poison(_unused_ void **state)
{
    static const struct {
        const char *what, *user, *user_id, *reply_to, *body;
        size_t size; /* 0: of the text. */
    } cases[] = {
        { "nothing", "virga", "virga", NULL, "", 0 },
        { "garbage", "virga", "virga", NULL, "\xff\xfe{{{", 0 },
        { "deep", "virga", "virga", NULL, NULL, 100000 }, /* All '[' */
        { "large", "virga", "virga", NULL, NULL, 3 * WIRE_BODY_MAX },
        { "version", "virga", "virga", NULL, ENVELOPE("2", "", "0"), 0 },
        { "type", "virga", "virga", NULL, ENVELOPE("\"1\"", "", "0"), 0 },
        { "no user", "virga", NULL, NULL, ENVELOPE("1", "", "0"), 0 },
        { "no user, host", "agent@hosta", NULL, NULL, ENVELOPE("1", "hostb", "0"), 0 },
        { "other host", "agent@hosta", "agent@hosta", NULL, ENVELOPE("1", "hostb", "0"), 0 },
        { "service", "agent@hosta", "agent@hosta", NULL, ENVELOPE("1", "", "0"), 0 },
        { "reply", "virga", "virga", "compute-agent.hostb", ENVELOPE("1", "", "0"), 0 },
        { "replay", "virga", "virga", NULL, ENVELOPE("1", "", "1000000"), 0 },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    char *filler = arena_alloc(a, 3 * WIRE_BODY_MAX);
    struct echo_service service = { 0 };
    struct rpc *server, *client;
    struct fault f = { 0 };

    if (!broker_is_private(broker))
        skip();
    memset(filler, '[', 3 * WIRE_BODY_MAX);
    server = open_as(broker, "virga", "server", "");
    client = open_as(broker, "virga", "client", "");
    serve(server, queue, &service);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        amqp_connection_state_t raw = open_raw(cases[i].user);
        const char *body = cases[i].body != NULL ? cases[i].body : filler;
        int64_t until_ms = clock_mono_ms() + 10000;

        publish_raw(raw, queue, cases[i].user_id, cases[i].reply_to, body,
                    cases[i].size > 0 ? cases[i].size : strlen(body));
        while (dropped(server) != i + 1 && clock_mono_ms() < until_ms)
            usleep(2000);
        if (dropped(server) != i + 1)
            fail_msg("'%s' was not dropped", cases[i].what);
        close_raw(raw);
    }
    assert_ok(rpc_call(client, queue, "echo", NULL, NULL, 5000, a, NULL, &f));
    assert_int_equal(service.casts, 0);

    /* The same when it is as it should be: the table tests what it means to test. */
    amqp_connection_state_t raw = open_raw("agent@hosta");

    publish_raw(raw, queue, "agent@hosta", NULL, ENVELOPE("1", "hosta", "0"),
                strlen(ENVELOPE("1", "hosta", "0")));
    wait_until(service.casts == 1);
    close_raw(raw);
    assert_int_equal(dropped(server), ARRAY_SIZE(cases));
    rpc_close(client);
    rpc_close(server);
}

/* The broker itself refuses who says that he is somebody else. */
static void
test_user_id_is_checked_by_the_broker(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct echo_service service = { 0 };
    amqp_connection_state_t raw;
    struct rpc *server;
    amqp_frame_t frame;
    struct fault f = { 0 };

    if (!broker_is_private(broker))
        skip();
    server = open_as(broker, "virga", "server", "");
    serve(server, queue, &service);
    raw = open_raw("agent@hosta");
    publish_raw(raw, queue, "virga", NULL, ENVELOPE("1", "", "0"), strlen(ENVELOPE("1", "", "0")));
    assert_int_equal(amqp_simple_wait_frame(raw, &frame), AMQP_STATUS_OK);
    assert_int_equal(frame.payload.method.id, AMQP_CHANNEL_CLOSE_METHOD);
    amqp_destroy_connection(raw);
    assert_ok(rpc_call(server, queue, "echo", NULL, NULL, 5000, a, NULL, &f));
    assert_int_equal(service.casts, 0);
    rpc_close(server);
}

static int
group_setup(_unused_ void **state)
{
    broker = broker_open();
    return 0;
}

static int
group_teardown(_unused_ void **state)
{
    broker_close(broker);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poison),
        cmocka_unit_test(test_user_id_is_checked_by_the_broker),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
