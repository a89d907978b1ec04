/* Applying rules: see mapping_rules.h. */
#include "mapping_rules.h"

#include <ctype.h>

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"
#include "mapping_pattern.h"

enum { FINDS_MAX = 20000 /* Values compared with regular expressions in one go. */ };

struct apply {
    struct arena *arena;
    const struct assertion *assertion;
    bool version_2;
    size_t finds;
    /* Of the rule at hand: what each remote part without a condition let through. */
    struct texts values[MAPPING_PARTS_MAX];
    size_t values_count;
    struct mapped *ret;
    size_t groups_capacity, group_ids_capacity;
    bool any, user;
    struct fault *f;
};

/* --- Assertions */

const struct texts *
assertion_find(const struct assertion *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++) {
        if (str_equal(a->items[i].name, name))
            return &a->items[i].values;
    }
    return NULL;
}

bool
assertion_add(struct arena *arena, struct assertion *a, const char *name, const char *value)
{
    struct texts *values = (struct texts *)(uintptr_t)assertion_find(a, name);

    if (values == NULL) {
        if (a->items == NULL)
            a->items = ARENA_ARRAY(arena, struct attribute, ASSERTION_MAX);
        if (a->count == ASSERTION_MAX)
            return false;
        a->items[a->count] = (struct attribute){ .name = arena_strdup(arena, name) };
        values = &a->items[a->count++].values;
    }
    if (values->count == ASSERTION_VALUES_MAX)
        return false;
    if ((values->count & (values->count - 1)) == 0) { /* Room doubles at each power of two. */
        const char **more = ARENA_ARRAY(arena, const char *, values->count * 2 + 1);

        if (values->count > 0)
            memcpy(more, values->items, values->count * sizeof(*more));
        values->items = more;
    }
    values->items[values->count++] = arena_strdup(arena, value);
    return true;
}

/* --- Remote: does the rule hold, and which values does it let through? */

static int
find_text(const json_t *list, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_equal(json_string_value(json_array_get(list, i)), value))
            return 1;
    }
    return 0;
}

/* Marks in 'matches' the values that one of the regular expressions finds something in. */
static int
match_patterns(struct apply *s, const json_t *list, const struct texts *values, bool *matches)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        _cleanup_(pattern_freep) struct pattern *p = NULL;

        if (text == NULL)
            continue;
        if (pattern_compile(&p, text, s->f) < 0)
            return -1;
        for (size_t v = 0; v < values->count; v++) {
            int r;

            if (matches[v])
                continue;
            if (s->finds++ >= FINDS_MAX)
                return fault_raise(s->f, FAULT_INVALID,
                                   "Too many values for the regular expressions.");
            r = pattern_find(p, values->items[v], s->f);
            if (r < 0)
                return -1;
            matches[v] = r == 1;
        }
    }
    return 0;
}

/* Those values that match (or that do not), each once. */
static struct texts
filter(struct apply *s, const struct texts *values, const bool *matches, bool wanted)
{
    struct texts out = { .items = ARENA_ARRAY(s->arena, const char *, values->count + 1) };

    for (size_t v = 0; v < values->count; v++) {
        bool there = false;

        for (size_t i = 0; i < out.count && !there; i++)
            there = str_equal(out.items[i], values->items[v]);
        if (matches[v] == wanted && !there)
            out.items[out.count++] = values->items[v];
    }
    return out;
}

/* 1: holds; what it lets through is added to 's'. 0: does not hold. */
static int
check_remote(struct apply *s, const json_t *remote)
{
    static const struct {
        const char *name;
        bool filters, wanted;
    } kinds[] = {
        { "any_one_of", false, true },
        { "not_any_of", false, false },
        { "blacklist", true, false },
        { "whitelist", true, true },
    };
    const struct texts *values = assertion_find(s->assertion, json_get_text(remote, "type"));
    bool *matches, any = false;

    if (values == NULL || values->count == 0)
        return 0;
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        const json_t *list = json_object_get(remote, kinds[k].name);

        if (list == NULL)
            continue;
        matches = ARENA_ARRAY(s->arena, bool, values->count);
        if (json_get_bool(remote, "regex")) {
            if (match_patterns(s, list, values, matches) < 0)
                return -1;
        } else {
            for (size_t v = 0; v < values->count; v++)
                matches[v] = find_text(list, values->items[v]) == 1;
        }
        if (kinds[k].filters) {
            s->values[s->values_count++] = filter(s, values, matches, kinds[k].wanted);
            return 1;
        }
        for (size_t v = 0; v < values->count; v++)
            any = any || matches[v];
        return any == kinds[k].wanted;
    }
    s->values[s->values_count++] = *values;
    return 1;
}

