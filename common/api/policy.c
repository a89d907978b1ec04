/* Rules by name, and what they say of a caller and a target. Reading policy.yaml is policy_file.c's, the
 * language policy_parse.c's subject.
 *
 * A policy does not change after it was loaded, so threads share it without a lock; a reload makes another
 * one. Evaluation walks a tree and compares text in place. */
#include "policy.h"

#include <string.h>

#include "../base/map.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "policy_file.h"
#include "policy_tree.h"

struct policy {
    struct arena *arena;
    struct map *rules; /* Name to struct rule. */
    bool projects_only;
};

struct rule {
    const char *name;
    struct policy_node *node;
    enum { NOT_LOOKED_AT, BEING_LOOKED_AT, GOOD } state;
    unsigned height; /* Of the tree of rules below it. */
};

/* --- the caller's side */

enum credential {
    CREDENTIAL_TEXT,
    CREDENTIAL_SYSTEM_SCOPE, /* "all", or none */
    CREDENTIAL_IS_ADMIN,
    CREDENTIAL_TRUE, /* What is always so in our tokens: is_admin_project */
    CREDENTIAL_SERVICE_ROLES,
    CREDENTIAL_ROLES,
};

#define TEXT(member) CREDENTIAL_TEXT, offsetof(struct auth_context, member)

static const struct {
    const char *name;
    enum credential kind;
    size_t offset;
} credentials[] = {
    { "user_id", TEXT(user_id) },
    { "user", TEXT(user_id) },
    { "project_id", TEXT(project_id) },
    { "tenant_id", TEXT(project_id) },
    { "tenant", TEXT(project_id) },
    { "domain_id", TEXT(domain_id) },
    { "user_domain_id", TEXT(user_domain_id) },
    { "project_domain_id", TEXT(project_domain_id) },
    { "user_name", TEXT(user_name) },
    { "project_name", TEXT(project_name) },
    { "trust_id", TEXT(trust_id) },
    { "service_user_id", TEXT(service_user_id) },
    { "application_credential_id", TEXT(app_cred_id) },
    { "token.user.id", TEXT(user_id) },
    { "token.user.domain.id", TEXT(user_domain_id) },
    { "token.project.id", TEXT(project_id) },
    { "token.project.domain.id", TEXT(project_domain_id) },
    { "token.domain.id", TEXT(domain_id) },
    { "token.trust_id", TEXT(trust_id) },
    { "system_scope", CREDENTIAL_SYSTEM_SCOPE, 0 },
    { "is_admin", CREDENTIAL_IS_ADMIN, 0 },
    { "is_admin_project", CREDENTIAL_TRUE, 0 },
    { "service_roles", CREDENTIAL_SERVICE_ROLES, 0 },
    { "roles", CREDENTIAL_ROLES, 0 },
};

