/* The file is read into an arena that is never freed: a daemon's configuration points into it for as long
 * as the process lives, and a reload adds another one. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>

#include "arena.h"
#include "array.h"
#include "str.h"

#define LARGEST_FILE ((size_t)1024 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena *kept GUARDED_BY(lock);

/* One load: where we are, for messages. */
struct load {
    struct arena *arena;
    const struct config_key *keys;
    size_t count;
    bool *given;
    void *ret;
    char place[256]; /* "file:12: " */
};

static void
file_close(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

/* The whole file as text, without what 'what' calls too much. */
static int
read_file(struct arena *a, const char *path, char **ret, struct fault *f)
{
    _cleanup_(file_close) FILE *file = fopen(path, "re");
    _cleanup_(str_done) struct str text = { 0 };
    char part[4096];
    size_t n;

    if (file == NULL)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    while ((n = fread(part, 1, sizeof(part), file)) > 0 && text.size <= LARGEST_FILE)
        str_add_n(&text, part, n);
    if (ferror(file))
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    if (text.size > LARGEST_FILE)
        return fault_raise(f, FAULT_INVALID, "%s: larger than %zu bytes", path, LARGEST_FILE);
    if (text.size > 0 && !str_is_utf8(text.data, text.size))
        return fault_raise(f, FAULT_INVALID, "%s: is not UTF-8 text", path);
    *ret = arena_strndup(a, str_text(&text), text.size);
    explicit_bzero(part, sizeof(part));
    return 0;
}

/* 'text' without the white space around it; changes it. */
static char *
trim(char *text)
{
    size_t size;

    text += strspn(text, " \t\r");
    size = strlen(text);
    while (size > 0 && strchr(" \t\r", text[size - 1]) != NULL)
        size--;
    text[size] = '\0';
    return text;
}

static int _printf_(4, 5) refuse(const struct load *l, const struct config_key *key,
                                 struct fault *f, const char *format, ...)
{
    char field[128], why[512];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    snprintf(field, sizeof(field), "%s.%s", key->section, key->name);
    return fault_raise_field(f, field, "%s[%s] %s: %s", l->place, key->section, key->name, why);
}

static int
set_number(const struct load *l, const struct config_key *key, const char *text, void *member,
           struct fault *f)
{
    bool bounded = key->min != 0 || key->max != 0;
    double number;
    int r;

    if (key->type == CONFIG_INT) {
        int64_t whole;

        r = str_to_int64(text, INT64_MIN, INT64_MAX, &whole);
        if (r == 0)
            *(int64_t *)member = whole;
        number = r == 0 ? (double)whole : 0;
    } else {
        r = str_to_double(text, &number);
        if (r == 0)
            *(double *)member = number;
    }
    if (r < 0)
        return refuse(l, key, f, "'%s' is not a %snumber", text,
                      key->type == CONFIG_INT ? "whole " : "");
    if (bounded && key->max < key->min && number < key->min)
        return refuse(l, key, f, "%s is less than %.15g", text, key->min);
    if (bounded && key->max >= key->min && (number < key->min || number > key->max))
        return refuse(l, key, f, "%s is not between %.15g and %.15g", text, key->min, key->max);
    return 0;
}

static const char **
make_list(struct arena *a, const char *text)
{
    size_t count, used = 0;
    char **parts = str_split(a, text, ',', &count);
    const char **list = ARENA_ARRAY(a, const char *, count + 1);

    for (size_t i = 0; i < count; i++) {
        char *part = trim(parts[i]);

        if (!str_empty(part))
            list[used++] = part;
    }
    return list;
}

static int
read_secret(const struct load *l, const struct config_key *key, const char *path, const char **ret,
            struct fault *f)
{
    struct fault why = { 0 };
    char *text;
    size_t size;

    if (read_file(l->arena, path, &text, &why) < 0)
        return refuse(l, key, f, "%s", why.message);
    size = strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = '\0';
    *ret = text;
    return 0;
}

/* 'text' lives in the arena. */
static int
set(const struct load *l, const struct config_key *key, const char *text, struct fault *f)
{
    void *member = (char *)l->ret + key->offset;

    l->given[key - l->keys] = true;
    switch (key->type) {
    case CONFIG_SECRET:
        if (str_starts(text, "file:"))
            return read_secret(l, key, text + strlen("file:"), member, f);
        *(const char **)member = text;
        return 0;
    case CONFIG_TEXT:
        *(const char **)member = text;
        return 0;
    case CONFIG_INT:
    case CONFIG_NUMBER:
        return set_number(l, key, text, member, f);
    case CONFIG_BOOL:
        if (str_to_bool(text, member) < 0)
            return refuse(l, key, f, "'%s' is neither true nor false", text);
        return 0;
    case CONFIG_LIST:
        *(const char ***)member = make_list(l->arena, text);
        return 0;
    }
    return 0;
}

static const struct config_key *
find_key(const struct load *l, const char *section, const char *name, bool *ret_section)
{
    *ret_section = false;
    for (size_t i = 0; i < l->count; i++) {
        if (!str_equal(l->keys[i].section, section))
            continue;
        *ret_section = true;
        if (str_equal(l->keys[i].name, name))
            return &l->keys[i];
    }
    return NULL;
}

static int
set_named(const struct load *l, const char *section, const char *name, const char *value,
          struct fault *f)
{
    bool section_known;
    const struct config_key *key = find_key(l, section, name, &section_known);

    if (!section_known)
        return fault_raise_field(f, section, "%sunknown section [%s]", l->place, section);
    if (key == NULL)
        return fault_raise_field(f, name, "%sunknown key '%s' in section [%s]", l->place, name,
                                 section);
    return set(l, key, value, f);
}

static int
read_line(const struct load *l, char *line, const char **section, struct fault *f)
{
    char *equals, *name;
    size_t size;

    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    size = strlen(line);
    if (*line == '[') {
        bool known;

        if (line[size - 1] != ']')
            return fault_raise(f, FAULT_INVALID, "%ssection without ']'", l->place);
        line[size - 1] = '\0';
        *section = trim(line + 1);
        find_key(l, *section, "", &known);
        if (!known)
            return fault_raise_field(f, *section, "%sunknown section [%s]", l->place, *section);
        return 0;
    }
    equals = strchr(line, '=');
    if (equals == NULL)
        return fault_raise(f, FAULT_INVALID, "%sneither '[section]' nor 'key = value'", l->place);
    *equals = '\0';
    name = trim(line);
    if (*section == NULL)
        return fault_raise(f, FAULT_INVALID, "%skey '%s' before any [section]", l->place, name);
    return set_named(l, *section, name, trim(equals + 1), f);
}

static int
read_lines(struct load *l, const char *path, struct fault *f)
{
    const char *section = NULL;
    char *text, *line;
    int number = 0;
    int r;

    r = read_file(l->arena, path, &text, f);
    if (r < 0)
        return r;
    while ((line = strsep(&text, "\n")) != NULL) {
        snprintf(l->place, sizeof(l->place), "%s:%d: ", path, ++number);
        r = read_line(l, line, &section, f);
        if (r < 0)
            return r;
    }
    return 0;
}

static int
apply_override(struct load *l, const char *override, struct fault *f)
{
    char *section = arena_strdup(l->arena, override);
    char *value = strchr(section, '=');
    char *name = strchr(section, '.');

    if (value == NULL || name == NULL || name > value)
        return fault_raise(f, FAULT_INVALID, "--set wants section.key=value");
    *value++ = '\0';
    *name++ = '\0';
    snprintf(l->place, sizeof(l->place), "--set: ");
    return set_named(l, trim(section), trim(name), trim(value), f);
}

static int
apply_fallbacks(struct load *l, struct fault *f)
{
    snprintf(l->place, sizeof(l->place), "built-in: ");
    for (size_t i = 0; i < l->count; i++) {
        int r;

        if (l->keys[i].fallback == NULL)
            continue;
        r = set(l, &l->keys[i], arena_strdup(l->arena, l->keys[i].fallback), f);
        if (r < 0)
            return r;
    }
    return 0;
}

static int
load(struct load *l, const char *path, const char *const *overrides, size_t overrides_count,
     struct fault *f)
{
    int r;

    r = apply_fallbacks(l, f);
    if (r < 0)
        return r;
    if (path != NULL) {
        r = read_lines(l, path, f);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < overrides_count; i++) {
        r = apply_override(l, overrides[i], f);
        if (r < 0)
            return r;
    }
    l->place[0] = '\0';
    for (size_t i = 0; i < l->count; i++) {
        if (!l->given[i])
            return refuse(l, &l->keys[i], f, "must be given");
    }
    return 0;
}

int
config_load(const struct config_key *keys, size_t count, const char *path,
            const char *const *overrides, size_t overrides_count, void *ret, struct fault *f)
{
    struct load l = { .keys = keys, .count = count, .ret = ret };
    int r;

    pthread_mutex_lock(&lock);
    if (kept == NULL)
        kept = arena_new();
    l.arena = kept;
    l.given = ARENA_ARRAY(l.arena, bool, count);
    r = load(&l, path, overrides, overrides_count, f);
    pthread_mutex_unlock(&lock);
    return r;
}
