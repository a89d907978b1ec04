/* The QMP client against a scripted server: it says its lines, whatever it is asked. */
#include "tests/unit/asserts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "services/volume-agent/qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define READY "{\"return\": {}, \"id\": 1}\r\n"

struct server {
    const char *const *lines; /* The first at once, each other one after a line has come in. */
    char path[64];
    int listener;
    pthread_t thread;
};

static void *
serve(void *object)
{
    struct server *s = object;
    int fd = accept(s->listener, NULL, NULL);
    char byte;

    if (fd < 0)
        return NULL;
    for (const char *const *line = s->lines; *line != NULL; line++) {
        if (send(fd, *line, strlen(*line), MSG_NOSIGNAL) < 0)
            break;
        while (recv(fd, &byte, 1, 0) == 1 && byte != '}')
            ;
        while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
            ;
    }
    close(fd);
    return NULL;
}

static void
server_start(struct server *s, const char *const *lines)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *s = (struct server){ .lines = lines };
    snprintf(s->path, sizeof(s->path), "/tmp/test-qmp-XXXXXX");
    assert_non_null(mkdtemp(s->path));
    strncat(s->path, "/s", sizeof(s->path) - strlen(s->path) - 1);
    memcpy(address.sun_path, s->path, strlen(s->path) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(s->listener, (struct sockaddr *)&address, sizeof(address)));
    assert_int_equal(0, listen(s->listener, 1));
    assert_int_equal(0, pthread_create(&s->thread, NULL, serve, s));
}

static void
server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(s->path);
    *strrchr(s->path, '/') = '\0';
    rmdir(s->path);
}

static void
test_commands_and_events(void **state)
{
    static const char *const lines[] = {
        GREETING,
        READY,
        "{\"event\": \"JOB\", \"data\": {\"id\": \"a\"}}\r\n{\"event\": \"JOB\", \"data\": "
        "{\"id\": \"b\", \"n\": 5}}\r\n"
        "{\"return\": [1, 2], \"id\": 2}\r\n",
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such node\"}, \"id\": 3}\r\n",
        "{\"return\": {}, \"id\": 4}\r\n{\"event\": \"DONE\", \"data\": {\"id\": \"c\"}}\r\n",
        NULL,
    };
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct server s;
    struct qmp *q;
    json_t *ret;

    (void)state;
    server_start(&s, lines);
    assert_ok(qmp_open(&q, s.path, 5000, &f));
    assert_ok(qmp_run(q, a, "first", json_pack("{s:s}", "x", "y"), 5000, &ret, &f));
    assert_int_equal(2, json_array_size(ret));
    assert_ok(
        qmp_wait_event(q, a, "JOB", "id", "b", 5000, &ret, &f)); /* Came before; out of order. */
    assert_int_equal(5, json_get_int(ret, "n"));
    assert_fault(qmp_run(q, a, "second", NULL, 5000, NULL, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "second: no such node"));
    assert_ok(qmp_run(q, a, "third", NULL, 5000, NULL, &f));
    assert_ok(qmp_wait_event(q, a, "DONE", "id", "c", 5000, NULL, &f));
    qmp_drop_events(q);
    fault_clear(&f);
    assert_fault(qmp_wait_event(q, a, "JOB", "id", "a", 50, NULL, &f), f, FAULT_TIMEOUT, "in time");
    qmp_close(q);
    server_stop(&s);
    arena_free(a);
}

static void
test_bad_servers(void **state)
{
    static const struct {
        const char *lines[3];
        enum fault_kind kind;
    } cases[] = {
        { { "{\"hello\": 1}\r\n", NULL }, FAULT_UNAVAILABLE }, /* Something else listens. */
        { { "not JSON\r\n", NULL }, FAULT_UNAVAILABLE },
        { { "[]\r\n", NULL }, FAULT_UNAVAILABLE },
        { { "{\"QMP\":", NULL }, FAULT_TIMEOUT }, /* Never ends its line. */
        { { "", NULL }, FAULT_TIMEOUT },
        { { NULL }, FAULT_UNAVAILABLE }, /* Hangs up. */
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct fault f = { 0 };
        struct server s;
        struct qmp *q;

        server_start(&s, cases[n].lines);
        assert_fault(qmp_open(&q, s.path, 100, &f), f, cases[n].kind, NULL);
        server_stop(&s);
    }
}

/* A command that nobody answers ends with its deadline; a connection that ends in the middle is
 * told at once. */
static void
test_silence(void **state)
{
    static const char *const silent[] = { GREETING, READY, "", NULL };
    static const char *const hangs_up[] = { GREETING, READY, NULL };
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct server s;
    struct qmp *q;

    (void)state;
    server_start(&s, silent);
    assert_ok(qmp_open(&q, s.path, 5000, &f));
    assert_fault(qmp_run(q, a, "x", NULL, 50, NULL, &f), f, FAULT_TIMEOUT, NULL);
    qmp_close(q);
    server_stop(&s);
    server_start(&s, hangs_up);
    assert_ok(qmp_open(&q, s.path, 5000, &f));
    assert_fault(qmp_run(q, a, "x", NULL, 60000, NULL, &f), f, FAULT_UNAVAILABLE, NULL);
    qmp_close(q);
    server_stop(&s);
    fault_clear(&f);
    assert_fault(qmp_open(&q, "/nowhere/at/all", 100, &f), f, FAULT_UNAVAILABLE, NULL);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_and_events),
        cmocka_unit_test(test_bad_servers),
        cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
