/* One group: resources, required, member_of, in_tree. */
#include "base/array.h"
#include "base/str.h"
#include "base/uuid.h"
#include "reply.h"
#include "request.h"

static void
add(struct arena *a, struct texts *list, size_t *capacity, const char *text)
{
    *ARRAY_PUSH(a, list->items, list->count, *capacity) = text;
}

const char *
request_strip(struct arena *a, const char *text)
{
    size_t size;

    text += strspn(text, " \t");
    size = strlen(text);
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return arena_strndup(a, text, size);
}

/* --- resources */

#define RESOURCES_FORM                                                                             \
    "Badly formed resources parameter. Expected resources query string parameter in form: "        \
    "?resources=VCPU:2,MEMORY_MB:1024. "

/* What Python takes for an integer: blanks around it, a sign, and single '_' between digits. Too large is as good as the largest. */
static bool
read_amount(struct arena *a, const char *text, int64_t *ret)
{
    char *digits = arena_strdup(a, request_strip(a, text)), *to = digits;
    bool negative = digits[0] == '-', between = false;

    for (const char *c = digits + (digits[0] == '-' || digits[0] == '+'); *c != '\0'; c++) {
        if (*c == '_' ? !between || c[1] == '\0' || c[1] == '_' : *c < '0' || *c > '9')
            return false;
        between = true;
        if (*c != '_')
            *to++ = *c;
    }
    if (!between)
        return false;
    *to = '\0';
    if (str_to_int64(digits, 0, INT64_MAX, ret) < 0)
        *ret = INT64_MAX;
    if (negative)
        *ret = -*ret;
    return true;
}

static int
parse_amount(struct arena *a, const char *name, const char *text, int64_t *ret, struct fault *f)
{
    int64_t amount;

    if (!read_amount(a, text, &amount))
        return fault_raise(
            f, FAULT_INVALID,
            "Requested resource %.255s expected positive integer amount. Got: %.100s.", name, text);
    if (amount < 1)
        return fault_raise(f, FAULT_INVALID,
                           "Requested resource %.255s requires amount >= 1. Got: %lld.", name,
                           (long long)amount);
    *ret = amount;
    return 0;
}

static int
parse_resources(struct arena *a, const char *text, struct request_group *g, struct fault *f)
{
    size_t count, at;
    char **parts = str_split(a, text, ',', &count);

    if (*request_strip(a, text) == '\0')
        return fault_raise(f, FAULT_INVALID, RESOURCES_FORM "Got: empty string.");
    g->wants_count = 0;
    for (size_t i = 0; i < count; i++) {
        char *colon = strchr(parts[i], ':');
        int64_t amount = 0;

        if (colon == NULL || strchr(colon + 1, ':') != NULL)
            return fault_raise(f, FAULT_INVALID, RESOURCES_FORM "Got: %.255s.", parts[i]);
        *colon = '\0';
        if (parse_amount(a, parts[i], colon + 1, &amount, f) < 0)
            return -1;
        for (at = 0; at < g->wants_count && !str_equal(g->wants[at].class_name, parts[i]); at++)
            ;
        if (at == g->wants_count)
            (void)ARRAY_PUSH(a, g->wants, g->wants_count, g->wants_capacity);
        g->wants[at] = (struct request_want){ parts[i], amount };
    }
    return 0;
}

/* --- required */

#define REQUIRED "Invalid query string parameters: "

static int
parse_any(struct arena *a, const char *value, struct request_group *g, struct fault *f)
{
    struct texts names = { 0 };
    char **parts = str_split(a, value + strlen("in:"), ',', &names.count);

    names.items = ARENA_ARRAY(a, const char *, names.count + 1);
    for (size_t i = 0; i < names.count; i++) {
        names.items[i] = request_strip(a, parts[i]);
        if (names.items[i][0] == '\0')
            return fault_raise(
                f, FAULT_INVALID,
                REQUIRED
                "Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. "
                "Got an empty trait in: %.255s",
                value);
        if (names.items[i][0] == '!')
            return fault_raise(
                f, FAULT_INVALID,
                REQUIRED
                "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits. "
                "Got: %.255s",
                value);
    }
    if (names.count == 0)
        return fault_raise(
            f, FAULT_INVALID,
            REQUIRED
            "Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. "
            "Got an empty trait in: %.255s",
            value);
    *ARRAY_PUSH(a, g->required, g->required_count, g->required_capacity) = names;
    return 0;
}

