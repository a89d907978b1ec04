#include "services/cli/args.h"

#include "base/str.h"
#include "services/cli/cloud.h"
#include "tests/unit/asserts.h"

static const struct command command = {
    .name = "thing do",
    .options =
        OPTIONS(ARG("<first>", NULL, ""), ARG("<more>", NULL, "", .optional = true, .repeat = true),
                ARG("<last>", NULL, ""), OPT("--name", "<name>", NULL, ""),
                OPT("--nick", "<name>", NULL, "", .choices = "tom,tim"),
                OPT_INT("--count", "<n>", NULL, ""), OPT_PAIRS("--property", NULL, ""),
                FLAG("--flag", NULL, "true", ""), OPT("--os-version", "<version>", NULL, ""),
                OPT("--needed", "<x>", NULL, "", .required = true)),
};

static int
on_cloud(void *owner, const char *name, const char *value)
{
    return cloud_set(owner, name, value);
}

/* Words are split at blanks. */
static int
parse(struct arena *a, const char *line, struct args *ret, struct cloud *cloud, struct fault *f)
{
    size_t count;
    char **words = str_split(a, line, ' ', &count);

    *ret = (struct args){ 0 };
    *f = (struct fault){ 0 };
    return args_parse(a, &command, (const char *const *)words, count, on_cloud, cloud, ret, f);
}

static void
test_values(void **state)
{
    struct arena *a = arena_new();
    struct cloud cloud = { { 0 } };
    struct fault f;
    struct args args;

    (void)state;
    assert_ok(
        parse(a,
              "one --needed=x --name n --count 3 two three --flag --prop a=b --property c=d four",
              &args, &cloud, &f));
    assert_string_equal(args_get(&args, "<first>"), "one");
    assert_string_equal(args_nth(&args, "<more>", 0), "two");
    assert_string_equal(args_nth(&args, "<more>", 1), "three");
    assert_null(args_nth(&args, "<more>", 2));
    assert_string_equal(args_get(&args, "<last>"), "four");
    assert_string_equal(args_get(&args, "--needed"), "x");
    assert_string_equal(args_nth(&args, "--property", 1), "c=d"); /* --prop is unique enough. */
    assert_true(args_has(&args, "--flag"));
    assert_ok(parse(a, "a -f json -fcsv --needed x b", &args, &cloud, &f));
    assert_string_equal(args_get(&args, "-f"), "csv");
    assert_null(args_get(&args, "<more>"));
    assert_ok(parse(a, "--needed x -- --name -c", &args, &cloud,
                    &f)); /* After "--" all are positional. */
    assert_string_equal(args_get(&args, "<first>"), "--name");
    arena_free(a);
}

static void
test_cloud_options(void **state)
{
    struct arena *a = arena_new();
    struct cloud cloud = { { 0 } };
    struct fault f;
    struct args args;

    (void)state;
    assert_ok(parse(a, "a --os-auth-url http://x --os-version 9 --needed x b --os-cloud=mine",
                    &args, &cloud, &f));
    assert_string_equal(cloud.value[CLOUD_auth_url], "http://x");
    assert_string_equal(cloud.value[CLOUD_cloud], "mine");
    assert_string_equal(args_get(&args, "--os-version"),
                        "9"); /* No key of the cloud, but an option of the command. */
    arena_free(a);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        { "a b", "--needed is required" },
        { "a --needed x", "<last> is missing" },
        { "--needed x", "<first> is missing" },
        { "a b --needed", "--needed needs a value" },
        { "a b --needed x --bogus", "no such option: --bogus" },
        { "a b --needed x --n y", "the option is ambiguous: --n" }, /* --name, --nick, --needed */
        { "a b --needed x --count many", "'many' is no whole number" },
        { "a b --needed x --property p", "'p' is not <key=value>" },
        { "a b --needed x --nick jim", "'jim' is none of tom,tim" },
        { "a b --needed x --flag=yes", "--flag takes no value" },
        { "a b --needed x --os-bogus y", "no such option" },
    };
    struct arena *a = arena_new();
    struct cloud cloud = { { 0 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f;
        struct args args;

        assert_fault(parse(a, cases[i].line, &args, &cloud, &f), f, FAULT_INVALID,
                     cases[i].message);
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_cloud_options),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
