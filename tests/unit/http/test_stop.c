/* Draining and stopping, with requests in every state. */
#include "peer.h"

#include "common/base/clock.h"

static void *
drain(void *object)
{
    struct fixture *x = object;

    http_server_drain(x->server, 20000);
    return NULL;
}

static void
test_drain(void **state)
{
    static const struct http_server_options options = { .listen = "127.0.0.1:0",
                                                        .io_threads = 2,
                                                        .workers = 2 };
    struct fixture *x = fixture_start(&options);
    int busy = peer_connect(x->port), kept = peer_connect(x->port), late;
    int64_t started;
    pthread_t thread;
    struct answer a;

    (void)state;
    peer_say(kept, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    a = peer_answer(kept, false);
    free(a.body);
    peer_say(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    sem_wait(&x->entered);
    started = clock_mono_ms();
    http_server_drain(x->server, 50); /* Not long enough. */
    assert_in_range(clock_mono_ms() - started, 50, 15000);
    late = peer_connect(x->port); /* Refused. */
    assert_true(late < 0);
    pthread_create(&thread, NULL, drain, x);
    peer_say(kept, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"); /* Answered, and closed. */
    a = peer_answer(kept, false);
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    free(a.body);
    assert_true(peer_closed(kept));
    sem_post(&x->leave);
    pthread_join(thread, NULL);
    assert_true(clock_mono_ms() - started < 15000);
    a = peer_answer(busy, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    close(busy);
    close(kept);
    fixture_stop(x);
}

static void *
release_later(void *object)
{
    struct fixture *x = object;

    while (atomic_load(&x->read_failed) == 0)
        sched_yield();
    sem_post(&x->leave);
    return NULL;
}

/* What is queued when the server stops is answered 503; what is in work is finished. */
static void
test_stop_with_work(void **state)
{
    static const struct http_server_options options = { .listen = "127.0.0.1:0",
                                                        .io_threads = 1,
                                                        .workers = 1 };
    struct fixture *x = fixture_start(&options);
    int busy = peer_connect(x->port), queued = peer_connect(x->port),
        silent = peer_connect(x->port);
    struct http_server_stats stats;
    pthread_t thread;

    (void)state;
    peer_say(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    sem_wait(&x->entered);
    peer_say(queued, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    do {
        http_server_stats(x->server, &stats);
        sched_yield();
    } while (stats.queued != 1);
    pthread_create(&thread, NULL, release_later, x);
    http_server_drain(x->server, 10);
    atomic_store(&x->read_failed, 1);
    http_server_stop(x->server);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&x->workers_down), 1);
    assert_true(peer_closed(silent));
    close(busy);
    close(queued);
    close(silent);
    sem_destroy(&x->entered);
    sem_destroy(&x->leave);
    free(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_stop_with_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
