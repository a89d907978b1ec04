/* The form of mapping rules, as a table per object: what may stand there, of which type. */
#include "base/arena.h"
#include "base/array.h"
#include "base/str.h"
#include "mapping_pattern.h"
#include "mapping_rules.h"

enum kind { TEXT, BOOL, LIST, OBJECT, OBJECTS };

struct member {
    const char *name;
    enum kind kind;
    bool required;
    bool since_2;                 /* Of version 2.0 only. */
    const struct member *members; /* OBJECT and OBJECTS; NULL: anything in it. */
    const char *const *choices;   /* TEXT: one of these; NULL: any. */
};

static const struct member domain_members[] = { { .name = "id" }, { .name = "name" }, { 0 } };
static const char *const user_types[] = { "ephemeral", "local", NULL };
static const struct member user_members[] = {
    { .name = "id" },
    { .name = "name" },
    { .name = "email" },
    { .name = "type", .choices = user_types },
    { .name = "domain", .kind = OBJECT, .members = domain_members },
    { 0 },
};
static const struct member project_members[] = {
    { .name = "name", .required = true },
    { .name = "roles", .kind = OBJECTS, .required = true },
    { .name = "domain", .kind = OBJECT, .since_2 = true, .members = domain_members },
    { 0 },
};
static const struct member group_members[] = {
    { .name = "id" },
    { .name = "name" },
    { .name = "domain", .kind = OBJECT, .members = domain_members },
    { 0 },
};
static const struct member local_members[] = {
    { .name = "user", .kind = OBJECT, .members = user_members },
    { .name = "projects", .kind = OBJECTS, .members = project_members },
    { .name = "group", .kind = OBJECT, .members = group_members },
    { .name = "groups" },
    { .name = "group_ids" },
    { .name = "domain", .kind = OBJECT, .members = domain_members },
    { 0 },
};
static const char *const conditions[] = { "any_one_of", "not_any_of", "blacklist", "whitelist" };
static const struct member remote_members[] = {
    { .name = "type", .required = true },
    { .name = "any_one_of", .kind = LIST },
    { .name = "not_any_of", .kind = LIST },
    { .name = "blacklist", .kind = LIST },
    { .name = "whitelist", .kind = LIST },
    { .name = "regex", .kind = BOOL },
    { 0 },
};
static const struct member rule_members[] = {
    { .name = "local", .kind = OBJECTS, .required = true, .members = local_members },
    { .name = "remote", .kind = OBJECTS, .required = true, .members = remote_members },
    { 0 },
};

static int check_object(const json_t *value, const struct member *members, bool version_2,
                        const char *path, struct fault *f);

static int _printf_(3, 4) refuse(struct fault *f, const char *path, const char *format, ...)
{
    char why[512];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return fault_raise_field(f, path, "Invalid input for field/attribute %.127s. %s", path, why);
}

static int
check_objects(const json_t *value, const struct member *members, bool version_2, const char *path,
              struct fault *f)
{
    char below[160];

    if (!json_is_array(value))
        return refuse(f, path, "It is not of type 'array'");
    if (json_array_size(value) > MAPPING_PARTS_MAX)
        return refuse(f, path, "It has more than %d members", MAPPING_PARTS_MAX);
    for (size_t i = 0; i < json_array_size(value); i++) {
        snprintf(below, sizeof(below), "%.120s[%zu]", path, i);
        if (check_object(json_array_get(value, i), members, version_2, below, f) < 0)
            return -1;
    }
    return 0;
}

static int
check_text(const json_t *value, const struct member *m, const char *path, struct fault *f)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        return refuse(f, path, "It is not of type 'string'");
    if (strlen(text) > MAPPING_TEXT_MAX)
        return refuse(f, path, "It is too long");
    for (size_t i = 0; m->choices != NULL; i++) {
        if (m->choices[i] == NULL)
            return refuse(f, path, "'%.64s' is not one of its values", text);
        if (str_equal(text, m->choices[i]))
            break;
    }
    return 0;
}

