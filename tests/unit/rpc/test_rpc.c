/* RPC over a real broker: what arrives, what fails how, and what survives the broker's death. */
#include "rpc_fixture.h"

static struct broker *broker;

static void
test_call_and_faults(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct rpc *server = open_as(broker, "virga", "server", ""),
               *client = open_as(broker, "virga", "client", "");
    const struct log_context context = { .request_id = "req-1" };
    json_t *params = json_own(a, json_pack("{s:i}", "x", 7)), *answer = NULL;
    struct echo_service service = { 0 };
    struct fault f = { 0 };

    serve(server, queue, &service);
    log_set_context(&context);
    assert_ok(rpc_call(client, queue, "echo", NULL, params, 5000, a, &answer, &f));
    log_set_context(NULL);
    assert_true(json_equal(json_object_get(answer, "params"), params));
    assert_string_equal(json_get_text(answer, "from"), "client");
    assert_string_equal(json_get_text(answer, "request_id"), "req-1");

    assert_fault(rpc_call(client, queue, "fail", NULL, params, 5000, a, &answer, &f), f,
                 FAULT_CONFLICT, "in use");
    assert_string_equal(f.code, "SubnetInUse");
    assert_fault(rpc_call(client, queue, "nothing", NULL, NULL, 5000, a, NULL, &f), f,
                 FAULT_NOT_IMPLEMENTED, "nothing");
    rpc_close(client);
    rpc_close(server);
}

static void
test_cast_and_broadcast(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo"), *exchange = broker_unique(a, "events");
    struct rpc *one = open_as(broker, "virga", "one", ""),
               *two = open_as(broker, "virga", "two", "");
    struct echo_service first = { 0 }, second = { 0 };
    struct fault f = { 0 };

    serve(one, queue, &first);
    assert_ok(rpc_cast(two, queue, "cast", NULL, NULL, &f));
    wait_until(first.casts == 1);

    /* To nobody, which is no mistake; then to both. */
    assert_ok(rpc_publish(two, exchange, "event", NULL, &f));
    assert_ok(rpc_subscribe(one, exchange, echo_methods, ARRAY_SIZE(echo_methods), &first, &f));
    assert_ok(rpc_subscribe(two, exchange, echo_methods, ARRAY_SIZE(echo_methods), &second, &f));
    assert_ok(rpc_publish(two, exchange, "event", NULL, &f));
    wait_until(first.events == 1 && second.events == 1);
    rpc_close(one);
    rpc_close(two);
}

static void
test_unroutable_and_deadlines(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct rpc *server = open_as(broker, "virga", "server", ""),
               *client = open_as(broker, "virga", "client", "");
    struct echo_service service = { .hold = 1 };
    struct fault f = { 0 };
    int64_t began_ms = clock_mono_ms();

    assert_fault(rpc_call(client, queue, "echo", NULL, NULL, 20000, a, NULL, &f), f,
                 FAULT_UNAVAILABLE, NULL);
    assert_fault(rpc_cast(client, queue, "cast", NULL, NULL, &f), f, FAULT_UNAVAILABLE, NULL);
    assert_true(clock_mono_ms() - began_ms < 5000);

    serve(server, queue, &service);
    assert_fault(rpc_call(client, queue, "hold", NULL, NULL, 400, a, NULL, &f), f, FAULT_TIMEOUT,
                 NULL);
    assert_int_equal(service.begun, 1);
    service.hold = 0;
    rpc_close(server);

    /* The queue is there and nobody takes from it. */
    assert_fault(rpc_call(client, queue, "echo", NULL, NULL, 800, a, NULL, &f), f,
                 FAULT_UNAVAILABLE, NULL);
    assert_non_null(strstr(f.cause, "nobody took it"));
    rpc_close(client);
}

struct caller {
    struct rpc *rpc;
    const char *queue, *method, *operation_id;
    pthread_t thread;
    int result;
    int64_t answer;
    struct fault f;
};

static void *
call_once(void *object)
{
    struct caller *c = object;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_t *answer = NULL, *params = json_own(a, json_pack("{s:i}", "n", (int)c->answer));

    c->result = rpc_call(c->rpc, c->queue, c->method, c->operation_id, params, PATIENCE_MS, a,
                         &answer, &c->f);
    c->answer = json_is_integer(answer) ? json_integer_value(answer)
                                        : json_get_int(json_object_get(answer, "params"), "n");
    return NULL;
}

