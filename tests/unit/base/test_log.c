#include "base/log.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "../asserts.h"
#include "base/clock.h"

static char seen[32768];

/* What log_write() puts on standard error, which is a file while it writes. */
static const char *
record(enum log_level level, const char *text)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t size;

    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    log_write(level, "common/thing.c", 12, "%s", text);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    size = fread(seen, 1, sizeof(seen) - 1, file);
    seen[size] = '\0';
    fclose(file);
    return seen;
}

static void
test_keyvalue(void **state)
{
    (void)state;
    clock_set_us(1795338442000042);
    log_setup("compute", LOG_INFO, LOG_KEYVALUE);
    assert_string_equal(
        record(LOG_INFO, "pool.open size=4"),
        "ts=2026-11-22T09:07:22.000042Z level=info daemon=compute pool.open size=4\n");
    assert_string_equal(record(LOG_DEBUG, "quiet"), "");
    log_set_level(LOG_DEBUG);
    assert_non_null(strstr(record(LOG_DEBUG, "loud"),
                           " level=debug daemon=compute at=common/thing.c:12 loud\n"));
    log_set_level(LOG_INFO);
    log_set_context(
        &(struct log_context){ .request_id = "req-1", .project_id = "p", .saga_id = "s" });
    assert_non_null(
        strstr(record(LOG_WARN, "x"),
               " level=warn daemon=compute request_id=req-1 project_id=p saga_id=s x\n"));
    log_set_context(NULL);
    clock_set_us(0);
}

/* Nothing from outside can begin a line of its own or speak to the terminal. */
static void
test_escapes(void **state)
{
    static const struct {
        const char *text, *keyvalue;
    } cases[] = {
        { "a\nlevel=error b", " a\\nlevel=error b\n" },
        { "\x1b[31m", " \\x1b[31m\n" },
        { "\r\x7f", " \\x0d\\x7f\n" },
        { "\xff\xc3", " \\xff\\xc3\n" },
        { "\xc3\xa9", " \xc3\xa9\n" },
    };
    const char *line;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        log_setup("d", LOG_INFO, LOG_KEYVALUE);
        line = record(LOG_INFO, cases[i].text);
        assert_non_null(strstr(line, cases[i].keyvalue));
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    }
}

static void
test_json(void **state)
{
    static const char *const texts[] = { "plain", "a\"b\\c\nd", "\x1b\xff", "\xc3\xa9" };

    (void)state;
    log_setup("compute", LOG_INFO, LOG_JSON);
    log_set_context(&(struct log_context){ .user_id = "u\"1" });
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *line = record(LOG_ERROR, texts[i]);
        json_auto_t *value = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(value);
        assert_string_equal(json_string_value(json_object_get(value, "level")), "error");
        assert_string_equal(json_string_value(json_object_get(value, "user_id")), "u\"1");
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        if (i < 2)
            assert_string_equal(json_string_value(json_object_get(value, "message")), texts[i]);
    }
    log_set_context(NULL);
}

static void
test_long_record_is_cut(void **state)
{
    static const enum log_format formats[] = { LOG_KEYVALUE, LOG_JSON };
    static char text[20000];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        for (int c = 0; c < 2; c++) {
            const char *line;

            memset(text, c == 0 ? 'x' : '\x01', sizeof(text) - 1);
            log_setup("d", LOG_INFO, formats[i]);
            line = record(LOG_INFO, text);
            assert_in_range(strlen(line), 4000, 8192);
            assert_int_equal(line[strlen(line) - 1], '\n');
            if (formats[i] == LOG_JSON) {
                json_auto_t *value = json_loads(line, 0, NULL);

                assert_non_null(value);
            }
        }
    }
}

static void
test_level_parse(void **state)
{
    enum log_level level;

    (void)state;
    assert_int_equal(log_level_parse("WARN", &level), 0);
    assert_int_equal(level, LOG_WARN);
    assert_int_equal(log_level_parse("loud", &level), -EINVAL);
    assert_int_equal(log_level_parse(NULL, &level), -EINVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyvalue),    cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_json),        cmocka_unit_test(test_long_record_is_cut),
        cmocka_unit_test(test_level_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
