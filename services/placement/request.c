/* All groups of a request for candidates, and what concerns the request as a whole. */
#include "request.h"

#include "base/array.h"
#include "base/str.h"
#include "http/url.h"
#include "reply.h"

static const struct query_key keys[] = {
    { "in_tree", 1031, true },
    { "member_of", 1021, true },
    { "required", 1017, true },
    { "resources", 1010, true },
    { "limit", 1016, false },
    { "group_policy", 1025, false },
    { "root_required", 1035, false },
    { "same_subtree", 1036, false },
    { NULL, 0, false },
};

static const char *const group_keys[] = { "resources", "required", "member_of", "in_tree" };

static const struct request_group *
find_group(const struct request *r, const char *suffix)
{
    for (size_t i = 0; i < r->groups_count; i++) {
        if (str_equal(r->groups[i].suffix, suffix))
            return &r->groups[i];
    }
    return NULL;
}

/* In order of their appearance. */
static int
parse_groups(struct call *call, struct request *r, struct fault *f)
{
    for (size_t i = 0; i < call->request->query_count; i++) {
        const char *name = call->request->query[i].name;

        for (size_t k = 0; k < ARRAY_SIZE(group_keys); k++) {
            const char *suffix = name + strlen(group_keys[k]);
            struct request_group g;

            if (!str_starts(name, group_keys[k]) || find_group(r, suffix) != NULL)
                continue;
            if (request_parse_group(call, suffix, &g, f) < 0)
                return -1;
            *ARRAY_PUSH(call->arena, r->groups, r->groups_count, r->groups_capacity) = g;
            break;
        }
    }
    return 0;
}

/* --- Parameters of the whole */

static int
parse_limit(struct call *call, struct request *r, struct fault *f)
{
    const char *texts[] = { query_last(call, "limit"), query_first(call, "limit") };

    for (size_t i = 0; texts[0] != NULL && i < ARRAY_SIZE(texts); i++) {
        const char *text = texts[i];

        if (text[0] < '1' || text[0] > '9' || text[strspn(text, "0123456789")] != '\0')
            return query_refuse(f, "limit", "pattern", "'%.100s' does not match '^[1-9][0-9]*$'",
                                text);
        if (str_to_int64(text, 1, INT64_MAX, &r->limit) < 0)
            r->limit = INT64_MAX;
    }
    return 0;
}

static int
parse_policy(struct call *call, struct request *r, struct fault *f)
{
    const char *texts[] = { query_last(call, "group_policy"), query_first(call, "group_policy") };

    for (size_t i = 0; texts[0] != NULL && i < ARRAY_SIZE(texts); i++) {
        if (!str_equal(texts[i], "none") && !str_equal(texts[i], "isolate"))
            return query_refuse(f, "group_policy", "enum",
                                "'%.100s' is not one of ['none', 'isolate']", texts[i]);
    }
    r->isolate = str_equal(texts[1], "isolate");
    return 0;
}

static bool
contains(const struct texts *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i], text))
            return true;
    }
    return false;
}

static int
parse_root_required(struct call *call, struct request *r, struct fault *f)
{
    const char *text = NULL;
    size_t count, given = 0, required = 0, forbidden = 0;
    char **parts;

    for (size_t i = 0; i < call->request->query_count; i++) {
        if (!str_equal(call->request->query[i].name, "root_required"))
            continue;
        text = call->request->query[i].value == NULL ? "" : call->request->query[i].value;
        given++;
    }
    if (given > 1)
        return fault_raise_code(f, FAULT_INVALID, CODE_QUERY_DUPLICATE,
                                "Query parameter 'root_required' may be specified only once.");
    if (text == NULL)
        return 0;
    if (str_starts(text, "in:"))
        return fault_raise(f, FAULT_INVALID,
                           "Invalid query string parameters: The format "
                           "'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported "
                           "since microversion 1.39. Got: %.255s",
                           text);
    parts = str_split(call->arena, text, ',', &count);
    for (size_t i = 0; i < MAX(count, (size_t)1); i++) {
        const char *name = count == 0 ? "" : request_strip(call->arena, parts[i]);
        bool forbid = name[0] == '!';

        name += strspn(name, "!");
        if (name[0] == '\0')
            return fault_raise(
                f, FAULT_INVALID,
                "Invalid query string parameters: Expected 'required' parameter value of the form: "
                "HW_CPU_X86_VMX,!CUSTOM_MAGIC. Got an empty trait in: %.255s",
                text);
        if (forbid)
            *ARRAY_PUSH(call->arena, r->root_forbidden.items, r->root_forbidden.count, forbidden) =
                name;
        else
            *ARRAY_PUSH(call->arena, r->root_required.items, r->root_required.count, required) =
                name;
    }
    for (size_t i = 0; i < r->root_required.count; i++) {
        if (contains(&r->root_forbidden, r->root_required.items[i]))
            return fault_raise_code(
                f, FAULT_INVALID, CODE_QUERY_BAD_VALUE,
                "Conflicting required and forbidden traits found in root_required: %.255s",
                r->root_required.items[i]);
    }
    return 0;
}

