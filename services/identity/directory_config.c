#include "directory_config.h"

#include <ldap.h>

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"
#include "domain_config.h"

#define DEFAULT_TIMEOUT_S 10
#define MAX_TIMEOUT_S 60

struct named {
    const char *name;
    int value;
};

static const struct named scopes[] = { { "one", LDAP_SCOPE_ONELEVEL },
                                       { "sub", LDAP_SCOPE_SUBTREE },
                                       { NULL, 0 } };
static const struct named dereferences[] = { { "default", -1 },
                                             { "never", LDAP_DEREF_NEVER },
                                             { "searching", LDAP_DEREF_SEARCHING },
                                             { "finding", LDAP_DEREF_FINDING },
                                             { "always", LDAP_DEREF_ALWAYS },
                                             { NULL, 0 } };
static const struct named certificates[] = { { "demand", LDAP_OPT_X_TLS_DEMAND },
                                             { "allow", LDAP_OPT_X_TLS_ALLOW },
                                             { "never", LDAP_OPT_X_TLS_NEVER },
                                             { NULL, 0 } };

static const char *
text(const json_t *options, const char *name)
{
    const char *value = domain_config_text(options, "ldap", name);

    return str_empty(value) ? NULL : value;
}

static int
read_named(const json_t *options, const char *name, const struct named *names, int *ret,
           struct fault *f)
{
    const char *value = text(options, name);

    for (size_t i = 0; names[i].name != NULL; i++) {
        if (str_equal(value, names[i].name)) {
            *ret = names[i].value;
            return 0;
        }
    }
    return fault_raise_field(f, name, "ldap.%s is not a value it may have.", name);
}

/* Never a socket of this machine: a domain's administrator doesn't choose what the daemon talks to there. */
static int
check_urls(struct arena *a, const char *urls, struct fault *f)
{
    size_t count;
    char **parts = urls == NULL ? NULL : str_split(a, urls, ',', &count);

    if (parts == NULL)
        return fault_raise_field(f, "url", "ldap.url is missing.");
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(parts[i], "ldap://") && !str_starts(parts[i], "ldaps://"))
            return fault_raise_field(f, "url", "ldap.url must begin with ldap:// or ldaps://.");
    }
    return 0;
}

/* A filter of the options' own stands in parentheses, or is given them. */
static const char *
filter(struct arena *a, const char *class, const char *more)
{
    if (more == NULL)
        return arena_printf(a, "(objectClass=%s)", class == NULL ? "*" : class);
    return arena_printf(a, more[0] == '(' ? "(&(objectClass=%s)%s)" : "(&(objectClass=%s)(%s))",
                        class == NULL ? "*" : class, more);
}

static bool
is_ignored(const json_t *options, const char *list, const char *name)
{
    return json_has_text(json_object_get(json_object_get(options, "ldap"), list), name);
}

static void
read_users(struct arena *a, const json_t *options, const char *suffix, struct directory *d)
{
    const char *tree = text(options, "user_tree_dn"),
               *group = text(options, "user_enabled_emulation_dn");

    d->users.base = tree != NULL ? tree : arena_printf(a, "ou=Users,%s", suffix);
    d->users.filter = filter(a, text(options, "user_objectclass"), text(options, "user_filter"));
    d->users.id = text(options, "user_id_attribute");
    d->users.name = text(options, "user_name_attribute");
    if (!is_ignored(options, "user_attribute_ignore", "description"))
        d->users.description = text(options, "user_description_attribute");
    if (!is_ignored(options, "user_attribute_ignore", "email"))
        d->users.mail = text(options, "user_mail_attribute");
    if (domain_config_bool(options, "ldap", "user_enabled_emulation"))
        d->enabled.group_dn =
            group != NULL ? group : arena_printf(a, "cn=enabled_users,%s", d->users.base);
    else if (!is_ignored(options, "user_attribute_ignore", "enabled"))
        d->enabled.attribute = text(options, "user_enabled_attribute");
    d->enabled.mask = domain_config_int(options, "ldap", "user_enabled_mask");
    d->enabled.invert = domain_config_bool(options, "ldap", "user_enabled_invert");
    d->enabled.fallback = text(options, "user_enabled_default");
}

static void
read_groups(struct arena *a, const json_t *options, const char *suffix, struct directory *d)
{
    const char *tree = text(options, "group_tree_dn");

    d->groups.base = tree != NULL ? tree : arena_printf(a, "ou=UserGroups,%s", suffix);
    d->groups.filter = filter(a, text(options, "group_objectclass"), text(options, "group_filter"));
    d->groups.id = text(options, "group_id_attribute");
    d->groups.name = text(options, "group_name_attribute");
    if (!is_ignored(options, "group_attribute_ignore", "description"))
        d->groups.description = text(options, "group_desc_attribute");
    d->member = text(options, "group_member_attribute");
    d->members_are_ids = domain_config_bool(options, "ldap", "group_members_are_ids");
    d->nested = domain_config_bool(options, "ldap", "group_ad_nesting");
}

int
directory_config_read(struct arena *a, const char *domain_id, const json_t *options,
                      struct directory *ret, struct fault *f)
{
    const char *suffix = text(options, "suffix");
    struct directory d = { .domain_id = domain_id, .url = text(options, "url") };
    int64_t timeout = domain_config_int(options, "ldap", "connection_timeout");

    if (check_urls(a, d.url, f) < 0 ||
        read_named(options, "query_scope", scopes, &d.scope, f) < 0 ||
        read_named(options, "alias_dereferencing", dereferences, &d.dereference, f) < 0 ||
        read_named(options, "tls_req_cert", certificates, &d.require_certificate, f) < 0)
        return -1;
    d.user = text(options, "user");
    d.password = text(options, "password");
    d.chase_referrals = domain_config_bool(options, "ldap", "chase_referrals");
    d.page_size = MIN(MAX(domain_config_int(options, "ldap", "page_size"), 0), 10000);
    d.start_tls = domain_config_bool(options, "ldap", "use_tls");
    d.ca_file = text(options, "tls_cacertfile");
    d.ca_directory = text(options, "tls_cacertdir");
    d.timeout_s = timeout <= 0 ? DEFAULT_TIMEOUT_S : MIN(timeout, MAX_TIMEOUT_S);
    read_users(a, options, suffix == NULL ? "" : suffix, &d);
    read_groups(a, options, suffix == NULL ? "" : suffix, &d);
    if (d.users.id == NULL || d.users.name == NULL || d.groups.id == NULL ||
        d.groups.name == NULL || d.member == NULL)
        return fault_raise_field(f, "ldap",
                                 "Users and groups need attributes for id, name and members.");
    *ret = d;
    return 0;
}
