#include "common/daemon/options.h"

#include "common/base/str.h"
#include "tests/unit/asserts.h"

static int
parse(struct arena *a, const char *line, struct daemon_options *ret, struct fault *f)
{
    size_t count;
    char **words = str_split(a, line, ' ', &count);
    char **argv = ARENA_ARRAY(a, char *, count + 1);

    memcpy(argv, words, count * sizeof(*argv));
    return options_parse(a, (int)count, argv, ret, f);
}

static void
test_good(void **state)
{
    static const struct {
        const char *line;
        enum daemon_action action;
        const char *config, *command;
        size_t overrides;
        int words;
    } cases[] = {
        { "d", DAEMON_SERVE, NULL, NULL, 0, 0 },
        { "d --config /etc/d.conf", DAEMON_SERVE, "/etc/d.conf", NULL, 0, 0 },
        { "d --config=/etc/d.conf --set a.b=c --set=d.e=f", DAEMON_SERVE, "/etc/d.conf", NULL, 2,
          0 },
        { "d migrate --config /etc/d.conf", DAEMON_COMMAND, "/etc/d.conf", "migrate", 0, 0 },
        { "d --set a.b=c key rotate --force", DAEMON_COMMAND, NULL, "key", 1, 2 },
        { "d --help", DAEMON_HELP, NULL, NULL, 0, 0 },
        { "d -h", DAEMON_HELP, NULL, NULL, 0, 0 },
        { "d migrate --help", DAEMON_HELP, NULL, "migrate", 0, 0 },
        { "d --version", DAEMON_VERSION, NULL, NULL, 0, 0 },
        { "d --sample-config", DAEMON_SAMPLE_CONFIG, NULL, NULL, 0, 0 },
        { "d --check-config --config x", DAEMON_CHECK_CONFIG, "x", NULL, 0, 0 },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct daemon_options o;
        struct fault f = { 0 };

        assert_ok(parse(a, cases[i].line, &o, &f));
        assert_int_equal(o.action, cases[i].action);
        assert_true(str_equal(o.config_file, cases[i].config));
        assert_true(str_equal(o.command, cases[i].command));
        assert_int_equal(o.overrides_count, cases[i].overrides);
        assert_int_equal(o.words_count, cases[i].words);
        assert_null(o.words[o.words_count]);
    }
}

static void
test_bad(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        { "d --config", "--config needs a value" },         { "d --set", "--set needs a value" },
        { "d --sett a=b", "unknown option --sett" },        { "d -x", "unknown option -x" },
        { "d migrate --config", "--config needs a value" },
    };
    _cleanup_(arena_freep) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct daemon_options o;
        struct fault f = { 0 };

        assert_fault(parse(a, cases[i].line, &o, &f), f, FAULT_INVALID, cases[i].message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