int
policy_credential_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(credentials); i++) {
        if (strcmp(credentials[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* --- evaluation */

/* One question: who asks, of what. */
struct asked {
    const struct auth_context *who;
    const struct policy_target *target;
};

static const char *
member_of(const struct asked *q, const char *name)
{
    return q->target != NULL && q->target->get != NULL ? q->target->get(q->target->object, name)
                                                       : NULL;
}

/* Is the right side, with the target's members in it, 'left'? A member that is not there is like nothing. */
static bool
right_is(const struct asked *q, const struct policy_node *node, const char *left, bool nocase)
{
    for (size_t i = 0; i < node->parts_count; i++) {
        const struct policy_part *part = &node->parts[i];
        const char *text = part->is_member ? member_of(q, part->text) : part->text;
        size_t size;

        if (text == NULL || left == NULL)
            return false;
        size = strlen(text);
        if (nocase ? strncasecmp(left, text, size) != 0 : strncmp(left, text, size) != 0)
            return false;
        left += size;
    }
    return left != NULL && *left == '\0';
}

static bool
right_is_one_of(const struct asked *q, const struct policy_node *node, const char *const *list,
                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (right_is(q, node, list[i], true))
            return true;
    }
    return false;
}

/* Python writes True, JSON true, and old rules 1. */
static bool
right_is_bool(const struct asked *q, const struct policy_node *node, bool value)
{
    return right_is(q, node, value ? "true" : "false", true) ||
           right_is(q, node, value ? "1" : "0", false);
}

static bool
check_credential(const struct asked *q, const struct policy_node *node)
{
    static const char *const service[] = { "service" };
    const struct auth_context *who = q->who;
    const char *text;

    if (node->credential < 0)
        return false;
    switch (credentials[node->credential].kind) {
    case CREDENTIAL_TEXT:
        text = *(const char *const *)(const void *)((const char *)who +
                                                    credentials[node->credential].offset);
        if (text == NULL && node->parts_count == 1 && !node->parts[0].is_member)
            return str_equal(node->parts[0].text, "None"); /* domain_id:None */
        return right_is(q, node, text, false);
    case CREDENTIAL_SYSTEM_SCOPE:
        return who->scope == SCOPE_SYSTEM && right_is(q, node, "all", false);
    case CREDENTIAL_IS_ADMIN:
        return right_is_bool(q, node, auth_has_role(who, "admin"));
    case CREDENTIAL_TRUE:
        return right_is_bool(q, node, true);
    case CREDENTIAL_SERVICE_ROLES:
        return who->service_user_id != NULL && right_is_one_of(q, node, service, 1);
    case CREDENTIAL_ROLES:
        return right_is_one_of(q, node, who->roles, who->roles_count);
    }
    return false;
}

static bool
check_literal(const struct asked *q, const struct policy_node *node)
{
    /* None:%(member)s asks whether the target has none. */
    if (str_equal(node->name, "None") && node->parts_count == 1 && node->parts[0].is_member &&
        member_of(q, node->parts[0].text) == NULL)
        return true;
    if (str_equal(node->name, "True") || str_equal(node->name, "False"))
        return right_is(q, node, node->name, true);
    return right_is(q, node, node->name, false);
}

static bool
check_field(const struct asked *q, const struct policy_node *node)
{
    const char *value = member_of(q, node->name);

    if (value == NULL)
        return false;
    if (node->pattern != NULL)
        return regexec(node->pattern, value, 0, NULL, 0) == 0;
    if (str_equal(node->parts[0].text, "True") || str_equal(node->parts[0].text, "False"))
        return str_equal_nocase(value, node->parts[0].text);
    return str_equal(value, node->parts[0].text);
}

static bool
check(const struct asked *q, const struct policy_node *node)
{
    switch (node->kind) {
    case POLICY_TRUE:
        return true;
    case POLICY_FALSE:
        return false;
    case POLICY_NOT:
        return !check(q, node->first);
    case POLICY_AND:
        for (const struct policy_node *n = node->first; n != NULL; n = n->next) {
            if (!check(q, n))
                return false;
        }
        return true;
    case POLICY_OR:
        for (const struct policy_node *n = node->first; n != NULL; n = n->next) {
            if (check(q, n))
                return true;
        }
        return false;
    case POLICY_RULE:
        return node->rule != NULL && check(q, node->rule);
    case POLICY_ROLE:
        return right_is_one_of(q, node, q->who->roles, q->who->roles_count);
    case POLICY_CREDENTIAL:
        return check_credential(q, node);
    case POLICY_LITERAL:
        return check_literal(q, node);
    case POLICY_FIELD:
        return check_field(q, node);
    }
    return false;
}

bool
policy_check(const struct policy *p, const char *rule, const struct auth_context *who,
             const struct policy_target *target)
{
    const struct asked q = { .who = who, .target = target };
    const struct rule *found = map_get(p->rules, rule);

    if (p->projects_only && (who->scope == SCOPE_DOMAIN || who->scope == SCOPE_SYSTEM))
        return false;
    return found != NULL && check(&q, found->node);
}

bool
policy_has(const struct policy *p, const char *rule)
{
    return map_has(p->rules, rule);
}

/* --- loading */

static int
add_rule(void *object, const char *name, const char *text, struct fault *f)
{
    struct policy *p = object;
    struct rule *rule = ARENA_NEW(p->arena, struct rule);
    struct fault why = { 0 };

    rule->name = arena_strdup(p->arena, name);
    if (policy_parse(p->arena, text, &rule->node, &why) < 0)
        return fault_raise_field(f, name, "Policy rule %s: %s.", name, why.message);
    map_set(p->rules, rule->name, rule);
    return 0;
}

static int link_rule(const struct policy *p, struct rule *rule, unsigned depth, struct fault *f);

static int
refuse_depth(const struct rule *rule, struct fault *f)
{
    return fault_raise_field(f, rule->name, "Policy rule %s: refers to rules deeper than %d.",
                             rule->name, POLICY_DEPTH_MAX);
}

/* Gives 'rule:' nodes their trees; '*height' grows to the highest below. */
static int
link_node(const struct policy *p, const struct rule *rule, struct policy_node *node, unsigned depth,
          unsigned *height, struct fault *f)
{
    if (node->kind == POLICY_RULE) {
        struct rule *other = map_get(p->rules, node->name);
        int r;

        if (other == NULL)
            return 0;
        if (other->state == BEING_LOOKED_AT)
            return fault_raise_field(f, rule->name, "Policy rule %s refers to itself through %s.",
                                     rule->name, other->name);
        r = link_rule(p, other, depth + 1, f);
        if (r < 0)
            return r;
        node->rule = other->node;
        *height = MAX(*height, other->height);
        return 0;
    }
    for (struct policy_node *n = node->first; n != NULL; n = n->next) {
        int r = link_node(p, rule, n, depth, height, f);

        if (r < 0)
            return r;
    }
    return 0;
}

static int
link_rule(const struct policy *p, struct rule *rule, unsigned depth, struct fault *f)
{
    unsigned height = 0;
    int r;

    if (rule->state == GOOD)
        return 0;
    if (depth > POLICY_DEPTH_MAX)
        return refuse_depth(rule, f); /* Before the stack feels it. */
    rule->state = BEING_LOOKED_AT;
    r = link_node(p, rule, rule->node, depth, &height, f);
    if (r < 0)
        return r;
    rule->height = height + 1;
    if (rule->height > POLICY_DEPTH_MAX)
        return refuse_depth(rule, f);
    rule->state = GOOD;
    return 0;
}

static int
load(struct policy *p, const struct policy_default *defaults, size_t count, const char *file,
     struct fault *f)
{
    struct map_at at = { 0 };
    int r;

    for (size_t i = 0; i < count; i++) {
        r = add_rule(p, defaults[i].name, defaults[i].rule, f);
        if (r < 0)
            return r;
    }
    if (file != NULL) {
        r = policy_file_read(file, add_rule, p, f);
        if (r < 0)
            return r;
    }
    while (map_next(p->rules, &at)) {
        r = link_rule(p, at.value, 1, f);
        if (r < 0)
            return r;
    }
    return 0;
}

int
policy_load(struct policy **ret, const struct policy_default *defaults, size_t count,
            const char *file, struct fault *f)
{
    struct policy *p = memory_calloc(1, sizeof(*p));
    int r;

    p->arena = arena_new();
    p->rules = map_new(NULL);
    r = load(p, defaults, count, file, f);
    if (r < 0) {
        policy_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void
policy_projects_only(struct policy *p)
{
    p->projects_only = true;
}

void
policy_free(struct policy *p)
{
    if (p == NULL)
        return;
    map_free(p->rules);
    arena_free(p->arena);
    free(p);
}
