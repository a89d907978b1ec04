/* Options may stand anywhere after the first word and be shortened to a unique beginning, "--name=value" is "--name value",
 * and what follows "--" is positional: as argparse has it, which the openstack client uses. */
#include "args.h"

#include "base/array.h"
#include "base/str.h"
#include "cloud.h"

const struct option args_global_options[] = {
    FLAG("--debug", NULL, "true", "Show requests and answers, without secrets"),
    FLAG("--help", NULL, "true", "Show how the command is used"),
    { .name = NULL },
};

#define FORMATS "table,json,value,csv,yaml,shell"

const struct option args_output_options[] = {
    OPT("-f", "<format>", NULL, "How the answer is printed", .choices = FORMATS),
    OPT("--format", "<format>", NULL, "The same", .choices = FORMATS),
    OPT("-c", "<column>", NULL, "Print this column only; repeat for more", .repeat = true),
    OPT("--column", "<column>", NULL, "The same", .repeat = true),
    OPT("--variable", "<column>", NULL, "The same", .repeat = true),
    OPT("--prefix", "<prefix>", NULL, "What the names of shell variables begin with"),
    FLAG("--noindent", NULL, "true", "JSON on one line"),
    OPT_INT("--max-width", "<columns>", NULL, "Width of the table (default: the terminal's)"),
    { .name = NULL },
};

const struct option args_list_options[] = {
    OPT("--sort-column", "<column>", NULL, "Sort by this column; repeat for more", .repeat = true),
    FLAG("--sort-ascending", NULL, "true", "Smallest first (the default)"),
    FLAG("--sort-descending", NULL, "true", "Largest first"),
    { .name = NULL },
};

struct parse {
    const struct option *tables[4];
    size_t tables_count;
    struct arena *arena;
    struct args *ret;
    struct fault *fault;
};

static bool
is_positional(const struct option *o)
{
    return o->name[0] == '<';
}

bool
args_is_cloud_option(const char *word)
{
    return str_starts(word, "--os-");
}

/* The option that 'name' (of 'size' characters) says or shortens; NULL with a fault. */
static const struct option *
find(struct parse *p, const char *name, size_t size)
{
    const struct option *found = NULL;
    size_t count = 0;

    for (size_t t = 0; t < p->tables_count; t++) {
        for (const struct option *o = p->tables[t]; o->name != NULL; o++) {
            if (is_positional(o) || strncmp(o->name, name, size) != 0)
                continue;
            if (o->name[size] == '\0')
                return o;
            if (size > 2) {
                count++;
                found = o;
            }
        }
    }
    if (count == 1)
        return found;
    fault_raise(p->fault, FAULT_INVALID,
                count == 0 ? "no such option: %.*s" : "the option is ambiguous: %.*s", (int)size,
                name);
    return NULL;
}

