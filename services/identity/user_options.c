#include "user_options.h"

#include "base/str.h"

static const struct {
    const char *name;
    size_t offset;
    bool usual;
} flags[] = {
#define FLAG(member, usual_)                                                                       \
    {                                                                                              \
#member, offsetof(struct user_options, member), usual_                                     \
    }
    FLAG(ignore_change_password_upon_first_use, false),
    FLAG(ignore_password_expiry, false),
    FLAG(ignore_lockout_failure_attempts, false),
    FLAG(ignore_user_inactivity, false),
    FLAG(lock_password, false),
    FLAG(multi_factor_auth_enabled, true),
#undef FLAG
};

static bool
is_flag(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (str_equal(flags[i].name, name))
            return true;
    }
    return false;
}

static bool
stands_before(const json_t *array, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (json_equal(json_array_get(array, i), json_array_get(array, index)))
            return true;
    }
    return false;
}

static bool
rule_valid(const json_t *rule)
{
    size_t count = json_array_size(rule);

    if (count == 0 || count > USER_METHODS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *method = json_string_value(json_array_get(rule, i));

        if (str_empty(method) || strlen(method) > USER_METHOD_MAX || stands_before(rule, i))
            return false;
    }
    return true;
}

static int
check_rules(const json_t *rules, struct fault *f)
{
    size_t count = json_array_size(rules);
    bool valid = json_is_array(rules) && count <= USER_RULES_MAX;

    for (size_t i = 0; valid && i < count; i++)
        valid = rule_valid(json_array_get(rules, i)) && !stands_before(rules, i);
    if (valid)
        return 0;
    return fault_raise_field(
        f, "user.options.multi_factor_auth_rules",
        "Invalid input for field 'options/multi_factor_auth_rules': it must be a list of at most "
        "%d lists of 1 to %d names of methods; neither lists nor names in a list may stand twice.",
        USER_RULES_MAX, USER_METHODS_MAX);
}

int
user_options_check(const json_t *options, struct fault *f)
{
    const char *name;
    json_t *value;
    char field[128];

    json_object_foreach((json_t *)(uintptr_t)options, name, value)
    {
        bool rules = str_equal(name, "multi_factor_auth_rules");

        snprintf(field, sizeof(field), "user.options.%.64s", name);
        if (!rules && !is_flag(name))
            return fault_raise_field(f, field,
                                     "Invalid input for field 'options': Additional properties are "
                                     "not allowed ('%.64s' was unexpected)",
                                     name);
        if (json_is_null(value))
            continue;
        if (rules && check_rules(value, f) < 0)
            return -1;
        if (!rules && !json_is_boolean(value))
            return fault_raise_field(
                f, field, "Invalid input for field 'options/%.64s': it is not of type 'boolean'",
                name);
    }
    return 0;
}

json_t *
user_options_merge(struct arena *a, const json_t *old, const json_t *given)
{
    json_t *all =
        json_own(a, json_is_object(old) ? json_copy((json_t *)(uintptr_t)old) : json_object());
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        if (json_is_null(value))
            json_object_del(all, name);
        else
            json_object_set(all, name, value);
    }
    return all;
}

struct user_options
user_options_read(const json_t *options)
{
    struct user_options o = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const json_t *value = json_object_get(options, flags[i].name);

        *(bool *)(void *)((char *)&o + flags[i].offset) =
            json_is_boolean(value) ? json_is_true(value) : flags[i].usual;
    }
    o.multi_factor_auth_rules = json_object_get(options, "multi_factor_auth_rules");
    return o;
}

/* --- Rules for several methods */

static bool
listed(const char *const *methods, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(methods[i], name))
            return true;
    }
    return false;
}

bool
user_rules_satisfied(const struct user_options *o, const char *const *methods, size_t methods_count,
                     bool (*known)(const char *method))
{
    size_t count = json_array_size(o->multi_factor_auth_rules);

    if (count == 0 || !o->multi_factor_auth_enabled)
        return true;
    for (size_t i = 0; i < count; i++) {
        const json_t *rule = json_array_get(o->multi_factor_auth_rules, i);
        bool all = true;

        for (size_t j = 0; all && j < json_array_size(rule); j++) {
            const char *name = json_string_value(json_array_get(rule, j));

            all = !known(name) || listed(methods, methods_count, name);
        }
        if (all)
            return true;
    }
    return false;
}

json_t *
user_rules_begun(struct arena *a, const struct user_options *o, const char *const *methods,
                 size_t methods_count, bool (*known)(const char *method))
{
    json_t *begun = json_own(a, json_array());

    for (size_t i = 0; i < json_array_size(o->multi_factor_auth_rules); i++) {
        const json_t *rule = json_array_get(o->multi_factor_auth_rules, i);
        json_t *shown = json_own(a, json_array());
        bool any = false;

        for (size_t j = 0; j < json_array_size(rule); j++) {
            const char *name = json_string_value(json_array_get(rule, j));

            if (!known(name))
                continue;
            json_array_append_new(shown, json_string(name));
            any = any || listed(methods, methods_count, name);
        }
        if (any)
            json_array_append(begun, shown);
    }
    return begun;
}