static void
test_an_operation_is_done_once(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct rpc *server = open_as(broker, "virga", "server", ""),
               *client = open_as(broker, "virga", "client", "");
    struct echo_service service = { .hold = 1 };
    struct caller callers[10];
    json_t *params = json_own(a, json_pack("{s:i}", "x", 7)), *answer = NULL;
    struct fault f = { 0 };

    serve(server, queue, &service);
    /* More at once than there are workers: those who wait hold none. */
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        callers[i] = (struct caller){
            .rpc = client, .queue = queue, .method = "hold", .operation_id = "op-1"
        };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_once, &callers[i]), 0);
    }
    wait_until(service.begun == 1);
    assert_ok(rpc_call(client, queue, "echo", NULL, NULL, 5000, a, NULL, &f));
    service.calls = 0;
    service.hold = 0;
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        assert_ok(callers[i].result);
        assert_int_equal(callers[i].answer, 1);
    }
    assert_int_equal(service.begun, 1);

    /* Later: from memory. With other parameters: another one. Failures for good are remembered, others are not. */
    assert_ok(rpc_call(client, queue, "echo", "op-2", NULL, 5000, a, &answer, &f));
    assert_ok(rpc_call(client, queue, "echo", "op-2", NULL, 5000, a, &answer, &f));
    assert_int_equal(service.calls, 2);
    assert_ok(rpc_call(client, queue, "echo", "op-2", params, 5000, a, &answer, &f));
    assert_int_equal(service.calls, 3);
    service.transient = 1;
    assert_fault(rpc_call(client, queue, "fail", "op-2", NULL, 5000, a, NULL, &f), f,
                 FAULT_UNAVAILABLE, "not now");
    assert_fault(rpc_call(client, queue, "fail", "op-2", NULL, 5000, a, NULL, &f), f,
                 FAULT_CONFLICT, NULL);
    assert_fault(rpc_call(client, queue, "fail", "op-2", NULL, 5000, a, NULL, &f), f,
                 FAULT_CONFLICT, NULL);
    assert_int_equal(service.calls, 5);
    rpc_close(client);
    rpc_close(server);
}

static void
test_a_hundred_callers(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct rpc *server = open_as(broker, "virga", "server", ""),
               *client = open_as(broker, "virga", "client", "");
    struct echo_service service = { 0 };
    struct caller callers[100];
    struct rpc_stats stats;

    serve(server, queue, &service);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        callers[i] = (struct caller){
            .rpc = client, .queue = queue, .method = "echo", .answer = (int64_t)i + 1
        };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_once, &callers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        assert_ok(callers[i].result);
        assert_int_equal(callers[i].answer, i + 1);
    }
    assert_int_equal(service.calls, 100);
    rpc_stats(client, &stats);
    assert_int_equal(stats.calls, 100);
    assert_int_equal(stats.timeouts, 0);
    rpc_close(client);
    rpc_close(server);
}

static void
test_a_host_speaks_for_itself(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo"), *name = broker_unique(a, "agent");
    struct echo_service service = { 0 };
    struct rpc *server, *a_as_a, *a_as_b;
    struct rpc_stats stats;
    struct fault f = { 0 };

    if (!broker_is_private(broker))
        skip();
    server = open_as(broker, "virga", "server", "");
    a_as_a = open_as(broker, "agent@hosta", name, "hosta");
    a_as_b = open_as(broker, "agent@hosta", name, "hostb");
    serve(server, queue, &service);
    assert_ok(rpc_call(a_as_a, queue, "echo", NULL, NULL, 5000, a, NULL, &f));
    assert_fault(rpc_call(a_as_b, queue, "echo", NULL, NULL, 1000, a, NULL, &f), f, FAULT_TIMEOUT,
                 NULL);
    assert_int_equal(service.calls, 1);
    rpc_stats(server, &stats);
    assert_int_equal(stats.dropped, 1);

    /* Nor are answers believed that come from another host than was asked. */
    serve(a_as_a, rpc_queue(a, name, "hosta"), &service);
    serve(a_as_b, rpc_queue(a, name, "hostb"), &service);
    assert_ok(rpc_call(server, rpc_queue(a, name, "hosta"), "echo", NULL, NULL, 5000, a, NULL, &f));
    assert_fault(rpc_call(server, rpc_queue(a, name, "hostb"), "echo", NULL, NULL, 1000, a, NULL,
                          &f),
                 f, FAULT_TIMEOUT, NULL);
    rpc_stats(server, &stats);
    assert_int_equal(stats.dropped, 2);

    /* A host that is away is known to be at once. */
    rpc_close(a_as_a);
    assert_fault(rpc_call(server, rpc_queue(a, name, "hosta"), "echo", NULL, NULL, PATIENCE_MS, a,
                          NULL, &f),
                 f, FAULT_UNAVAILABLE, NULL);
    rpc_close(a_as_b);
    rpc_close(server);
}

