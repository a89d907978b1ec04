/* Usages: what is allocated on a provider, and what a project has allocated everywhere. */
#include "base/str.h"
#include "reply.h"

int
provider_usages(struct call *call, struct fault *f)
{
    struct provider_row provider;
    struct inventory_row *rows;
    struct jsonw *w;
    size_t count;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    if (inventory_list(call->db, provider.id, &rows, &count, f) < 0)
        return -1;
    w = reply_json(call, 0);
    jsonw_object(w, NULL);
    jsonw_int(w, "resource_provider_generation", provider.generation);
    jsonw_object(w, "usages");
    for (size_t i = 0; i < count; i++)
        jsonw_int(w, rows[i].class_name, rows[i].used);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* --- GET /usages */

struct usage_query {
    const char *project_id, *user_id, *type;
};

static const char *
target_get(const void *object, const char *name)
{
    const struct usage_query *q = object;

    return str_equal(name, "project_id") ? q->project_id : NULL;
}

static int
check_length(const char *name, const char *value, struct fault *f)
{
    size_t length = value == NULL ? 1 : str_utf8_length(value);

    if (length >= 1 && length <= 255)
        return 0;
    return query_refuse(f, name, length == 0 ? "minLength" : "maxLength", "'%.300s' is too %s",
                        value, length == 0 ? "short" : "long");
}

/* As upstream's pattern has it: "all" and whatever follows, too. */
static bool
is_type(const char *text)
{
    return str_starts(text, "all") || str_equal(text, "unknown") ||
           (text[0] != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0');
}

static int
parse(struct call *call, struct usage_query *q, struct fault *f)
{
    static const struct query_key keys[] = { { "project_id", 0, false },
                                             { "user_id", 0, false },
                                             { "consumer_type", 1038, false },
                                             { NULL, 0, false } };
    struct policy_target target = { .get = target_get, .object = q };

    *q = (struct usage_query){ query_last(call, "project_id"), query_last(call, "user_id"),
                               query_last(call, "consumer_type") };
    if (!policy_check(api_server_policy(call->server), call->operation->policy, &call->auth,
                      &target))
        return fault_raise(f, FAULT_FORBIDDEN, "Policy doesn't allow %s to be performed.",
                           call->operation->policy);
    if (query_check(call, keys, f) < 0)
        return -1;
    if (q->project_id == NULL)
        return query_refuse(f, NULL, "required", "'project_id' is a required property");
    if (check_length("project_id", q->project_id, f) < 0 ||
        check_length("user_id", q->user_id, f) < 0)
        return -1;
    if (q->type != NULL && !is_type(q->type))
        return query_refuse(f, "consumer_type", "pattern",
                            "'%.300s' does not match '^[A-Z0-9_]+$|^all|^unknown$'", q->type);
    return check_length("consumer_type", q->type, f);
}

/* One number per class, over all consumers (or all without a type). 'key': "all" or "unknown", where answers group by type. */
static int
reply_total(struct call *call, const struct usage_query *q, const char *key, struct fault *f)
{
    bool untyped = str_equal(key, "unknown");
    struct usage_consumers_row consumers;
    struct usage_total_row *rows;
    struct jsonw *w;
    size_t count;

    if (usage_total(call->db, q->project_id, q->user_id, untyped, &rows, &count, f) < 0)
        return -1;
    if (key != NULL &&
        usage_consumers(call->db, q->project_id, q->user_id, untyped, &consumers, f) < 0)
        return -1;
    w = reply_json(call, 0);
    jsonw_object(w, NULL);
    jsonw_object(w, "usages");
    if (key != NULL && count > 0)
        jsonw_object(w, key);
    for (size_t i = 0; i < count; i++)
        jsonw_int(w, rows[i].class_name, rows[i].used);
    if (key != NULL && count > 0) {
        jsonw_int(w, "consumer_count", consumers.consumers);
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static int
reply_by_type(struct call *call, const struct usage_query *q, struct fault *f)
{
    struct usage_by_type_row *rows;
    struct jsonw *w;
    size_t count;

    if (usage_by_type(call->db, q->project_id, q->user_id, q->type, &rows, &count, f) < 0)
        return -1;
    w = reply_json(call, 0);
    jsonw_object(w, NULL);
    jsonw_object(w, "usages");
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || !str_equal(rows[i].type, rows[i - 1].type);
        bool last = i + 1 == count || !str_equal(rows[i].type, rows[i + 1].type);

        if (first)
            jsonw_object(w, rows[i].type);
        jsonw_int(w, rows[i].class_name, rows[i].used);
        if (last) {
            jsonw_int(w, "consumer_count", rows[i].consumers);
            jsonw_end(w);
        }
    }
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
usages_show(struct call *call, struct fault *f)
{
    struct usage_query q;

    if (reply_check_accept(call, f) < 0 || parse(call, &q, f) < 0)
        return -1;
    if (!call_at_least(call, 1, 38))
        return reply_total(call, &q, NULL, f);
    if (str_equal(q.type, "all") || str_equal(q.type, "unknown"))
        return reply_total(call, &q, q.type, f);
    return reply_by_type(call, &q, f);
}
