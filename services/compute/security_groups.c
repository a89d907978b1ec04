/* /os-security-groups and /os-security-group-rules: the old names of what the network service keeps, asked for and answered in the old
 * shape, as the caller. */
#include "base/json.h"
#include "base/str.h"
#include "http/url.h"
#include "remote.h"

static const char *
path_of(struct call *call, const char *kind, const char *id)
{
    return arena_printf(call->arena, "/v2.0/%s/%s", kind, url_encode(call->arena, id));
}

/* --- The old shape */

static const json_t *
group_by_id(const json_t *groups, const char *id)
{
    json_t *group;
    size_t i;

    json_array_foreach(groups, i, group)
    {
        if (str_equal(json_get_text(group, "id"), id))
            return group;
    }
    return NULL;
}

static void
write_port(struct jsonw *w, const char *key, const json_t *rule, const char *member)
{
    json_t *value = json_object_get(rule, member);

    if (json_is_integer(value))
        jsonw_int(w, key, json_integer_value(value));
    else if (json_get_text(rule, "protocol") == NULL)
        jsonw_null(w, key);
    else
        jsonw_int(w, key, -1);
}

static void
write_rule(struct jsonw *w, const char *key, const json_t *rule, const json_t *groups)
{
    const char *remote = json_get_text(rule, "remote_group_id");
    const json_t *group = remote == NULL ? NULL : group_by_id(groups, remote);
    const char *cidr = json_get_text(rule, "remote_ip_prefix");
    bool v6 = str_equal(json_get_text(rule, "ethertype"), "IPv6");

    jsonw_object(w, key);
    jsonw_text(w, "id", json_get_text(rule, "id"));
    jsonw_text(w, "parent_group_id", json_get_text(rule, "security_group_id"));
    jsonw_text(w, "ip_protocol", json_get_text(rule, "protocol"));
    write_port(w, "from_port", rule, "port_range_min");
    write_port(w, "to_port", rule, "port_range_max");
    jsonw_object(w, "ip_range");
    if (remote == NULL)
        jsonw_text(w, "cidr", cidr != NULL ? cidr : v6 ? "::/0" : "0.0.0.0/0");
    jsonw_end(w);
    jsonw_object(w, "group");
    if (group != NULL) {
        jsonw_text(w, "tenant_id", json_get_text(group, "project_id"));
        jsonw_text(w, "name", json_get_text(group, "name"));
    }
    jsonw_end(w);
    jsonw_end(w);
}

/* Only what comes in was ever shown here. */
static void
write_group(struct jsonw *w, const char *key, const json_t *group, const json_t *groups)
{
    json_t *rule;
    size_t i;

    jsonw_object(w, key);
    jsonw_text(w, "id", json_get_text(group, "id"));
    jsonw_text(w, "name", json_get_text(group, "name"));
    jsonw_text(w, "description", json_get_text(group, "description"));
    jsonw_text(w, "tenant_id", json_get_text(group, "project_id"));
    jsonw_array(w, "rules");
    json_array_foreach(json_object_get(group, "security_group_rules"), i, rule)
    {
        if (str_equal(json_get_text(rule, "direction"), "ingress"))
            write_rule(w, NULL, rule, groups);
    }
    jsonw_end(w);
    jsonw_end(w);
}

static int
fetch_groups(struct call *call, struct remote *r, json_t **ret, struct fault *f)
{
    const char *project = call->auth.project_id == NULL ? "" : call->auth.project_id;
    json_t *answer;

    if (remote_send(r, HTTP_GET, "network",
                    arena_printf(call->arena, "/v2.0/security-groups?project_id=%s", project), NULL,
                    &answer, f) < 0)
        return -1;
    *ret = json_object_get(answer, "security_groups");
    return 0;
}

/* --- Groups */

