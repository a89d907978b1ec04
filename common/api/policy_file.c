/* Read event by event, so nothing of the document is built: anchors and aliases, which make a small file a
 * large document, are refused where they appear. */
#include "policy_file.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "../base/arena.h"
#include "../base/map.h"

#define RULES_MAX 10000

struct reading {
    const char *path;
    yaml_parser_t parser;
    struct arena *arena;
    struct map *seen;
    policy_file_fn *each;
    void *object;
};

static int _printf_(4, 5)
    refuse(const struct reading *r, size_t line, struct fault *f, const char *format, ...)
{
    char why[256];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return fault_raise(f, FAULT_INVALID, "%s:%zu: %s", r->path, line + 1, why);
}

static int
next_event(struct reading *r, yaml_event_t *ret, struct fault *f)
{
    if (!yaml_parser_parse(&r->parser, ret))
        return refuse(r, r->parser.problem_mark.line, f, "%s",
                      r->parser.problem != NULL ? r->parser.problem : "cannot be read");
    return 0;
}

/* The next scalar as text; 1: the map has ended. */
static int
next_text(struct reading *r, const char **ret, size_t *ret_line, struct fault *f)
{
    yaml_event_t event;
    int result = 0;

    result = next_event(r, &event, f);
    if (result < 0)
        return result;
    *ret_line = event.start_mark.line;
    if (event.type == YAML_MAPPING_END_EVENT)
        result = 1;
    else if (event.type != YAML_SCALAR_EVENT || event.data.scalar.anchor != NULL)
        result = refuse(r, *ret_line, f, "neither a rule's name nor its text");
    else if (memchr(event.data.scalar.value, '\0', event.data.scalar.length) != NULL)
        result = refuse(r, *ret_line, f, "NUL in a text");
    else
        *ret = arena_strndup(r->arena, (const char *)event.data.scalar.value,
                             event.data.scalar.length);
    yaml_event_delete(&event);
    return result;
}

static int
read_rules(struct reading *r, struct fault *f)
{
    for (;;) {
        const char *name, *rule;
        size_t line;
        int result = next_text(r, &name, &line, f);

        if (result != 0)
            return result < 0 ? result : 0;
        if (map_has(r->seen, name))
            return refuse(r, line, f, "rule %s comes twice", name);
        if (map_count(r->seen) == RULES_MAX)
            return refuse(r, line, f, "more than %d rules", RULES_MAX);
        map_set(r->seen, name, NULL);
        result = next_text(r, &rule, &line, f);
        if (result < 0)
            return result;
        result = r->each(r->object, name, rule, f);
        if (result < 0)
            return result;
    }
}

/* Stream, document, one map, and the same ends again. A file without a document overrides nothing. */
static int
read_document(struct reading *r, struct fault *f)
{
    static const yaml_event_type_t order[] = { YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                                               YAML_MAPPING_START_EVENT, YAML_DOCUMENT_END_EVENT,
                                               YAML_STREAM_END_EVENT };

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        yaml_event_t event;
        yaml_event_type_t type;
        size_t line;
        int result = next_event(r, &event, f);

        if (result < 0)
            return result;
        type = event.type;
        line = event.start_mark.line;
        if (type == YAML_SCALAR_EVENT && event.data.scalar.length == 0 &&
            order[i] == YAML_MAPPING_START_EVENT)
            type = YAML_NO_EVENT; /* "---" and nothing more. */
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT)
            return i == 1 || i == 2 || i + 1 == sizeof(order) / sizeof(order[0])
                       ? 0
                       : refuse(r, line, f, "ends too soon");
        if (type != order[i])
            return refuse(r, line, f, "not one map of rules");
        if (type == YAML_MAPPING_START_EVENT) {
            result = read_rules(r, f);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

int
policy_file_read(const char *path, policy_file_fn *each, void *object, struct fault *f)
{
    struct reading r = { .path = path, .each = each, .object = object };
    FILE *file = fopen(path, "re");
    int result;

    if (file == NULL)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    if (!yaml_parser_initialize(&r.parser)) {
        fclose(file);
        return fault_raise_cause(f, "%s: no YAML parser", path);
    }
    r.arena = arena_new();
    r.seen = map_new(NULL);
    yaml_parser_set_input_file(&r.parser, file);
    result = read_document(&r, f);
    yaml_parser_delete(&r.parser);
    map_free(r.seen);
    arena_free(r.arena);
    fclose(file);
    return result;
}
