/* A whole daemon, from the command line to the end. It is this program, run with "--as-daemon";
 * tests/integration/test_daemon.py runs it too. */
#include <pthread.h>

#include "daemon_queries.h"
#include "trivial.h"
#include "world.h"

static void
test_serves(void **state)
{
    struct world *w = *state;
    int status;
    char *text;

    configure(w, pg_url(w->pg), "");
    start(w);
    await_log(w, "daemon.ready");
    text = ask(w, "api", "GET /hello", &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "\"greeting\":\"hello\""));
    assert_int_equal(status_of(w, "api", "GET /nothing"), 404);
    text = ask(w, "management", "GET /healthz", &status);
    assert_int_equal(status, 200);
    text = ask(w, "management", "GET /readyz", &status);
    assert_int_equal(status, 200);
    assert_non_null(
        strstr(text, "\"ready\":true,\"state\":\"serving\",\"checks\":{\"database\":{"
                     "\"up\":true,\"needed\":true},\"tokens\":{\"up\":true,\"needed\":true}}"));
    text = ask(w, "management", "GET /metrics", &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "\nvirga_http_requests_total 2\n"));
    assert_non_null(strstr(text, "\nvirga_http_responses_total{class=\"4xx\"} 1\n"));
    assert_non_null(strstr(text, "\nvirga_database_connections_max "));
    assert_non_null(strstr(text, "\ntrivial 42\n"));
    assert_non_null(strstr(text, "\nprocess_resident_memory_bytes "));
    /* What the control socket has and the management address hasn't. */
    assert_int_equal(status_of(w, "management", "GET /show/config"), 404);
    assert_int_equal(status_of(w, "management", "POST /trim"), 404);
    text = ask(w, "control", "GET /show/config", &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "\"secret\":\"(secret)\""));
    assert_null(strstr(text, "geheim"));
    text = ask(w, "control", "GET /show/sagas", &status);
    assert_string_equal(text, "{\"sagas\":[]}");
    text = ask(w, "control", "GET /show/outbox", &status);
    assert_string_equal(text, "{\"outbox\":[]}");
    assert_int_equal(status_of(w, "control", "GET /show/pool"), 200);
    assert_int_equal(status_of(w, "control", "GET /show/mem"), 200);
    assert_int_equal(status_of(w, "control", "GET /show/else"), 404);
    assert_int_equal(status_of(w, "control", "POST /trim"), 200);
    assert_int_equal(status_of(w, "control", "POST /log?level=loud"), 400);
    assert_int_equal(status_of(w, "control", "POST /log?level=debug"), 200);
    assert_int_equal(status_of(w, "control", "DELETE /log"), 405);
    finish(w);
    text = read_file(w->arena, w->log);
    assert_non_null(strstr(text, "trivial.stop"));
    assert_non_null(strstr(text, "daemon.stopped"));
    assert_null(strstr(text, "geheim"));
    assert_int_equal(access(arena_printf(w->arena, "%s/control", w->folder), F_OK), -1);
}

static void
test_reload(void **state)
{
    struct world *w = *state;
    int status;
    char *text;

    configure(w, pg_url(w->pg), "");
    start(w);
    await_log(w, "daemon.ready");
    configure(w, pg_url(w->pg), "greeting = changed\n[daemon]\nlog_level = debug\n");
    kill(w->pid, SIGHUP);
    await_log(w, "reload.done");
    text = read_file(w->arena, w->log);
    assert_non_null(strstr(text, "reload.needs_restart key=trivial.greeting"));
    assert_null(strstr(text, "key=trivial.secret"));
    text = ask(w, "api", "GET /hello", &status);
    assert_non_null(strstr(text, "\"reloads\":1"));
    assert_non_null(strstr(text, "\"greeting\":\"hello\""));
    await_log(w, "level=debug");
    write_file(w->config, "[daemon]\nnonsense = 1\n"); /* Refused, and it goes on as before. */
    write_file(w->log, "");
    assert_int_equal(status_of(w, "control", "POST /reload"), 200);
    await_log(w, "reload.refused");
    text = ask(w, "api", "GET /hello", &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "\"reloads\":1"));
    finish(w);
}

static void *
ask_slow(void *object)
{
    struct world *w = object;
    struct world own = *w;
    int status;

    own.arena = arena_new();
    ask(&own, "api", "GET /slow", &status);
    arena_free(own.arena);
    return (void *)(intptr_t)status;
}

/* What was in work at SIGTERM is finished; meanwhile /readyz says so, and nobody new gets in. */
static void
test_drain(void **state)
{
    struct world *w = *state;
    pthread_t thread;
    void *slow_status;
    char *text;
    int status;

    configure(w, pg_url(w->pg), "");
    start(w);
    await_log(w, "daemon.ready");
    pthread_create(&thread, NULL, ask_slow, w);
    await_log(w, "trivial.slow");
    kill(w->pid, SIGTERM);
    await_log(w, "daemon.stopping");
    do
        text = ask(w, "management", "GET /readyz", &status);
    while (status == 200);
    assert_int_equal(status, 503);
    assert_non_null(strstr(text, "\"state\":\"draining\""));
    assert_int_equal(waitpid(w->pid, NULL, WNOHANG), 0);
    write_file(arena_printf(w->arena, "%s/state/release", w->folder), "");
    pthread_join(thread, &slow_status);
    assert_int_equal((intptr_t)slow_status, 200);
    assert_int_equal(exit_code(w->pid), 0);
    w->pid = 0;
}