static int
parse_subtrees(struct call *call, struct request *r, struct fault *f)
{
    size_t capacity = 0;

    for (size_t i = 0; i < call->request->query_count; i++) {
        const char *value = call->request->query[i].value;
        struct texts *list;

        if (!str_equal(call->request->query[i].name, "same_subtree"))
            continue;
        list = ARRAY_PUSH(call->arena, r->same_subtrees, r->same_subtrees_count, capacity);
        list->items =
            (const char **)str_split(call->arena, value == NULL ? "" : value, ',', &list->count);
        for (size_t k = 0; k < list->count; k++)
            list->items[k] = request_strip(call->arena, list->items[k]);
        if (list->count == 0 || contains(list, ""))
            return fault_raise_code(
                f, FAULT_INVALID, CODE_QUERY_BAD_VALUE,
                "Empty string (unsuffixed group) can not be specified in `same_subtree` ");
    }
    return 0;
}

/* --- Checks of the whole */

static bool
in_subtrees(const struct request *r, const char *suffix)
{
    for (size_t i = 0; i < r->same_subtrees_count; i++) {
        if (contains(&r->same_subtrees[i], suffix))
            return true;
    }
    return false;
}

static const char *
list_suffixes(struct call *call, const struct request *r)
{
    _cleanup_(str_done) struct str out = { 0 };

    for (size_t i = 0; i < r->groups_count; i++)
        str_addf(&out, "%s'%.64s'", i == 0 ? "" : ", ", r->groups[i].suffix);
    return arena_strdup(call->arena, str_text(&out));
}

/* From 1.36: a group without resources stands for a provider that same_subtree speaks of. */
static int
check_subtrees(struct call *call, const struct request *r, struct fault *f)
{
    size_t resourceless = 0;

    for (size_t i = 0; i < r->groups_count; i++)
        resourceless += r->groups[i].wants_count == 0;
    if (resourceless == r->groups_count)
        return fault_raise_code(f, FAULT_INVALID, CODE_QUERY_MISSING,
                                "There must be at least one resources or resources[$S] parameter.");
    for (size_t i = 0; i < r->groups_count; i++) {
        if (r->groups[i].wants_count == 0 && !in_subtrees(r, r->groups[i].suffix))
            return fault_raise_code(f, FAULT_INVALID, CODE_QUERY_BAD_VALUE,
                                    "Resourceless suffixed group request should be specified in "
                                    "`same_subtree` query param: bad group(s) - ['%.64s'].",
                                    r->groups[i].suffix);
    }
    for (size_t i = 0; i < r->same_subtrees_count; i++) {
        for (size_t k = 0; k < r->same_subtrees[i].count; k++) {
            if (find_group(r, r->same_subtrees[i].items[k]) == NULL)
                return fault_raise_code(f, FAULT_INVALID, CODE_QUERY_BAD_VALUE,
                                        "Real suffixes should be specified in `same_subtree`: "
                                        "['%.64s'] not found in [%s].",
                                        r->same_subtrees[i].items[k], list_suffixes(call, r));
        }
    }
    return 0;
}

