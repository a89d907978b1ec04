/* Domain configuration: options that a domain has of its own, in place of the daemon's. Which there are is a table
 * (domain_options.def); here is what may be asked of them: one option, a section or all at a time. */
#include "domain_config.h"

#include "base/json.h"
#include "base/str.h"

#define REFUSED "Invalid domain specific configuration: "

static const struct domain_option {
    const char *section, *name, *fallback; /* JSON; NULL: secret. */
} options[] = {
#define DOMAIN_OPTION(section, name, fallback) { section, name, fallback },
#define DOMAIN_SECRET(section, name) { section, name, NULL },
#include "domain_options.def"
#undef DOMAIN_OPTION
#undef DOMAIN_SECRET
};

/* The first of the section when 'name' is NULL. */
static const struct domain_option *
find_option(const char *section, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (str_equal(options[i].section, section) &&
            (name == NULL || str_equal(options[i].name, name)))
            return &options[i];
    }
    return NULL;
}

static int
check_option(const char *section, const char *name, struct fault *f)
{
    if (section != NULL && find_option(section, NULL) == NULL)
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED
                           "Group %.100s is not supported for domain specific configurations.",
                           section);
    if (name != NULL && find_option(section, name) == NULL)
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED "Option %.100s in group %.100s is not supported for domain "
                                   "specific configurations.",
                           name, section);
    return 0;
}

static int
check_config(const json_t *config, struct fault *f)
{
    const char *section, *name;
    json_t *group, *value;

    if (json_object_size(config) == 0)
        return fault_raise(f, FAULT_FORBIDDEN, REFUSED "No options specified.");
    json_object_foreach((json_t *)(uintptr_t)config, section, group)
    {
        if (json_object_size(group) == 0)
            return fault_raise(f, FAULT_FORBIDDEN,
                               REFUSED "The value of group %.100s specified in the config should "
                                       "be a dictionary of options.",
                               section);
        json_object_foreach(group, name, value)
        {
            if (check_option(section, name, f) < 0)
                return -1;
        }
    }
    return 0;
}

static int
not_set(const char *domain_id, const char *section, const char *name, struct fault *f)
{
    char what[256] = "any options";

    if (name != NULL)
        snprintf(what, sizeof(what), "option %.100s in group %.100s", name, section);
    else if (section != NULL)
        snprintf(what, sizeof(what), "group %.100s", section);
    return fault_raise(f, FAULT_NOT_FOUND,
                       "Could not find %s in domain configuration for domain %.64s.", what,
                       domain_id);
}

/* {"config": {section: {...}}}, or {"config": {name: value}} for one option. Rows are in order of their sections. */
static void
reply_rows(struct call *call, const struct domain_option_row *rows, size_t count, bool one)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "config");
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || !str_equal(rows[i].section, rows[i - 1].section);
        bool last = i + 1 == count || !str_equal(rows[i].section, rows[i + 1].section);

        if (!one && first)
            jsonw_object(w, rows[i].section);
        jsonw_json(w, rows[i].name, rows[i].value);
        if (!one && last)
            jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
}

static int
load_domain(struct call *call, bool lock, struct fault *f)
{
    struct domain domain = { 0 };

    return resource_load(call->db, &domain_resource, call_param(call, "domain_id"), NULL, lock,
                         &domain, f);
}

int
domain_config_show(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "domain_id"), *section = call_param_find(call, "group"),
               *name = call_param_find(call, "option");
    struct domain_option_row *rows;
    size_t count;

    if (load_domain(call, false, f) < 0 || check_option(section, name, f) < 0 ||
        domain_config_rows(call->db, id, section, name, &rows, &count, f) < 0)
        return -1;
    if (count == 0)
        return not_set(id, section, name, f);
    reply_rows(call, rows, count, name != NULL);
    return 0;
}

/* Stores what 'config' says, in the transaction. */
static int
store(struct db *db, const char *domain_id, const json_t *config, struct fault *f)
{
    const char *section, *name;
    json_t *group, *value;

    json_object_foreach((json_t *)(uintptr_t)config, section, group)
    {
        json_object_foreach(group, name, value)
        {
            int r = find_option(section, name)->fallback == NULL
                        ? domain_secret_put(db, domain_id, section, name, value, f)
                        : domain_config_put(db, domain_id, section, name, value, f);

            if (r < 0)
                return -1;
        }
    }
    return 0;
}

/* How much of it is set, secrets too. */
static int
count_set(struct db *db, const char *domain_id, const char *section, const char *name, size_t *ret,
          struct fault *f)
{
    struct domain_option_row *rows;
    size_t secrets;

    if (domain_config_rows(db, domain_id, section, name, &rows, ret, f) < 0 ||
        domain_secret_rows(db, domain_id, section, name, &rows, &secrets, f) < 0)
        return -1;
    *ret += secrets;
    return 0;
}

