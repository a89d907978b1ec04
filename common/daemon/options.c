#include "options.h"

#include "../base/array.h"
#include "../base/str.h"

/* The value of an option: "--name value" or "--name=value"; NULL when argv[*at] is another
 * option. */
static const char *
value_of(const char *name, int argc, char **argv, int *at, bool *ret_missing)
{
    const char *word = argv[*at];
    size_t size = strlen(name);

    if (strncmp(word, name, size) != 0)
        return NULL;
    if (word[size] == '=')
        return word + size + 1;
    if (word[size] != '\0')
        return NULL;
    if (*at + 1 == argc) {
        *ret_missing = true;
        return NULL;
    }
    return argv[++*at];
}

static bool
is_action(const char *word, enum daemon_action *ret)
{
    static const struct {
        const char *name;
        enum daemon_action action;
    } actions[] = {
        { "--help", DAEMON_HELP },
        { "-h", DAEMON_HELP },
        { "--version", DAEMON_VERSION },
        { "--sample-config", DAEMON_SAMPLE_CONFIG },
        { "--check-config", DAEMON_CHECK_CONFIG },
    };

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (str_equal(word, actions[i].name)) {
            *ret = actions[i].action;
            return true;
        }
    }
    return false;
}

int
options_parse(struct arena *a, int argc, char **argv, struct daemon_options *ret, struct fault *f)
{
    struct daemon_options o = { .action = DAEMON_SERVE };
    size_t capacity = 0;

    o.words = ARENA_ARRAY(a, char *, (size_t)argc + 1);
    for (int i = 1; i < argc; i++) {
        bool missing = false;
        const char *value;

        value = value_of("--config", argc, argv, &i, &missing);
        if (value != NULL) {
            o.config_file = value;
            continue;
        }
        value = missing ? NULL : value_of("--set", argc, argv, &i, &missing);
        if (value != NULL) {
            *ARRAY_PUSH(a, o.overrides, o.overrides_count, capacity) = value;
            continue;
        }
        if (missing)
            return fault_raise(f, FAULT_INVALID, "%s needs a value", argv[i]);
        if (is_action(argv[i], &o.action))
            continue;
        if (o.command != NULL)
            o.words[o.words_count++] = argv[i];
        else if (argv[i][0] == '-')
            return fault_raise(f, FAULT_INVALID, "unknown option %s; see --help", argv[i]);
        else
            o.command = argv[i];
    }
    if (o.command != NULL && o.action == DAEMON_SERVE)
        o.action = DAEMON_COMMAND;
    *ret = o;
    return 0;
}
