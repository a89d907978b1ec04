#include "reply.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "ratio_changes.h"

void
reply_cached(struct call *call, int64_t modified_us)
{
    if (!call_at_least(call, 1, 15))
        return;
    call_header(call, "Cache-Control", "no-cache");
    call_header(call, "Last-Modified",
                clock_format(call->arena, modified_us == 0 ? clock_now_us() : modified_us,
                             CLOCK_HTTP));
}

struct jsonw *
reply_json(struct call *call, int64_t modified_us)
{
    reply_cached(call, modified_us);
    return call_json(call);
}

/* What follows a media range in Accept: is its weight zero? */
static bool
is_refused(const char *parameters)
{
    const char *weight = strstr(parameters, "q=");

    return weight != NULL && weight < parameters + strcspn(parameters, ",") &&
           strtod(weight + 2, NULL) <= 0;
}

static int
not_acceptable(struct fault *f)
{
    return fault_raise(f, FAULT_NOT_ACCEPTABLE, "Only application/json is provided");
}

int
reply_check_accept(struct call *call, struct fault *f)
{
    const char *accept = http_header(call->request, "Accept");

    static const char *const ranges[] = { "application/json", "application/*", "*/*" };

    if (str_empty(accept))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        const char *at = strstr(accept, ranges[i]);

        if (at != NULL) /* The most specific one decides. */
            return is_refused(at + strlen(ranges[i])) ? not_acceptable(f) : 0;
    }
    return not_acceptable(f);
}

/* Group suffixes: numbers from 1.25, names of 1 to 64 characters from 1.33. */
static bool
is_suffix(const char *text, int version)
{
    size_t size = strlen(text);

    if (version < 1025)
        return false;
    if (version < 1033)
        return text[0] >= '1' && text[0] <= '9' && strspn(text, "0123456789") == size;
    return size <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == size;
}

static bool
takes(const struct query_key *key, const char *name, int version)
{
    size_t size = strlen(key->name);

    if (version < key->since || !str_starts(name, key->name))
        return false;
    return name[size] == '\0' || (key->suffixed && is_suffix(name + size, version));
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "'a', 'b'", each once, in order. */
static const char *
quote_names(struct call *call, const char **names, size_t count)
{
    _cleanup_(str_done) struct str out = { 0 };

    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_equal(names[i], names[i - 1]))
            str_addf(&out, "%s'%.100s'", i == 0 ? "" : ", ", names[i]);
    }
    return arena_strdup(call->arena, str_text(&out));
}

int
query_refuse(struct fault *f, const char *name, const char *keyword, const char *format, ...)
{
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (name == NULL)
        return fault_raise(
            f, FAULT_INVALID,
            "Invalid query string parameters: %s\n\nFailed validating '%s' in schema", what,
            keyword);
    return fault_raise(f, FAULT_INVALID,
                       "Invalid query string parameters: %s\n\nFailed validating '%s' in "
                       "schema['properties']['%.64s']",
                       what, keyword, name);
}

int
refuse_name(struct call *call, const char *path, const char *name, const char *pattern,
            struct fault *f)
{
    return fault_keyword(f, "additionalProperties",
                         fault_raise_field(f, arena_printf(call->arena, "%s.%.64s", path, name),
                                           "'%.255s' does not match any of the regexes: '%s'", name,
                                           pattern));
}

/* In the words that upstream's schemas lead to: where some keys are patterns, it is them that do not match. */
static int
unexpected(struct call *call, const struct query_key *keys, const char **names, size_t count,
           struct fault *f)
{
    _cleanup_(str_done) struct str patterns = { 0 };
    const char *suffix = call_at_least(call, 1, 33) ? "[a-zA-Z0-9_-]{1,64}" : "[1-9][0-9]*";
    const char *quoted = quote_names(call, names, count);
    bool several = strchr(quoted, ',') != NULL;

    for (; keys->name != NULL && call_at_least(call, 1, 25); keys++) {
        if (keys->suffixed && call->version >= keys->since)
            str_addf(&patterns, "%s'^%s(%s)?$'", patterns.size == 0 ? "" : ", ", keys->name,
                     suffix);
    }
    if (patterns.size > 0)
        return query_refuse(f, NULL, "additionalProperties",
                            "%s %s not match any of the regexes: %s", quoted,
                            several ? "do" : "does", str_text(&patterns));
    return query_refuse(f, NULL, "additionalProperties",
                        "Additional properties are not allowed (%s %s unexpected)", quoted,
                        several ? "were" : "was");
}

int
query_check(struct call *call, const struct query_key *keys, struct fault *f)
{
    const char **names = ARENA_ARRAY(call->arena, const char *, call->request->query_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < call->request->query_count; i++) {
        const char *name = call->request->query[i].name;
        const struct query_key *key = keys;

        while (key->name != NULL && !takes(key, name, call->version))
            key++;
        if (key->name == NULL)
            names[count++] = name;
    }
    return count == 0 ? 0 : unexpected(call, keys, names, count, f);
}

const char *
query_first(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->request->query_count; i++) {
        if (str_equal(call->request->query[i].name, name))
            return call->request->query[i].value == NULL ? "" : call->request->query[i].value;
    }
    return NULL;
}

const char *
query_last(const struct call *call, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < call->request->query_count; i++) {
        if (str_equal(call->request->query[i].name, name))
            value = call->request->query[i].value == NULL ? "" : call->request->query[i].value;
    }
    return value;
}

const char *
uuid_normal(struct arena *a, const char *text)
{
    char hex[33];
    size_t n = 0;

    if (!uuid_check_loose(text))
        return NULL;
    for (; *text != '\0' && n < 32; text++) {
        if (isxdigit((unsigned char)*text))
            hex[n++] = (char)tolower((unsigned char)*text);
    }
    hex[n] = '\0';
    return n < 32 ? NULL
                  : arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                                 hex + 20);
}

static int
no_provider(struct call *call, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "No resource provider with uuid %.100s found",
                       call_param(call, "uuid"));
}

int
provider_of_path(struct call *call, struct provider_row *ret, struct fault *f)
{
    int r = provider_find(call->db, call_param(call, "uuid"), ret, f);

    return r == 0 ? no_provider(call, f) : r;
}

int
provider_exists(struct call *call, struct fault *f)
{
    struct provider_row row;

    return provider_of_path(call, &row, f) < 0 ? -1 : 0;
}

int
provider_lock_path(struct call *call, struct db_tx *tx, struct provider_lock_row *ret,
                   struct fault *f)
{
    struct provider_lock_as_row row;
    int r = provider_lock_as(tx->db, call_param(call, "uuid"), ratio_actor(call), &row, f);

    if (r > 0)
        *ret = (struct provider_lock_row){ .id = row.id, .generation = row.generation };
    return r == 0 ? no_provider(call, f) : r;
}