/* It waits for the database, says so, and can be stopped. */
static void
test_without_database(void **state)
{
    struct world *w = *state;
    char *text;
    int status;

    configure(w, arena_printf(w->arena, "host=%s/nowhere dbname=x user=x", w->folder), "");
    start(w);
    await_log(w, "daemon.waiting for=database");
    assert_int_equal(status_of(w, "management", "GET /healthz"), 200);
    text = ask(w, "management", "GET /readyz", &status);
    assert_int_equal(status, 503);
    assert_non_null(strstr(text, "\"ready\":false,\"state\":\"starting\""));
    assert_int_equal(status_of(w, "management", "GET /metrics"), 200);
    assert_int_equal(status_of(w, "control", "GET /show/sagas"), 503);
    finish(w);
    assert_null(strstr(read_file(w->arena, w->log), "trivial.stop"));
}

/* The broker is away: shown, and no reason not to be ready. */
static void
test_without_broker(void **state)
{
    struct world *w = *state;
    char *text;
    int status;

    configure(w, pg_url(w->pg), "[rpc]\nurl = amqp://guest:guest@127.0.0.1:9/\n");
    start(w);
    await_log(w, "daemon.ready");
    text = ask(w, "management", "GET /readyz", &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "\"broker\":{\"up\":false,\"needed\":false}"));
    text = ask(w, "management", "GET /metrics", &status);
    assert_non_null(strstr(text, "\nvirga_rpc_connected 0\n"));
    assert_non_null(strstr(text, "\nvirga_outbox_waiting 0\n"));
    finish(w);
}

static void
test_failed_start(void **state)
{
    struct world *w = *state;

    configure(w, pg_url(w->pg), "fail_start = yes\n");
    start(w);
    assert_int_equal(exit_code(w->pid), 1);
    w->pid = 0;
    assert_non_null(
        strstr(read_file(w->arena, w->log), "daemon.start_failed reason=\"told to fail\""));
}

static void
test_command_line(void **state)
{
    struct world *w = *state;
    const char *text;

    configure(w, pg_url(w->pg), "");
    assert_int_equal(run(w, "--help"), 0);
    text = read_file(w->arena, w->log);
    assert_non_null(strstr(text, "usage: virga-trivial"));
    assert_non_null(strstr(text, "says a word"));
    assert_non_null(strstr(text, "trivial.greeting"));
    assert_non_null(strstr(text, "database.url"));
    assert_int_equal(run(w, "--version"), 0);
    assert_non_null(strstr(read_file(w->arena, w->log), "virga-trivial "));
    assert_int_equal(run(w, "--nonsense"), 2);
    assert_int_equal(
        run(w, "nonsense --config /dev/null --set database.url=x --set api.listen=127.0.0.1:0"), 2);
    assert_int_equal(run(w, arena_printf(w->arena, "--check-config --config %s", w->config)), 0);
    assert_int_equal(run(w, arena_printf(w->arena,
                                         "--check-config --config %s --set trivial.color=red",
                                         w->config)),
                     1);
    assert_non_null(strstr(read_file(w->arena, w->log), "color"));
    assert_int_equal(run(w, "--check-config"), 1);
    assert_non_null(strstr(read_file(w->arena, w->log), "database.url must be given"));
    assert_int_equal(run(w, arena_printf(w->arena, "--config %s --set daemon.log_level=loud",
                                         w->config)),
                     1);
    assert_int_equal(run(w, arena_printf(w->arena, "migrate --config %s", w->config)), 0);
    assert_int_equal(run(w, arena_printf(w->arena, "say --config %s word", w->config)), 3);
    assert_non_null(strstr(read_file(w->arena, w->log), "word with database"));
    assert_int_equal(run(w, arena_printf(w->arena, "say --config %s", w->config)), 1);
    /* The sample is a configuration once its comments are taken away. */
    assert_int_equal(run(w, "--sample-config"), 0);
    text = read_file(w->arena, w->log);
    assert_non_null(strstr(text, "[trivial]"));
    assert_non_null(strstr(text, "#greeting = hello"));
}

static void
test_queries(void **state _unused_)
{
    struct pg *pg = pg_open_migrated(NULL, 0);
    struct db db = { 0 };
    struct fault f = { 0 };

    pg_begin(pg, &db);
    if (daemon_queries_check(&db, &f) < 0)
        fail_msg("%s", f.message);
    pg_rollback(&db);
    pg_close(pg);
}

/* For test_daemon.py: says where a fresh database is, which lasts until standard input ends. */
static int
lend_database(void)
{
    struct pg *pg = pg_open();
    char c;

    puts(pg_url(pg));
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    pg_close(pg);
    return 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),
        cmocka_unit_test_setup_teardown(test_serves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_database, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_broker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_command_line, setup, teardown),
    };

    if (argc > 1 && str_equal(argv[1], "--as-daemon"))
        return trivial_main(argc - 1, argv + 1);
    if (argc > 1 && str_equal(argv[1], "--database"))
        return lend_database();
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