static void
count_connect(void *owner)
{
    _Atomic int *count = owner;

    atomic_fetch_add(count, 1);
}

static void
test_the_broker_dies_in_the_middle(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *shared = broker_unique(a, "echo"),
               *host_queue = rpc_queue(a, broker_unique(a, "agent"), "hosta");
    struct echo_service service = { .hold = 1 };
    struct caller callers[2] = { 0 };
    struct rpc *server, *client;
    _Atomic int connects = 0;
    struct fault f = { 0 };
    int64_t began_ms;

    if (!broker_is_private(broker))
        skip();
    server = open_as(broker, "virga", "server", "hosta");
    client = open_as(broker, "virga", "client", "");
    rpc_on_connect(client, count_connect, &connects);
    wait_until(connects == 1);
    serve(server, shared, &service);
    serve(server, host_queue, &service);
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        callers[i] = (struct caller){ .rpc = client,
                                      .queue = i == 0 ? shared : host_queue,
                                      .method = "hold",
                                      .operation_id = i == 0 ? "op-a" : "op-b" };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_once, &callers[i]), 0);
    }
    wait_until(service.begun == 2);

    broker_kill(broker);
    wait_until(!rpc_connected(client) && !rpc_connected(server));
    began_ms = clock_mono_ms();
    assert_fault(rpc_call(client, shared, "echo", NULL, NULL, 500, a, NULL, &f), f,
                 FAULT_UNAVAILABLE, NULL);
    assert_fault(rpc_cast(client, shared, "cast", NULL, NULL, &f), f, FAULT_UNAVAILABLE, NULL);
    assert_true(clock_mono_ms() - began_ms < 6000);

    broker_start(broker);
    service.hold = 0;
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        if (callers[i].result < 0)
            fail_msg("call %zu: %s %s", i, callers[i].f.message, callers[i].f.cause);
    }
    assert_int_equal(service.begun, 2); /* Asked for twice, done once. */
    wait_until(connects == 2 && rpc_connected(server));
    assert_ok(rpc_call(client, host_queue, "echo", NULL, NULL, 5000, a, NULL, &f));
    assert_ok(rpc_cast(client, shared, "cast", NULL, NULL, &f));
    wait_until(service.casts == 1);
    rpc_close(client);
    rpc_close(server);
}

static void *
release_later(void *object)
{
    struct echo_service *service = object;

    usleep(100000); /* While rpc_close() waits. */
    service->hold = 0;
    return NULL;
}

static void
test_close_answers_what_is_in_work(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "echo");
    struct rpc *server = open_as(broker, "virga", "server", ""),
               *client = open_as(broker, "virga", "client", "");
    struct echo_service service = { .hold = 1 };
    struct caller caller = { .rpc = client, .queue = queue, .method = "hold" };
    pthread_t releaser;

    serve(server, queue, &service);
    assert_int_equal(pthread_create(&caller.thread, NULL, call_once, &caller), 0);
    wait_until(service.begun == 1);
    assert_int_equal(pthread_create(&releaser, NULL, release_later, &service), 0);
    rpc_close(server);
    pthread_join(caller.thread, NULL);
    pthread_join(releaser, NULL);
    assert_ok(caller.result);

    /* Closing the caller's side ends its calls. */
    server = open_as(broker, "virga", "server", "");
    service = (struct echo_service){ .hold = 1 };
    serve(server, queue, &service);
    assert_int_equal(pthread_create(&caller.thread, NULL, call_once, &caller), 0);
    wait_until(service.begun == 1);
    rpc_close(client);
    pthread_join(caller.thread, NULL);
    assert_true(caller.result < 0);
    service.hold = 0;
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
        cmocka_unit_test(test_call_and_faults),
        cmocka_unit_test(test_cast_and_broadcast),
        cmocka_unit_test(test_unroutable_and_deadlines),
        cmocka_unit_test(test_an_operation_is_done_once),
        cmocka_unit_test(test_a_hundred_callers),
        cmocka_unit_test(test_a_host_speaks_for_itself),
        cmocka_unit_test(test_the_broker_dies_in_the_middle),
        cmocka_unit_test(test_close_answers_what_is_in_work),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
