#include "base/config.h"

#include <unistd.h>

#include "../asserts.h"

struct settings {
    const char *url, *name, *password;
    int64_t size;
    double ratio;
    bool on;
    const char **hosts;
};

#define KEY(section_, name_, type_, member_, fallback_, min_, max_, unit_, help_)                  \
    {                                                                                              \
        .section = (section_), .name = (name_), .type = (type_),                                   \
        .offset = offsetof(struct settings, member_), .fallback = (fallback_), .min = (min_),      \
        .max = (max_), .unit = (unit_), .help = (help_)                                            \
    }

static const struct config_key keys[] = {
    KEY("database", "url", CONFIG_TEXT, url, NULL, 0, 0, "", "Where the database is."),
    KEY("database", "password", CONFIG_SECRET, password, "", 0, 0, "", "Its password."),
    KEY("database", "size", CONFIG_INT, size, "4", 1, 64, "connections", "How many."),
    KEY("api", "name", CONFIG_TEXT, name, "api", 0, 0, "", "What it is called."),
    KEY("api", "ratio", CONFIG_NUMBER, ratio, "16.0", 0, 0, "", "How much."),
    KEY("api", "on", CONFIG_BOOL, on, "yes", 0, 0, "", "Whether."),
    KEY("api", "hosts", CONFIG_LIST, hosts, "a, b", 0, 0, "", "Who."),
};

static void
write_file(char path[32], const char *text)
{
    int fd;

    strncpy(path, "/tmp/config-test-XXXXXX", 32);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int
load(const char *text, const char *override, struct settings *s, struct fault *f)
{
    char path[32];
    int r;

    write_file(path, text);
    r = config_load(keys, ARRAY_SIZE(keys), path, &override, override != NULL ? 1 : 0, s, f);
    unlink(path);
    return r;
}

static void
test_values(void **state)
{
    struct settings s = { 0 };
    struct fault f = { 0 };

    (void)state;
    assert_ok(
        load("# comment\n\n[database]\n  url = postgres://a=b # not a comment\r\n"
             "password=p w\nsize = 64\n; comment\n[api]\nratio=1.5\non = OFF\nhosts = x ,, y,\n",
             NULL, &s, &f));
    assert_string_equal(s.url, "postgres://a=b # not a comment");
    assert_string_equal(s.password, "p w");
    assert_int_equal(s.size, 64);
    assert_string_equal(s.name, "api");
    assert_true(s.ratio > 1.49 && s.ratio < 1.51);
    assert_false(s.on);
    assert_string_equal(s.hosts[0], "x");
    assert_string_equal(s.hosts[1], "y");
    assert_null(s.hosts[2]);

    assert_ok(load("[database]\nurl=x", "api.hosts=", &s, &f));
    assert_null(s.hosts[0]);
    assert_true(s.on);
    assert_ok(load("[database]\nurl=x", "database.url=a.b=c", &s, &f));
    assert_string_equal(s.url, "a.b=c");
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text, *override;
        const char *message, *field;
    } cases[] = {
        { "", NULL, "[database] url: must be given", "database.url" },
        { "[database]\nurl=x\nsizze=1\n", NULL, ":3: unknown key 'sizze' in section [database]",
          "sizze" },
        { "[database]\nurl=x\n[databse]\n", NULL, ":3: unknown section [databse]", "databse" },
        { "url=x\n", NULL, ":1: key 'url' before any [section]", "" },
        { "[database\n", NULL, ":1: section without ']'", "" },
        { "[database]\n\nurl\n", NULL, ":3: neither", "" },
        { "[database]\nurl=x\nsize=0\n", NULL, ":3: [database] size: 0 is not between 1 and 64",
          "database.size" },
        { "[database]\nurl=x\nsize=65\n", NULL, "65 is not between", "database.size" },
        { "[database]\nurl=x\nsize=4x\n", NULL, "'4x' is not a whole number", "database.size" },
        { "[database]\nurl=x\nsize=99999999999999999999\n", NULL, "not a whole number",
          "database.size" },
        { "[api]\non=maybe\n", NULL, ":2: [api] on: 'maybe' is neither", "api.on" },
        { "[api]\nratio=nan\n", NULL, "'nan' is not a number", "api.ratio" },
        { "[database]\nurl=\xff\n", NULL, "is not UTF-8", "" },
        { "[database]\nurl=x\npassword=file:/nonexistent/secret\n", NULL, "No such file",
          "database.password" },
        { "[database]\nurl=x\n", "database.siz=1", "--set: unknown key 'siz'", "siz" },
        { "[database]\nurl=x\n", "nonsense", "section.key=value", "" },
        { "[database]\nurl=x\n", "url=a.b", "section.key=value", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct settings s = { 0 };
        struct fault f = { 0 };

        assert_fault(load(cases[i].text, cases[i].override, &s, &f), f, FAULT_INVALID,
                     cases[i].message);
        assert_string_equal(f.field, cases[i].field);
    }
}

static void
test_missing_file(void **state)
{
    struct settings s = { 0 };
    struct fault f = { 0 };

    (void)state;
    assert_fault(config_load(keys, ARRAY_SIZE(keys), "/nonexistent/virga.conf", NULL, 0, &s, &f), f,
                 FAULT_INVALID, "/nonexistent/virga.conf: No such file");
}

static void
test_secret_file(void **state)
{
    char path[32], override[64];
    struct settings s = { 0 };
    struct fault f = { 0 };

    (void)state;
    write_file(path, "hunter2\n");
    snprintf(override, sizeof(override), "database.password=file:%s", path);
    assert_ok(load("[database]\nurl=x\n", override, &s, &f));
    unlink(path);
    assert_string_equal(s.password, "hunter2");
}

static void
test_sample(void **state)
{
    struct settings s = { 0 };
    struct fault f = { 0 };
    char text[4096];
    size_t size;
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    config_write_sample(keys, ARRAY_SIZE(keys), file);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    assert_non_null(strstr(text, "[database]\n# Where the database is. Must be given.\n#url = \n"));
    assert_non_null(strstr(text, "# How many. (connections; 1 to 64)\n#size = 4\n"));
    assert_non_null(strstr(text, "\n\n[api]\n"));

    /* The sample is a configuration that loads, but for what must be given. */
    assert_ok(load(text, "database.url=x", &s, &f));
    assert_int_equal(s.size, 4);

    rewind(file);
    config_write_help(keys, ARRAY_SIZE(keys), file);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    assert_non_null(strstr(text, "database.size: whole number (connections; 1 to 64)"));
    fclose(file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_missing_file), cmocka_unit_test(test_secret_file),
        cmocka_unit_test(test_sample),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
