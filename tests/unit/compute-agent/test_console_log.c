#include "services/compute-agent/console_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include "services/compute-agent/folder.h"
#include "tests/unit/asserts.h"

struct fixture {
    struct arena *a;
    char folder[64];
};

static int
setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .a = arena_new(), .folder = "/tmp/virga-console-XXXXXX" };
    *state = &fixture;
    return mkdtemp(fixture.folder) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    arena_free(x->a);
    return folder_remove(x->folder);
}

static void
test_lines(void **state)
{
    static const struct {
        const char *text;
        int64_t lines;
        const char *expected;
    } cases[] = {
        { "a\nb\nc\n", -1, "a\nb\nc\n" },
        { "a\nb\nc\n", 1, "c\n" },
        { "a\nb\nc", 1, "c" },
        { "a\nb\nc\n", 2, "b\nc\n" },
        { "a\nb\nc\n", 9, "a\nb\nc\n" },
        { "a\nb\nc\n", 0, "" },
        { "", 3, "" },
        { "\n", 1, "\n" },
        { "a\n\n", 1, "\n" },
        { "a\n\n", 2, "a\n\n" },
        { "no end", 5, "no end" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size;
        const char *text =
            console_log_lines(cases[i].text, strlen(cases[i].text), cases[i].lines, &size);

        assert_int_equal(size, strlen(cases[i].expected));
        assert_memory_equal(text, cases[i].expected, size);
    }
}

/* E10: whatever a guest writes becomes valid text. */
static void
test_text(void **state)
{
    const struct fixture *x = *state;
    static const char bytes[] =
        "ok \xc3\xa9 \xff\xfe \xc3\0\x1b[31m \xe2\x82\xac \xed\xa0\x80 \xe2\x82";

    assert_string_equal(console_log_text(x->a, bytes, sizeof(bytes) - 1),
                        "ok \xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\x1b[31m \xe2\x82\xac "
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(console_log_text(x->a, "", 0), "");
}

static void
test_ring(void **state)
{
    const struct fixture *x = *state;
    const char *path = arena_printf(x->a, "%s/console", x->folder);
    const char *text;
    struct fault f = { 0 };
    size_t size;

    assert_ok(console_log_tail(x->a, path, 100, &text, &size, &f));
    assert_int_equal(size, 0);
    assert_ok(folder_write_file(arena_printf(x->a, "%s.0", path), "older part\n", 11, &f));
    assert_ok(folder_write_file(path, "newer\n", 6, &f));
    assert_ok(console_log_tail(x->a, path, 100, &text, &size, &f));
    assert_string_equal(text, "older part\nnewer\n");
    assert_ok(console_log_tail(x->a, path, 11, &text, &size, &f));
    assert_string_equal(text, "part\nnewer\n");
    assert_ok(console_log_tail(x->a, path, 4, &text, &size, &f));
    assert_string_equal(text, "wer\n");
}

/* The log's place is the guest's folder, but what stands there is not trusted to be a file. */
static void
test_no_file(void **state)
{
    const struct fixture *x = *state;
    const char *path = arena_printf(x->a, "%s/console", x->folder);
    const char *text;
    struct fault f = { 0 };
    size_t size;
    int r;

    assert_int_equal(symlink("/etc/passwd", path), 0);
    r = console_log_tail(x->a, path, 100, &text, &size, &f);
    assert_fault(r, f, FAULT_INTERNAL, NULL);
}

static void
test_bound(void **state)
{
    const struct fixture *x = *state;
    const char *path = arena_printf(x->a, "%s/console", x->folder);
    const char *text;
    struct fault f = { 0 };
    struct stat st;
    size_t size;

    assert_ok(folder_write_file(path, "start", 5, &f));
    console_log_bound(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(truncate(path, (9 << 20) - 4), 0);
    {
        FILE *file = fopen(path, "ae");

        fputs("end\n", file);
        fclose(file);
    }
    console_log_bound(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(stat(arena_printf(x->a, "%s.0", path), &st), 0);
    assert_int_equal(st.st_size, 1 << 20);
    assert_ok(console_log_tail(x->a, path, 4, &text, &size, &f));
    assert_string_equal(text, "end\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = { T(test_lines), T(test_text), T(test_ring), T(test_no_file),
                                        T(test_bound) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