/* Up to 1.35: every group has resources. */
static int
check_orphans(struct call *call, const struct request *r, struct fault *f)
{
    _cleanup_(str_done) struct str traits = { 0 }, aggregates = { 0 };
    size_t orphans = 0;

    for (size_t i = 0; i < r->groups_count; i++) {
        const struct request_group *g = &r->groups[i];

        if (g->wants_count > 0)
            continue;
        orphans++;
        if (g->required_count > 0)
            str_addf(&traits, "%srequired%.64s", traits.size == 0 ? "" : ", ", g->suffix);
        if (g->member_of_count > 0 || g->forbidden_aggregates.count > 0)
            str_addf(&aggregates, "%smember_of%.64s", aggregates.size == 0 ? "" : ", ", g->suffix);
    }
    if (!call_at_least(call, 1, 25) && (orphans > 0 || find_group(r, "") == NULL))
        return query_refuse(f, NULL, "required", "'resources' is a required property");
    if (traits.size > 0)
        return fault_raise(f, FAULT_INVALID,
                           "All traits parameters must be associated with resources.  Found the "
                           "following orphaned traits keys: %s",
                           str_text(&traits));
    if (aggregates.size > 0)
        return fault_raise(f, FAULT_INVALID,
                           "All member_of parameters must be associated with resources. Found the "
                           "following orphaned member_of keys: %s",
                           str_text(&aggregates));
    if (orphans > 0)
        return fault_raise(f, FAULT_INVALID, "All request groups must specify resources.");
    if (r->groups_count == 0)
        return fault_raise(
            f, FAULT_INVALID,
            "At least one request group (`resources` or `resources{$S}`) is required.");
    return 0;
}

/* Appends the demands of one of several traits that are all forbidden: "required1: (A), required1: (B, C)". */
static void
add_conflicts(const struct request_group *g, struct str *out)
{
    for (size_t k = 0; k < g->required_count; k++) {
        const struct texts *any = &g->required[k];
        size_t forbidden = 0;

        for (size_t n = 0; n < any->count; n++)
            forbidden += contains(&g->forbidden, any->items[n]);
        if (forbidden < any->count)
            continue;
        str_addf(out, "%srequired%.64s: (", out->size == 0 ? "" : ", ", g->suffix);
        for (size_t n = 0; n < any->count; n++)
            str_addf(out, "%s%.255s", n == 0 ? "" : ", ", any->items[n]);
        str_add(out, ")");
    }
}

static int
check_conflicts(const struct request *r, struct fault *f)
{
    _cleanup_(str_done) struct str conflicts = { 0 };

    for (size_t i = 0; i < r->groups_count; i++)
        add_conflicts(&r->groups[i], &conflicts);
    if (conflicts.size == 0)
        return 0;
    return fault_raise(
        f, FAULT_INVALID,
        "Conflicting required and forbidden traits found in the following traits keys: %s",
        str_text(&conflicts));
}

/* Whether two groups may be served by one provider must be said, not guessed. */
static int
check_policy(struct call *call, const struct request *r, struct fault *f)
{
    size_t suffixed = 0;

    for (size_t i = 0; i < r->groups_count; i++)
        suffixed += r->groups[i].suffix[0] != '\0';
    if (suffixed < 2 || query_first(call, "group_policy") != NULL)
        return 0;
    return fault_raise(f, FAULT_INVALID,
                       "The \"group_policy\" parameter is required when specifying more than one "
                       "\"resources{N}\" parameter.");
}

int
request_parse(struct call *call, struct request *ret, struct fault *f)
{
    struct request r = { 0 };

    if (query_check(call, keys, f) < 0 || parse_limit(call, &r, f) < 0 ||
        parse_policy(call, &r, f) < 0 || parse_root_required(call, &r, f) < 0)
        return -1;
    if (parse_subtrees(call, &r, f) < 0 || parse_groups(call, &r, f) < 0)
        return -1;
    if ((call_at_least(call, 1, 36) ? check_subtrees(call, &r, f) : check_orphans(call, &r, f)) < 0)
        return -1;
    if (check_conflicts(&r, f) < 0 || check_policy(call, &r, f) < 0)
        return -1;
    *ret = r;
    return 0;
}

#define LATEST 1039

int
request_parse_pairs(struct call *call, struct http_pair *pairs, size_t count, struct request *ret,
                    struct fault *f)
{
    struct http_request *http = arena_memdup(call->arena, call->request, sizeof(*call->request));
    struct call *asked = arena_memdup(call->arena, call, sizeof(*call));

    http->query = pairs;
    http->query_count = count;
    asked->request = http;
    asked->version = LATEST;
    return request_parse(asked, ret, f);
}

int
request_parse_text(struct call *call, const char *query, struct request *ret, struct fault *f)
{
    struct http_pair *pairs;
    size_t count;

    if (url_parse_query(call->arena, query, &pairs, &count, f) < 0)
        return -1;
    return request_parse_pairs(call, pairs, count, ret, f);
}