/* A directory that is configured anew is read anew. */
static int
commit(struct db_tx *tx, const char *domain_id, struct fault *f)
{
    return directory_forget_sync(tx->db, domain_id, f) < 0 ? -1 : db_tx_commit(tx, f);
}

static int
forget(struct db *db, const char *domain_id, const char *section, const char *name, struct fault *f)
{
    return domain_config_forget(db, domain_id, section, name, f) < 0 ||
                   domain_secret_forget(db, domain_id, section, name, f) < 0
               ? -1
               : 0;
}

static int
reply_all(struct call *call, const char *id, struct fault *f)
{
    struct domain_option_row *rows;
    size_t count;

    if (domain_config_rows(call->db, id, NULL, NULL, &rows, &count, f) < 0)
        return -1;
    reply_rows(call, rows, count, false);
    return 0;
}

/* PUT: this and nothing else. */
int
domain_config_create(struct call *call, const struct domain_config_input *in, struct fault *f)
{
    const char *id = call_param(call, "domain_id");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    size_t before;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_domain(call, true, f) < 0 ||
        check_config(in->config, f) < 0 || count_set(tx.db, id, NULL, NULL, &before, f) < 0 ||
        forget(tx.db, id, NULL, NULL, f) < 0 || store(tx.db, id, in->config, f) < 0 ||
        commit(&tx, id, f) < 0)
        return -1;
    call_status(call, before > 0 ? 200 : 201);
    return reply_all(call, id, f);
}

/* A request for one section or option may hold nothing else, and what it changes must be there. */
static int
check_update(struct call *call, const json_t *config, const char *section, const char *name,
             struct fault *f)
{
    const char *id = call_param(call, "domain_id");
    size_t count;

    if (check_config(config, f) < 0 || check_option(section, name, f) < 0)
        return -1;
    if (section == NULL)
        return 0;
    if (name != NULL && (json_object_size(json_object_get(config, section)) != 1 ||
                         json_object_get(json_object_get(config, section), name) == NULL))
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED
                           "Trying to update option %.100s in group %.100s, so that, and only "
                           "that, option must be specified  in the config.",
                           name, section);
    if (json_object_size(config) != 1 || json_object_get(config, section) == NULL)
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED "Trying to update group %.100s, so that, and only that, group "
                                   "must be specified in the config.",
                           section);
    if (count_set(call->db, id, section, name, &count, f) < 0)
        return -1;
    return count > 0 ? 0 : not_set(id, section, name, f);
}

int
domain_config_update(struct call *call, const struct domain_config_input *in, struct fault *f)
{
    const char *id = call_param(call, "domain_id"), *section = call_param_find(call, "group"),
               *name = call_param_find(call, "option");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const json_t *config = in->config;

    if (name != NULL)
        config = json_own(call->arena, json_pack("{sO}", section, in->config));
    if (db_tx_begin(&tx, call->db, f) < 0 || load_domain(call, true, f) < 0 ||
        check_update(call, config, section, name, f) < 0 || store(tx.db, id, config, f) < 0 ||
        commit(&tx, id, f) < 0)
        return -1;
    return reply_all(call, id, f);
}

int
domain_config_delete(struct call *call, struct fault *f)
{
    const char *id = call_param(call, "domain_id"), *section = call_param_find(call, "group"),
               *name = call_param_find(call, "option");
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    size_t count;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_domain(call, true, f) < 0 ||
        check_option(section, name, f) < 0 || count_set(tx.db, id, section, name, &count, f) < 0)
        return -1;
    if (section != NULL && count == 0)
        return not_set(id, section, name, f);
    if (forget(tx.db, id, section, name, f) < 0)
        return -1;
    return commit(&tx, id, f);
}

/* The defaults, as rows: of one option, of a section, or all. */
static size_t
default_rows(struct arena *a, const char *section, const char *name, struct domain_option_row **ret)
{
    struct domain_option_row *rows = ARENA_ARRAY(a, struct domain_option_row, ARRAY_SIZE(options));
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const struct domain_option *o = &options[i];

        if (o->fallback == NULL || (section != NULL && !str_equal(o->section, section)) ||
            (name != NULL && !str_equal(o->name, name)))
            continue;
        rows[count].section = o->section;
        rows[count].name = o->name;
        rows[count++].value = json_own(a, json_loads(o->fallback, JSON_DECODE_ANY, NULL));
    }
    *ret = rows;
    return count;
}