static int
rule_holds(struct apply *s, const json_t *remote)
{
    s->values_count = 0;
    for (size_t i = 0; i < json_array_size(remote) && i < MAPPING_PARTS_MAX; i++) {
        int r = check_remote(s, json_array_get(remote, i));

        if (r <= 0)
            return r;
    }
    return json_array_size(remote) > 0;
}

/* --- Local: texts with values put in */

/* The values that "{n}" stands for; 'at' is behind the brace and moves behind the closing one. NULL: there are none. */
static const struct texts *
placeholder(struct apply *s, const char **at, size_t *automatic)
{
    size_t size = strspn(*at, "0123456789");
    int64_t number;

    if (size > 3 || (*at)[size] != '}')
        return NULL;
    if (size == 0)
        number = (int64_t)(*automatic)++;
    else if (str_to_int64(arena_strndup(s->arena, *at, size), 0, INT64_MAX, &number) < 0)
        return NULL;
    *at += size + 1;
    return (size_t)number < s->values_count ? &s->values[number] : NULL;
}

/* One value as it is; several (or none) as a list reads: ['a', 'b']. */
static void
add_values(struct str *out, const struct texts *values)
{
    if (values->count == 1) {
        str_add(out, values->items[0]);
        return;
    }
    str_add(out, "[");
    for (size_t i = 0; i < values->count && out->size <= MAPPING_TEXT_MAX; i++)
        str_addf(out, "%s'%s'", i == 0 ? "" : ", ", values->items[i]);
    str_add(out, "]");
}

static int
fill(struct apply *s, const char *text, const char **ret)
{
    _cleanup_(str_done) struct str out = { 0 };
    size_t automatic = 0;

    while (*text != '\0' && out.size <= MAPPING_TEXT_MAX) {
        const struct texts *values;

        if ((text[0] == '{' || text[0] == '}') && text[1] == text[0]) {
            str_add_char(&out, text[0]);
            text += 2;
        } else if (*text != '{' && *text != '}') {
            str_add_char(&out, *text++);
        } else {
            text++;
            values = text[-1] == '{' ? placeholder(s, &text, &automatic) : NULL;
            if (values == NULL)
                return fault_raise(s->f, FAULT_INVALID,
                                   "A local part refers to a remote value that is not there.");
            add_values(&out, values);
        }
    }
    if (out.size > MAPPING_TEXT_MAX)
        return fault_raise(s->f, FAULT_INVALID, "A text with its values put in is too long.");
    *ret = arena_strndup(s->arena, str_text(&out), out.size);
    return 0;
}

/* A member that is text, filled; NULL when it is not there. */
static int
take_text(struct apply *s, const json_t *object, const char *name, const char **ret)
{
    const char *text = json_get_text(object, name);

    return text == NULL ? 0 : fill(s, text, ret);
}

static int
take_domain(struct apply *s, const json_t *object, struct mapped_domain *ret)
{
    const json_t *domain = json_object_get(object, "domain");

    return take_text(s, domain, "id", &ret->id) < 0 || take_text(s, domain, "name", &ret->name) < 0
               ? -1
               : 0;
}

/* --- Texts that stand for lists: "{0}", "['a', '{0}']", or one thing */

static bool
is_whole_placeholder(const char *text)
{
    size_t size = strlen(text);

    return size >= 2 && text[0] == '{' && text[size - 1] == '}' &&
           strspn(text + 1, "0123456789") == size - 2;
}

struct list {
    struct texts texts;
    size_t capacity;
};

static void
add_text(struct apply *s, struct list *list, const char *text)
{
    *ARRAY_PUSH(s->arena, list->texts.items, list->texts.count, list->capacity) = text;
}

static int
add_element(struct apply *s, const char *text, struct list *ret)
{
    size_t automatic = 0;
    const char *at = text + 1, *filled;

    if (is_whole_placeholder(text)) {
        const struct texts *values = placeholder(s, &at, &automatic);

        for (size_t i = 0; values != NULL && i < values->count; i++)
            add_text(s, ret, values->items[i]);
        if (values != NULL)
            return 0;
    }
    if (fill(s, text, &filled) < 0)
        return -1;
    add_text(s, ret, filled);
    return 0;
}

