/* The outbox over a real database and a real broker. */
#include "common/rpc/outbox.h"

#include "rpc_fixture.h"
#include "rpc_queries.h"
#include "tests/lib/pg.h"

static struct broker *broker;
static struct pg *pg;

/* What arrived, in order: "1 2 3 ". */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char seen[4096];

static int
note_method(struct rpc_request *request, _unused_ json_t **ret, _unused_ struct fault *f)
{
    pthread_mutex_lock(&mutex);
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%lld ",
             (long long)json_get_int(request->params, "n"));
    pthread_mutex_unlock(&mutex);
    return 0;
}

static const struct rpc_method note_methods[] = {
    { .name = "note", .handle = note_method, .cast = true }
};

static bool
has_seen(const char *what)
{
    bool same;

    pthread_mutex_lock(&mutex);
    same = str_equal(seen, what);
    pthread_mutex_unlock(&mutex);
    return same;
}

static void
add(struct outbox *o, const char *target, const char *collapse, int first, int last, bool commit)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct fault f = { 0 };

    assert_ok(db_pool_get(pg_pool(pg), a, &db, &f));
    assert_ok(db_tx_begin(&tx, &db, &f));
    for (int n = first; n <= last; n++)
        assert_ok(outbox_add(o, &tx, target, "note", collapse,
                             json_own(a, json_pack("{s:i}", "n", n)), &f));
    if (commit)
        assert_ok(db_tx_commit(&tx, &f));
}

static bool
is_empty(void)
{
    char *count = pg_ask(pg, "SELECT count(*) FROM outbox");
    bool empty = str_equal(count, "0");

    free(count);
    return empty;
}

static struct outbox *
open_outbox(struct rpc *rpc)
{
    struct fault f = { 0 };
    struct outbox *o = NULL;

    assert_ok(outbox_open(&o, pg_pool(pg), rpc, &f));
    return o;
}

/* One worker: what arrives in order is done in order. */
static struct rpc *
open_receiver(const char *queue)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct rpc_options options = { .url = broker_url(broker, a, "virga"),
                                         .name = "receiver",
                                         .workers = 1 };
    struct fault f = { 0 };
    struct rpc *rpc = NULL;

    assert_ok(rpc_open(&rpc, &options, &f));
    wait_until(rpc_connected(rpc));
    assert_ok(rpc_serve(rpc, queue, note_methods, ARRAY_SIZE(note_methods), NULL, &f));
    return rpc;
}

static void
test_sent_after_commit_in_order(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "notes"), *absent = broker_unique(a, "absent");
    struct rpc *sender = open_as(broker, "virga", "sender", ""), *receiver = open_receiver(queue);
    struct outbox *o = open_outbox(sender);
    struct outbox_stats stats;

    seen[0] = '\0';
    add(o, absent, NULL, 1, 2, true);   /* Holds up nobody else. */
    add(o, queue, NULL, 90, 95, false); /* Rolled back. */
    add(o, queue, NULL, 1, 5, true);
    wait_until(has_seen("1 2 3 4 5 "));
    outbox_stats(o, &stats);
    assert_int_equal(stats.sent, 5);
    wait_until((outbox_stats(o, &stats), stats.waiting == 2));

    rpc_close(receiver);
    receiver = open_receiver(absent); /* There at last. */
    wait_until(has_seen("1 2 3 4 5 1 2 "));
    wait_until(is_empty());
    outbox_close(o);
    rpc_close(receiver);
    rpc_close(sender);
}

static void
test_events(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *exchange = broker_unique(a, "events");
    struct rpc *sender = open_as(broker, "virga", "sender", ""),
               *listener = open_as(broker, "virga", "listener", "");
    struct outbox *o = open_outbox(sender);
    struct fault f = { 0 };

    seen[0] = '\0';
    assert_ok(rpc_subscribe(listener, exchange, note_methods, ARRAY_SIZE(note_methods), NULL, &f));
    add(o, arena_printf(a, "exchange:%s", exchange), NULL, 1, 1, true);
    wait_until(has_seen("1 "));
    outbox_close(o);
    rpc_close(listener);
    rpc_close(sender);
}

static void
test_merged_while_waiting_and_adopted(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "notes");
    const struct rpc_options nowhere = { .url = "amqp://virga:test@127.0.0.1:1/",
                                         .name = "sender" };
    struct rpc *sender = NULL, *receiver;
    struct outbox *dead, *alive;
    struct fault f = { 0 };

    seen[0] = '\0';
    assert_ok(rpc_open(&sender, &nowhere, &f));
    dead = open_outbox(sender);
    add(dead, queue, "bell", 1, 3, true);
    add(dead, queue, NULL, 4, 4, true);
    add(dead, queue, "bell", 5, 5, true);
    outbox_close(dead); /* Never had a broker. Its rows wait for somebody who finds them. */
    rpc_close(sender);
    assert_false(is_empty());

    receiver = open_receiver(queue);
    sender = open_as(broker, "virga", "sender", "");
    alive = open_outbox(sender);
    wait_until(is_empty());
    wait_until(has_seen("4 5 "));
    outbox_close(alive);
    rpc_close(receiver);
    rpc_close(sender);
}

static void
test_the_broker_is_away(_unused_ void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *queue = broker_unique(a, "notes");
    struct rpc *sender, *receiver;
    struct outbox *o;

    if (!broker_is_private(broker))
        skip();
    sender = open_as(broker, "virga", "sender", "");
    receiver = open_receiver(queue);
    o = open_outbox(sender);
    seen[0] = '\0';
    broker_kill(broker);
    wait_until(!rpc_connected(sender));
    add(o, queue, NULL, 1, 3, true);
    assert_false(is_empty());
    broker_start(broker);
    wait_until(is_empty());
    wait_until(has_seen("1 2 3 "));
    outbox_close(o);
    rpc_close(receiver);
    rpc_close(sender);
}

static void
test_queries(_unused_ void **state)
{
    _cleanup_(pg_rollback) struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(pg, &db);
    if (rpc_queries_check(&db, &f) < 0)
        fail_msg("%s", f.message);
}

static int
group_setup(_unused_ void **state)
{
    pg = pg_open_migrated(NULL, 0);
    broker = broker_open();
    return 0;
}

static int
group_teardown(_unused_ void **state)
{
    broker_close(broker);
    pg_close(pg);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_sent_after_commit_in_order),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_merged_while_waiting_and_adopted),
        cmocka_unit_test(test_the_broker_is_away),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