int
domain_config_defaults(struct call *call, struct fault *f)
{
    const char *section = call_param_find(call, "group"), *name = call_param_find(call, "option");
    struct domain_option_row *rows;
    size_t count;

    if (check_option(section, name, f) < 0)
        return -1;
    count = default_rows(call->arena, section, name, &rows);
    if (count == 0)
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED "Option %.100s in group %.100s is not supported for domain "
                                   "specific configurations.",
                           name, section);
    reply_rows(call, rows, count, name != NULL);
    return 0;
}

/* What passwords must be like: the daemon's own, and the same for every domain; but it is asked of the default one. */
int
domain_config_compliance(struct call *call, struct fault *f)
{
    const struct identity_config *config = identity_of(call)->config;
    const struct {
        const char *name, *value;
    } readable[] = { { "password_regex", config->password_regex },
                     { "password_regex_description", config->password_regex_description } };
    struct domain_option_row rows[ARRAY_SIZE(readable)];
    const char *name = call_param_find(call, "option");
    size_t count = 0;

    if (!str_equal(call_param(call, "domain_id"), "default"))
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED "Reading security compliance information for any domain other "
                                   "than the default domain is not allowed or supported.");
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
        if (name != NULL && !str_equal(name, readable[i].name))
            continue;
        rows[count].section = "security_compliance";
        rows[count].name = readable[i].name;
        rows[count++].value =
            json_own(call->arena,
                     str_empty(readable[i].value) ? json_null() : json_string(readable[i].value));
    }
    if (count == 0)
        return fault_raise(f, FAULT_FORBIDDEN,
                           REFUSED "Reading security compliance values other than password_regex "
                                   "and password_regex_description is not allowed.");
    reply_rows(call, rows, count, name != NULL);
    return 0;
}

/* --- For the rest of the service */

/* 'text' with each "%(name)s" that 'secrets' has a text for replaced by it; "%%" is a percent sign. */
static const char *
substitute(struct arena *a, const char *text, const json_t *secrets)
{
    struct str s = { 0 };
    char *copy;

    for (const char *at = text; *at != '\0'; at++) {
        size_t size = str_starts(at, "%(") ? strcspn(at + 2, ")") : 0;
        const char *value =
            size == 0 ? NULL : json_get_text(secrets, arena_strndup(a, at + 2, size));

        if (value != NULL && str_starts(at + 2 + size, ")s")) {
            str_add(&s, value);
            at += 2 + size + 1;
        } else {
            str_add_char(&s, *at);
            at += str_starts(at, "%%");
        }
    }
    copy = arena_strdup(a, str_text(&s));
    str_done(&s);
    return copy;
}

static void
put(json_t *config, const struct domain_option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *group = json_object_get(config, rows[i].section);

        if (group == NULL) {
            group = json_object();
            json_object_set_new(config, rows[i].section, group);
        }
        json_object_set(group, rows[i].name, rows[i].value);
    }
}

int
domain_config_load(struct db *db, const char *domain_id, json_t **ret, struct fault *f)
{
    json_t *config = json_own(db->arena, json_object()),
           *secret = json_own(db->arena, json_object());
    struct domain_option_row *defaults, *own, *secrets;
    size_t defaults_count, own_count, secrets_count;

    if (domain_config_rows(db, domain_id, NULL, NULL, &own, &own_count, f) < 0 ||
        domain_secret_rows(db, domain_id, NULL, NULL, &secrets, &secrets_count, f) < 0)
        return -1;
    defaults_count = default_rows(db->arena, NULL, NULL, &defaults);
    put(config, defaults, defaults_count);
    put(secret, secrets, secrets_count);
    for (size_t i = 0; i < own_count; i++) {
        if (json_is_string(own[i].value))
            own[i].value =
                json_own(db->arena,
                         json_string(substitute(db->arena, json_string_value(own[i].value),
                                                json_object_get(secret, own[i].section))));
    }
    put(config, own, own_count);
    put(config, secrets, secrets_count);
    *ret = config;
    return own_count + secrets_count > 0;
}

static const json_t *
member(const json_t *config, const char *section, const char *name)
{
    return json_object_get(json_object_get(config, section), name);
}

const char *
domain_config_text(const json_t *config, const char *section, const char *name)
{
    return json_string_value(member(config, section, name));
}

int64_t
domain_config_int(const json_t *config, const char *section, const char *name)
{
    const json_t *value = member(config, section, name);
    int64_t number = 0;

    if (json_is_string(value))
        return str_to_int64(json_string_value(value), INT64_MIN, INT64_MAX, &number) < 0 ? 0
                                                                                         : number;
    return json_integer_value(value);
}

bool
domain_config_bool(const json_t *config, const char *section, const char *name)
{
    const json_t *value = member(config, section, name);
    bool yes = false;

    if (json_is_string(value))
        return str_to_bool(json_string_value(value), &yes) == 0 && yes;
    return json_is_true(value);
}