static bool
is_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);

    for (const char *at = choices; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, ",");

        if (n == size && strncasecmp(at, text, n) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static int
add(struct parse *p, const struct option *o, const char *text)
{
    int64_t integer;
    double number;
    struct arg *arg;

    if (o->choices != NULL && !is_choice(o->choices, text))
        return fault_raise(p->fault, FAULT_INVALID, "%s: '%s' is none of %s", o->name, text,
                           o->choices);
    if (o->type == OPTION_INTEGER && str_to_int64(text, INT64_MIN, INT64_MAX, &integer) < 0)
        return fault_raise(p->fault, FAULT_INVALID, "%s: '%s' is no whole number", o->name, text);
    if (o->type == OPTION_NUMBER && str_to_double(text, &number) < 0)
        return fault_raise(p->fault, FAULT_INVALID, "%s: '%s' is no number", o->name, text);
    if ((o->type == OPTION_PAIRS || o->type == OPTION_PARTS) && strchr(text, '=') == NULL)
        return fault_raise(p->fault, FAULT_INVALID, "%s: '%s' is not %s", o->name, text,
                           o->value != NULL ? o->value : "key=value");
    arg = ARRAY_PUSH(p->arena, p->ret->items, p->ret->count, p->ret->capacity);
    arg->option = o;
    arg->text = text;
    return 0;
}

/* Positionals are given out when all are known: one that repeats, or may be left out, takes what the others leave. */
static int
place(struct parse *p, const struct command *command, const char *const *words, size_t count)
{
    size_t required = 0, at = 0;

    for (const struct option *o = command->options; o != NULL && o->name != NULL; o++)
        required += is_positional(o) && !o->optional;
    for (const struct option *o = command->options; o != NULL && o->name != NULL; o++) {
        size_t spare = count - at > required ? count - at - required : 0, take = 0;

        if (!is_positional(o))
            continue;
        if (!o->optional) {
            if (at == count)
                return fault_raise(p->fault, FAULT_INVALID, "%s is missing", o->name);
            required--;
            take = o->repeat ? 1 + spare : 1;
        } else if (spare > 0) {
            take = o->repeat ? spare : 1;
        }
        for (; take > 0; take--) {
            if (add(p, o, words[at++]) < 0)
                return -1;
        }
    }
    return at == count ? 0 : fault_raise(p->fault, FAULT_INVALID, "what is '%s'?", words[at]);
}

static int
check_required(struct parse *p, const struct command *command)
{
    for (const struct option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (o->required && !args_has(p->ret, o->name))
            return fault_raise(p->fault, FAULT_INVALID, "%s is required", o->name);
    }
    return 0;
}

int
args_parse(struct arena *a, const struct command *command, const char *const *words, size_t count,
           int (*on_cloud)(void *owner, const char *name, const char *value), void *owner,
           struct args *ret, struct fault *f)
{
    struct parse p = {
        .tables = { args_global_options }, .tables_count = 1, .arena = a, .ret = ret, .fault = f
    };
    const char **free_words = ARENA_ARRAY(a, const char *, count + 1);
    size_t free_count = 0;
    bool options_end = false;

    if (command != NULL && command->options != NULL)
        p.tables[p.tables_count++] = command->options;
    if (command != NULL) {
        p.tables[p.tables_count++] = args_output_options;
        p.tables[p.tables_count++] = args_list_options;
    }
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i], *equals;
        const struct option *o;
        size_t size;

        if (options_end || word[0] != '-' || word[1] == '\0') {
            free_words[free_count++] = word;
            continue;
        }
        if (str_equal(word, "--")) {
            options_end = true;
            continue;
        }
        if (str_equal(word, "-h"))
            word = "--help";
        equals = str_starts(word, "--") ? strchr(word, '=') : NULL;
        size = equals != NULL ? (size_t)(equals - word) : strlen(word);
        if (args_is_cloud_option(word)) {
            const char *value = equals != NULL ? equals + 1 : i + 1 < count ? words[i + 1] : NULL;

            /* What is no key of the cloud may be the command's own: image set --os-version. */
            if (value != NULL &&
                on_cloud(owner, arena_strndup(a, word + 2, size - 2), value) >= 0) {
                i += equals == NULL;
                continue;
            }
        }
        if (!str_starts(word, "--") && size > 2 && (o = find(&p, word, 2)) != NULL &&
            o->type != OPTION_FLAG) {
            if (add(&p, o, word + 2) < 0) /* -fjson */
                return -1;
            continue;
        }
        o = find(&p, word, size);
        if (o == NULL)
            return -1;
        if (o->type == OPTION_FLAG) {
            if (equals != NULL)
                return fault_raise(f, FAULT_INVALID, "%s takes no value", o->name);
            if (add(&p, o, "") < 0)
                return -1;
        } else if (equals == NULL && i + 1 == count) {
            return fault_raise(f, FAULT_INVALID, "%s needs a value", o->name);
        } else if (add(&p, o, equals != NULL ? equals + 1 : words[++i]) < 0) {
            return -1;
        }
    }
    if (command == NULL || args_has(ret, "--help"))
        return 0;
    if (place(&p, command, free_words, free_count) < 0)
        return -1;
    return check_required(&p, command);
}

const char *
args_nth(const struct args *args, const char *name, size_t n)
{
    for (size_t i = 0; i < args->count; i++) {
        if (str_equal(args->items[i].option->name, name) && n-- == 0)
            return args->items[i].text;
    }
    return NULL;
}

const char *
args_get(const struct args *args, const char *name)
{
    for (size_t i = args->count; i-- > 0;) {
        if (str_equal(args->items[i].option->name, name))
            return args->items[i].text;
    }
    return NULL;
}

bool
args_has(const struct args *args, const char *name)
{
    return args_get(args, name) != NULL;
}
