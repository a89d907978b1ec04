#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../asserts.h"
#include "base/clock.h"
#include "base/str.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static void
test_output_and_status(void **state)
{
    static const struct {
        const char *script, *input;
        int status; /* Not 0: refused with it. */
        const char *output, *errors;
    } cases[] = {
        { "echo out; echo err >&2", NULL, 0, "out\n", "err\n" },
        { "cat", "to be copied", 0, "to be copied", "" },
        { "cat", NULL, 0, "", "" },
        { "cat", "", 0, "", "" },
        { "exit 3", NULL, 3, "", "" },
        { "echo no >&2; exit 1", NULL, 1, "", "no\n" },
        { "kill -9 $$", NULL, 128 + 9, "", "" },
        { "printf 'a\\0b'", NULL, 0, "a\0b", "" },
        { "exec 0<&-; echo done", "never read", 0, "done\n", "" },
        { "env | sort | grep -v '^_=\\|^PWD=\\|^PATH='", NULL, 0, "LANG=C.UTF-8\n", "" },
        { "ls /proc/self/fd | tr '\\n' ' '", NULL, 0, "0 1 2 3 ", "" }, /* 3: ls's own. */
        { "trap '' PIPE; ulimit -n", NULL, 0, "64\n", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct process_run run = { .argv = SHELL(cases[i].script), .input = cases[i].input };
        struct fault f = { 0 };
        int r;

        if (run.input != NULL)
            run.input_size = strlen(run.input);
        r = process_run(a, &run, &f);
        if (cases[i].status == 0)
            assert_int_equal(r, 0);
        else
            assert_fault(r, f, FAULT_INTERNAL, NULL);
        assert_int_equal(run.status, cases[i].status);
        assert_string_equal(run.output, cases[i].output);
        assert_string_equal(run.errors, cases[i].errors);
    }
}

static void
test_fault_names_the_command(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct process_run run = { .argv = SHELL("echo because >&2; exit 4") };
    struct fault f = { 0 };

    (void)state;
    assert_fault(process_run(a, &run, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "sh -c"));
    assert_non_null(strstr(f.cause, "exit status 4: because"));
    assert_null(strstr(f.message, "because"));
}

static void
test_no_such_program(void **state)
{
    static const char *const programs[] = { "no-such-program-here", "/no/such/program",
                                            "/etc/passwd" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct process_run run = { .argv = (const char *const[]){ programs[i], NULL } };
        struct fault f = { 0 };

        assert_fault(process_run(a, &run, &f), f, FAULT_INTERNAL, NULL);
        assert_non_null(strstr(f.cause, programs[i]));
    }
}

static void
test_large_input_and_output(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    size_t size = 3 * 1024 * 1024;
    char *input = arena_alloc(a, size);
    struct process_run run = { .argv = SHELL("cat"), .input = input, .input_size = size };
    struct fault f = { 0 };

    (void)state;
    memset(input, 'y', size);
    assert_ok(process_run(a, &run, &f));
    assert_int_equal(run.output_size, size);
    assert_memory_equal(run.output, input, size);
}

static void
test_output_without_end(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct process_run run = { .argv = SHELL("yes") };
    struct fault f = { 0 };

    (void)state;
    assert_fault(process_run(a, &run, &f), f, FAULT_INTERNAL, NULL);
    assert_non_null(strstr(f.cause, "wrote more"));
    assert_int_equal(run.output_size, 4 * 1024 * 1024);

    run.argv = SHELL("head -c 1000000 /dev/zero | tr '\\0' e >&2");
    assert_ok(process_run(a, &run, &f));
    assert_int_equal(strlen(run.errors), 64 * 1024);
}

/* Gone, or dead and waiting for init to notice. */
static bool
is_dead(pid_t pid)
{
    char path[64], text[512] = "";
    const char *state_at;
    FILE *file;
    size_t size;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return true;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    state_at = strrchr(text, ')');
    return state_at == NULL || state_at[2] == 'Z' || state_at[2] == 'X';
}

static void
test_deadline_kills_the_group(void **state)
{
    static const struct {
        const char *script;
        bool timed_out;
    } cases[] = {
        { "sleep 1000 & echo $!; trap '' TERM; wait; sleep 1000", true },
        { "sleep 1000 & echo $!",
          false }, /* The leader ends at once; what it left behind goes with it. */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct process_run run = { .argv = SHELL(cases[i].script),
                                   .deadline_ms = cases[i].timed_out ? 300 : 0 };
        int64_t started_ms = clock_mono_ms();
        struct fault f = { 0 };
        int r = process_run(a, &run, &f);
        int64_t pid;

        if (cases[i].timed_out) {
            assert_fault(r, f, FAULT_TIMEOUT, NULL);
            assert_int_equal(run.status, 128 + SIGKILL);
        } else {
            assert_ok(r);
        }
        assert_true(clock_mono_ms() - started_ms < 20000);
        run.output[strcspn(run.output, "\n")] = '\0';
        assert_ok(str_to_int64(run.output, 2, INT32_MAX, &pid));
        while (!is_dead((pid_t)pid)) /* SIGKILL was sent; only the kernel's own time is left. */
            sched_yield();
    }
}

static void
test_limits(void **state)
{
    static const struct {
        const char *script;
        struct process_limits limits;
        int status;
    } cases[] = {
        { "ulimit -t; ulimit -v; ulimit -f", { 0 }, 0 },
        { "test $(ulimit -t) = 7", { .cpu_s = 7 }, 0 },
        { "test $(ulimit -v) = 1048576", { .memory_bytes = 1073741824 }, 0 },
        { "f=$(mktemp); head -c 100000 /dev/zero > $f; r=$?; rm $f; exit $r",
          { .file_bytes = 1000 },
          128 + SIGXFSZ },
        { "test $(ulimit -n) = 10", { .files = 10 }, 0 },
        { "while :; do :; done", { .cpu_s = 1 }, 128 + SIGKILL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct process_run run = { .argv = SHELL(cases[i].script), .limits = cases[i].limits };
        struct fault f = { 0 };
        int r = process_run(a, &run, &f);

        assert_int_equal(r < 0, cases[i].status != 0);
        assert_int_equal(run.status, cases[i].status);
    }
}

static void
test_netns_name(void **state)
{
    static const char *const names[] = { "no-such-namespace-here", "../../proc/1/ns/net", "", "..",
                                         "a/b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct process_run run = { .argv = SHELL("true"), .netns = names[i] };
        struct fault f = { 0 };

        assert_fault(process_run(a, &run, &f), f, FAULT_INTERNAL, NULL);
        assert_non_null(strstr(f.cause, "netns"));
    }
}

/* Needs root; elsewhere it is skipped. */
static void
test_netns(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *name = arena_printf(a, "virga-unit-%d", (int)getpid());
    struct process_run run = { .argv = (const char *const[]){ "ip", "netns", "add", name, NULL } };
    struct fault f = { 0 };
    const char *ours;

    (void)state;
    if (geteuid() != 0 || process_run(a, &run, &f) < 0)
        skip();
    run = (struct process_run){ .argv = SHELL("readlink /proc/self/ns/net") };
    assert_ok(process_run(a, &run, &f));
    ours = run.output;
    run.netns = name;
    assert_ok(process_run(a, &run, &f));
    assert_string_not_equal(run.output, ours);
    run = (struct process_run){
        .argv = SHELL("ls /proc/self/net/dev_snmp6; grep -c : /proc/self/net/dev"), .netns = name
    };
    assert_ok(process_run(a, &run, &f));
    assert_non_null(strstr(run.output, "1\n")); /* Only the loopback device. */
    run = (struct process_run){ .argv = (const char *const[]){ "ip", "netns", "del", name, NULL } };
    assert_ok(process_run(a, &run, &f));
}

static void
test_start_and_stop(void **state)
{
    char path[] = "/tmp/process-test-XXXXXX", text[64] = "";
    struct fault f = { 0 };
    uint64_t started;
    pid_t pid;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_ok(process_start(SHELL("echo ready; exec sleep 1000"), NULL, path, &pid, &f));
    started = process_start_time(pid);
    assert_true(started > 0);
    assert_int_equal(getsid(pid), pid);

    /* Another's start time: not ours to stop. */
    process_stop(pid, started + 1, 1000);
    assert_false(is_dead(pid));
    while (pread(fd, text, sizeof(text) - 1, 0) == 0)
        sched_yield();
    assert_string_equal(text, "ready\n");
    process_stop(pid, started, 10000);
    assert_int_equal(process_start_time(pid), 0); /* Reaped. */
    process_stop(pid, started, 1000);             /* Twice does nothing. */
    process_stop(0, 0, 0);
    close(fd);
    unlink(path);
}

static void
test_stop_what_ignores_sigterm(void **state)
{
    char path[] = "/tmp/process-test-XXXXXX", text[64] = "";
    struct fault f = { 0 };
    pid_t pid;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_ok(process_start(SHELL("trap '' TERM; echo ready; while :; do sleep 0.1; done"), NULL,
                            path, &pid, &f));
    while (pread(fd, text, sizeof(text) - 1, 0) == 0)
        sched_yield();
    process_stop(pid, 0, 100);
    assert_int_equal(process_start_time(pid), 0);
    assert_fault(process_start(SHELL("true"), "no-such-namespace-here", NULL, &pid, &f), f,
                 FAULT_INTERNAL, NULL);
    assert_ok(process_start(SHELL("true"), NULL, NULL, &pid, &f));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_status),
        cmocka_unit_test(test_fault_names_the_command),
        cmocka_unit_test(test_no_such_program),
        cmocka_unit_test(test_large_input_and_output),
        cmocka_unit_test(test_output_without_end),
        cmocka_unit_test(test_deadline_kills_the_group),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_netns_name),
        cmocka_unit_test(test_netns),
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_stop_what_ignores_sigterm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