/* A quoted text of a list; 'at' is on its quote and moves behind it. NULL: there is none. */
static const char *
quoted(struct apply *s, const char **at)
{
    char quote = **at;
    const char *end = quote == '\'' || quote == '"' ? strchr(*at + 1, quote) : NULL;
    const char *text;

    if (end == NULL)
        return NULL;
    text = arena_strndup(s->arena, *at + 1, (size_t)(end - *at - 1));
    *at = end + 1 + strspn(end + 1, " ");
    return text;
}

/* 1: it was one. The template is what is read, never a value. */
static int
add_list(struct apply *s, const char *text, struct list *ret)
{
    struct texts parts = { .items = ARENA_ARRAY(s->arena, const char *, strlen(text) / 2 + 1) };

    if (*text != '[')
        return 0;
    for (text += 1 + strspn(text + 1, " "); *text != ']';) {
        const char *part = quoted(s, &text);

        if (part == NULL || (*text != ',' && *text != ']'))
            return 0;
        parts.items[parts.count++] = part;
        if (*text == ',')
            text += 1 + strspn(text + 1, " ");
    }
    if (text[1] != '\0')
        return 0;
    for (size_t i = 0; i < parts.count; i++) {
        if (add_element(s, parts.items[i], ret) < 0)
            return -1;
    }
    return 1;
}

static int
take_list(struct apply *s, const char *text, struct texts *ret)
{
    struct list list = { 0 };
    int r;

    r = add_list(s, text, &list);
    if (r == 0)
        r = add_element(s, text, &list);
    if (r < 0)
        return -1;
    *ret = list.texts;
    return 0;
}

/* --- Local: what it says */

static int
too_many_groups(struct apply *s)
{
    return fault_raise(s->f, FAULT_INVALID, "More than %d groups.", MAPPING_GROUPS_MAX);
}

static int
add_group(struct apply *s, const char *name, const struct mapped_domain *domain)
{
    struct mapped *m = s->ret;

    for (size_t i = 0; i < m->groups_count; i++) {
        if (str_equal(m->groups[i].name, name) && str_equal(m->groups[i].domain.id, domain->id) &&
            str_equal(m->groups[i].domain.name, domain->name))
            return 0;
    }
    if (m->groups_count == MAPPING_GROUPS_MAX)
        return too_many_groups(s);
    *ARRAY_PUSH(s->arena, m->groups, m->groups_count, s->groups_capacity) =
        (struct mapped_group){ name, *domain };
    return 0;
}

static int
add_group_id(struct apply *s, const char *id)
{
    struct texts *ids = &s->ret->group_ids;

    for (size_t i = 0; i < ids->count; i++) {
        if (str_equal(ids->items[i], id))
            return 0;
    }
    if (ids->count == MAPPING_GROUPS_MAX)
        return too_many_groups(s);
    *ARRAY_PUSH(s->arena, ids->items, ids->count, s->group_ids_capacity) = id;
    return 0;
}

/* The first user that a rule names is the one. */
static int
take_user(struct apply *s, const json_t *local)
{
    const json_t *user = json_object_get(local, "user");
    struct mapped *m = s->ret;

    if (json_object_size(user) == 0 || s->user)
        return 0;
    s->user = true;
    m->local = str_equal(json_get_text(user, "type"), "local");
    if (take_text(s, user, "id", &m->user_id) < 0 ||
        take_text(s, user, "name", &m->user_name) < 0 ||
        take_text(s, user, "email", &m->email) < 0 || take_domain(s, user, &m->user_domain) < 0)
        return -1;
    if (s->version_2 && m->user_domain.id == NULL && m->user_domain.name == NULL)
        return take_domain(s, local, &m->user_domain);
    return 0;
}

static int
take_group(struct apply *s, const json_t *group)
{
    struct mapped_domain domain = { 0 };
    const char *id = NULL, *name = NULL;

    if (take_text(s, group, "id", &id) < 0 || take_text(s, group, "name", &name) < 0 ||
        take_domain(s, group, &domain) < 0)
        return -1;
    if (id != NULL)
        return add_group_id(s, id);
    return name != NULL ? add_group(s, name, &domain) : 0;
}