int
group_proxy_list(struct call *call, struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *groups, *group;
    struct jsonw *w;
    size_t i;

    if (fetch_groups(call, &r, &groups, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "security_groups");
    json_array_foreach(groups, i, group) write_group(w, NULL, group, groups);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* Sends a group's request on and answers with the group that came back. */
static int
group_request(struct call *call, enum http_method method, const char *path, const json_t *body,
              struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *answer = NULL, *groups = NULL;
    struct jsonw *w;

    if (remote_send(&r, method, "network", path, body, &answer, f) < 0 ||
        fetch_groups(call, &r, &groups, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_group(w, "security_group", json_object_get(answer, "security_group"), groups);
    jsonw_end(w);
    return 0;
}

static json_t *
group_body(struct call *call, const struct group_proxy *in)
{
    return json_own(call->arena,
                    json_pack("{s:{s:s, s:s}}", "security_group", "name", in->name, "description",
                              in->description == NULL ? "" : in->description));
}

int
group_proxy_create(struct call *call, const struct group_proxy *in, struct fault *f)
{
    return group_request(call, HTTP_POST, "/v2.0/security-groups", group_body(call, in), f);
}

int
group_proxy_show(struct call *call, struct fault *f)
{
    return group_request(call, HTTP_GET,
                         path_of(call, "security-groups", call_param(call, "security_group_id")),
                         NULL, f);
}

int
group_proxy_update(struct call *call, const struct group_proxy *in, struct fault *f)
{
    return group_request(call, HTTP_PUT,
                         path_of(call, "security-groups", call_param(call, "security_group_id")),
                         group_body(call, in), f);
}

int
group_proxy_delete(struct call *call, struct fault *f)
{
    struct remote r = remote_for_call(call);

    return remote_send(&r, HTTP_DELETE, "network",
                       path_of(call, "security-groups", call_param(call, "security_group_id")),
                       NULL, NULL, f);
}

/* --- Rules */

int
rule_proxy_create(struct call *call, const struct rule_proxy *in, struct fault *f)
{
    struct remote r = remote_for_call(call);
    json_t *rule =
        json_pack("{s:s, s:s}", "security_group_id", in->parent_group_id, "direction", "ingress");
    json_t *body = json_own(call->arena, json_pack("{s:o}", "security_group_rule", rule));
    json_t *answer = NULL, *groups = NULL;
    struct jsonw *w;

    if (in->ip_protocol != NULL)
        json_object_set_new(rule, "protocol", json_string(in->ip_protocol));
    if (field_given(&in->set, RULE_PROXY_F_FROM_PORT) &&
        !field_null(&in->set, RULE_PROXY_F_FROM_PORT) && in->from_port != -1)
        json_object_set_new(rule, "port_range_min", json_integer(in->from_port));
    if (field_given(&in->set, RULE_PROXY_F_TO_PORT) &&
        !field_null(&in->set, RULE_PROXY_F_TO_PORT) && in->to_port != -1)
        json_object_set_new(rule, "port_range_max", json_integer(in->to_port));
    if (in->group_id != NULL)
        json_object_set_new(rule, "remote_group_id", json_string(in->group_id));
    else
        json_object_set_new(rule, "remote_ip_prefix",
                            json_string(in->cidr == NULL ? "0.0.0.0/0" : in->cidr));
    json_object_set_new(rule, "ethertype",
                        json_string(in->cidr != NULL && strchr(in->cidr, ':') != NULL ? "IPv6"
                                                                                      : "IPv4"));
    if (remote_send(&r, HTTP_POST, "network", "/v2.0/security-group-rules", body, &answer, f) < 0 ||
        fetch_groups(call, &r, &groups, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    write_rule(w, "security_group_rule", json_object_get(answer, "security_group_rule"), groups);
    jsonw_end(w);
    return 0;
}

int
rule_proxy_delete(struct call *call, struct fault *f)
{
    struct remote r = remote_for_call(call);

    return remote_send(&r, HTTP_DELETE, "network",
                       path_of(call, "security-group-rules", call_param(call, "rule_id")), NULL,
                       NULL, f);
}