static int
check_member(const json_t *value, const struct member *m, bool version_2, const char *path,
             struct fault *f)
{
    switch (m->kind) {
    case TEXT:
        return check_text(value, m, path, f);
    case BOOL:
        return json_is_boolean(value) ? 0 : refuse(f, path, "It is not of type 'boolean'");
    case LIST:
        if (!json_is_array(value))
            return refuse(f, path, "It is not of type 'array'");
        return json_array_size(value) <= MAPPING_VALUES_MAX
                   ? 0
                   : refuse(f, path, "It has more than %d members", MAPPING_VALUES_MAX);
    case OBJECT:
        return check_object(value, m->members, version_2, path, f);
    case OBJECTS:
        return check_objects(value, m->members, version_2, path, f);
    }
    return 0;
}

static const struct member *
find_member(const struct member *members, const char *name, bool version_2)
{
    for (; members->name != NULL; members++) {
        if (str_equal(members->name, name) && (version_2 || !members->since_2))
            return members;
    }
    return NULL;
}

/* Without a table it is a role: it has a name, and may have what it likes beside it. */
static int
check_object(const json_t *value, const struct member *members, bool version_2, const char *path,
             struct fault *f)
{
    char below[160];
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return refuse(f, path, "It is not of type 'object'");
    if (members == NULL)
        return json_is_string(json_object_get(value, "name"))
                   ? 0
                   : refuse(f, path, "'name' is a required property");
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        const struct member *m = find_member(members, name, version_2);

        if (m == NULL)
            return refuse(f, path, "Additional properties are not allowed ('%.64s' was unexpected)",
                          name);
        snprintf(below, sizeof(below), "%.100s.%s", path, m->name);
        if (check_member(member, m, version_2, below, f) < 0)
            return -1;
    }
    for (; members->name != NULL; members++) {
        if (members->required && json_object_get(value, members->name) == NULL)
            return refuse(f, path, "'%s' is a required property", members->name);
    }
    return 0;
}

/* --- What a table cannot say */

static int
check_group(const json_t *local, const char *path, struct fault *f)
{
    const json_t *group = json_object_get(local, "group");
    bool id = json_object_get(group, "id") != NULL, name = json_object_get(group, "name") != NULL,
         domain = json_object_get(group, "domain") != NULL;

    if (group == NULL || (id && !name && !domain) || (!id && name && domain))
        return 0;
    return refuse(f, path, "A group is named by its id, or by name and domain");
}

static int
check_patterns(const json_t *list, const char *path, struct fault *f)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        _cleanup_(pattern_freep) struct pattern *p = NULL;
        struct fault why = { 0 };

        if (text == NULL)
            return refuse(f, path, "A regular expression is not of type 'string'");
        if (pattern_compile(&p, text, &why) < 0)
            return refuse(f, path, "%.400s", why.message);
    }
    return 0;
}

static int
check_condition(const json_t *remote, const char *path, struct fault *f)
{
    const json_t *regex = json_object_get(remote, "regex"), *list = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
        const json_t *one = json_object_get(remote, conditions[i]);

        list = one != NULL ? one : list;
        count += one != NULL;
    }
    if (count > 1 || (count == 0 && regex != NULL))
        return refuse(f, path, "It is not valid under exactly one of the given schemas");
    return json_is_true(regex) ? check_patterns(list, path, f) : 0;
}

static int
check_rule(const json_t *rule, bool version_2, const char *path, struct fault *f)
{
    const json_t *local = json_object_get(rule, "local"), *remote = json_object_get(rule, "remote");
    char below[160];

    if (check_object(rule, rule_members, version_2, path, f) < 0)
        return -1;
    if (json_array_size(remote) == 0)
        return refuse(f, path, "'remote' is too short");
    for (size_t i = 0; i < json_array_size(local); i++) {
        snprintf(below, sizeof(below), "%s.local[%zu].group", path, i);
        if (check_group(json_array_get(local, i), below, f) < 0)
            return -1;
    }
    for (size_t i = 0; i < json_array_size(remote); i++) {
        snprintf(below, sizeof(below), "%s.remote[%zu]", path, i);
        if (check_condition(json_array_get(remote, i), below, f) < 0)
            return -1;
    }
    return 0;
}

int
mapping_check(const json_t *rules, bool version_2, struct fault *f)
{
    char path[64];

    if (!json_is_array(rules) || json_array_size(rules) == 0 ||
        json_array_size(rules) > MAPPING_RULES_MAX)
        return refuse(f, "rules", "It is not a list of 1 to %d rules", MAPPING_RULES_MAX);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        snprintf(path, sizeof(path), "rules[%zu]", i);
        if (check_rule(json_array_get(rules, i), version_2, path, f) < 0)
            return -1;
    }
    return 0;
}