/* "JSON:{"name": ..., "domain": {...}}": a group that brings its domain along. */
static int
add_json_group(struct apply *s, const char *text)
{
    struct mapped_domain domain = { 0 };
    const char *name;
    json_t *group;

    if (json_read(s->arena, text, strlen(text), &group, s->f) < 0)
        return -1;
    name = json_get_text(group, "name");
    domain.id = json_get_text(json_object_get(group, "domain"), "id");
    domain.name = json_get_text(json_object_get(group, "domain"), "name");
    if (name == NULL || (domain.id == NULL && domain.name == NULL))
        return fault_raise(s->f, FAULT_INVALID, "A group needs a name and a domain.");
    return add_group(s, name, &domain);
}

static int
take_groups(struct apply *s, const json_t *local)
{
    const char *text = json_get_text(local, "groups");
    bool has_domain = json_object_size(json_object_get(local, "domain")) > 0;
    struct mapped_domain domain = { 0 };
    struct texts names;

    if (text == NULL)
        return 0;
    if (take_domain(s, local, &domain) < 0 || take_list(s, text, &names) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        int r;

        if (has_domain)
            r = add_group(s, name, &domain);
        else if (str_starts(name, "JSON:"))
            r = add_json_group(s, name + strlen("JSON:"));
        else
            r = fault_raise(s->f, FAULT_INVALID,
                            "Both 'groups' and 'domain' keywords must be specified.");
        if (r < 0)
            return -1;
    }
    return 0;
}

static int
take_group_ids(struct apply *s, const json_t *local)
{
    const char *text = json_get_text(local, "group_ids");
    struct texts ids = { 0 };

    if (text != NULL && take_list(s, text, &ids) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        if (add_group_id(s, ids.items[i]) < 0)
            return -1;
    }
    return 0;
}

static int
take_project(struct apply *s, const json_t *local, const json_t *in, struct mapped_project *ret)
{
    const json_t *roles = json_object_get(in, "roles");
    size_t count = json_array_size(roles);

    ret->roles = (struct texts){ .items = ARENA_ARRAY(s->arena, const char *, count + 1) };
    if (take_text(s, in, "name", &ret->name) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (take_text(s, json_array_get(roles, i), "name", &ret->roles.items[i]) < 0)
            return -1;
        ret->roles.count++;
    }
    if (!s->version_2)
        return 0;
    if (take_domain(s, in, &ret->domain) < 0)
        return -1;
    return ret->domain.id == NULL && ret->domain.name == NULL ? take_domain(s, local, &ret->domain)
                                                              : 0;
}

/* The last list of projects is the one. */
static int
take_projects(struct apply *s, const json_t *local)
{
    const json_t *projects = json_object_get(local, "projects");
    size_t count = MIN(json_array_size(projects), (size_t)MAPPING_PARTS_MAX);
    struct mapped *m = s->ret;

    if (projects == NULL)
        return 0;
    m->projects = ARENA_ARRAY(s->arena, struct mapped_project, count + 1);
    m->projects_count = count;
    for (size_t i = 0; i < count; i++) {
        if (take_project(s, local, json_array_get(projects, i), &m->projects[i]) < 0)
            return -1;
    }
    return 0;
}

static int
take_local(struct apply *s, const json_t *local)
{
    s->any = true;
    return take_user(s, local) < 0 || take_group(s, json_object_get(local, "group")) < 0 ||
                   take_groups(s, local) < 0 || take_group_ids(s, local) < 0 ||
                   take_projects(s, local) < 0
               ? -1
               : 0;
}

int
mapping_apply(struct arena *a, const json_t *rules, bool version_2,
              const struct assertion *assertion, struct mapped *ret, struct fault *f)
{
    struct mapped mapped = { 0 };
    struct apply *s = ARENA_NEW(a, struct apply);

    *s = (struct apply){
        .arena = a, .assertion = assertion, .version_2 = version_2, .ret = &mapped, .f = f
    };
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i), *local = json_object_get(rule, "local");
        int holds = rule_holds(s, json_object_get(rule, "remote"));

        if (holds < 0)
            return -1;
        for (size_t j = 0; holds == 1 && j < json_array_size(local); j++) {
            if (take_local(s, json_array_get(local, j)) < 0)
                return -1;
        }
    }
    if (!s->any)
        return fault_raise(f, FAULT_INVALID,
                           "Could not map any federated user properties to identity values.");
    *ret = mapped;
    return 0;
}