static int
parse_required(struct call *call, const char *value, struct request_group *g, struct fault *f)
{
    bool may_forbid = call_at_least(call, 1, 22);
    struct arena *a = call->arena;
    size_t count;
    char **parts = str_split(a, value, ',', &count);

    if (str_starts(value, "in:")) {
        if (!call_at_least(call, 1, 39))
            return fault_raise(
                f, FAULT_INVALID,
                REQUIRED
                "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion "
                "1.39. Got: %.255s",
                value);
        return parse_any(a, value, g, f);
    }
    for (size_t i = 0; i < MAX(count, (size_t)1); i++) {
        const char *name = count == 0 ? "" : request_strip(a, parts[i]);
        bool forbidden = name[0] == '!';
        struct texts one = { .items = ARENA_ARRAY(a, const char *, 1), .count = 1 };

        name += strspn(name, "!"); /* However many: so does upstream. */
        if (name[0] == '\0')
            return fault_raise(
                f, FAULT_INVALID,
                REQUIRED
                "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,%sCUSTOM_MAGIC. "
                "Got an empty trait in: %.255s",
                may_forbid ? "!" : "", value);
        if (forbidden && !may_forbid)
            return fault_raise(
                f, FAULT_INVALID,
                REQUIRED
                "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. "
                "Got: %.255s",
                value);
        one.items[0] = name;
        if (forbidden)
            add(a, &g->forbidden, &g->forbidden_capacity, name);
        else
            *ARRAY_PUSH(a, g->required, g->required_count, g->required_capacity) = one;
    }
    return 0;
}

/* --- member_of */

static int
parse_member_of(struct call *call, const char *key, const char *value, struct request_group *g,
                struct fault *f)
{
    bool forbidden = value[0] == '!';
    const char *text = forbidden ? value + 1 : value;
    struct texts uuids = { 0 };
    char **parts;

    if (strchr(value, ',') != NULL && !str_starts(text, "in:"))
        return fault_raise(f, FAULT_INVALID,
                           "Multiple values for 'member_of' must be prefixed with the 'in:' or "
                           "'!in:' keyword using the "
                           "valid microversion. Got: %.255s",
                           value);
    if (str_starts(text, "in:"))
        text += strlen("in:");
    parts = str_split(call->arena, text, ',', &uuids.count);
    uuids.items = ARENA_ARRAY(call->arena, const char *, uuids.count + 1);
    for (size_t i = 0; i < MAX(uuids.count, (size_t)1); i++) {
        const char *part = uuids.count == 0 ? "" : parts[i];

        uuids.items[i] = part;
        if (!uuid_check_loose(part))
            return fault_raise(f, FAULT_INVALID,
                               "Invalid query string parameters: Expected 'member_of' parameter to "
                               "contain valid UUID(s). "
                               "Got: %.100s",
                               part);
    }
    if (!forbidden) {
        *ARRAY_PUSH(call->arena, g->member_of, g->member_of_count, g->member_of_capacity) = uuids;
        return 0;
    }
    if (!call_at_least(call, 1, 32))
        return fault_raise(
            f, FAULT_INVALID,
            "Forbidden %.80s parameters are not supported in the specified microversion", key);
    for (size_t i = 0; i < uuids.count; i++)
        add(call->arena, &g->forbidden_aggregates, &g->forbidden_aggregates_capacity,
            uuids.items[i]);
    return 0;
}

/* --- All of one suffix */

/* The values of a parameter; NULL, ends them. */
static const char *
next_value(const struct call *call, const char *key, size_t *at)
{
    while (*at < call->request->query_count) {
        const struct http_pair *pair = &call->request->query[(*at)++];

        if (str_equal(pair->name, key))
            return pair->value == NULL ? "" : pair->value;
    }
    return NULL;
}

static int
parse_all_required(struct call *call, const char *key, struct request_group *g, struct fault *f)
{
    const char *value;
    size_t at = 0;

    if (!call_at_least(call, 1, 39)) { /* Repeated: the last one counts. */
        value = query_last(call, key);
        return value == NULL ? 0 : parse_required(call, value, g, f);
    }
    while ((value = next_value(call, key, &at)) != NULL) {
        if (parse_required(call, value, g, f) < 0)
            return -1;
    }
    return 0;
}

static int
parse_all_member_of(struct call *call, const char *key, struct request_group *g, struct fault *f)
{
    size_t at = 0, count = 0;
    const char *value;

    while ((value = next_value(call, key, &at)) != NULL) {
        if (++count > 1 && !call_at_least(call, 1, 24))
            return fault_raise(f, FAULT_INVALID, "Multiple %.80s parameters are not supported",
                               key);
        if (parse_member_of(call, key, value, g, f) < 0)
            return -1;
    }
    return 0;
}

int
request_parse_group(struct call *call, const char *suffix, struct request_group *ret,
                    struct fault *f)
{
    struct request_group g = { .suffix = suffix == NULL ? "" : suffix };
    const char *resources = query_last(call, arena_printf(call->arena, "resources%s", g.suffix));
    const char *in_tree = query_last(call, arena_printf(call->arena, "in_tree%s", g.suffix));

    if (parse_all_member_of(call, arena_printf(call->arena, "member_of%s", g.suffix), &g, f) < 0)
        return -1;
    if (parse_all_required(call, arena_printf(call->arena, "required%s", g.suffix), &g, f) < 0)
        return -1;
    if (resources != NULL && parse_resources(call->arena, resources, &g, f) < 0)
        return -1;
    if (in_tree != NULL) {
        g.in_tree = request_strip(call->arena, in_tree);
        if (!uuid_check_loose(g.in_tree))
            return fault_raise(f, FAULT_INVALID,
                               "Invalid query string parameters: Expected 'in_tree' parameter to "
                               "be a format of uuid. "
                               "Got: %.100s",
                               in_tree);
    }
    *ret = g;
    return 0;
}
