#include "federation_login.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "http/url.h"

enum { TOKEN_GROUPS_MAX = 64 };

/* --- The way in */

static int
not_found(const char *idp_id, const char *protocol_id, struct fault *f)
{
    fault_clear(f);
    return fault_raise(f, FAULT_NOT_FOUND,
                       "Could not find federated protocol %.64s for Identity Provider: %.64s.",
                       protocol_id, idp_id);
}

static int
find_provider(struct call *call, const char *idp_id, struct identity_provider *ret, struct fault *f)
{
    struct identity_provider *row = ret;

    if (resource_load(call->db, &identity_provider_resource, idp_id, NULL, false, ret, f) < 0 ||
        resource_load_computed(call, &identity_provider_resource, (void *const *)&row, 1, f) < 0)
        return -1;
    if (!ret->enabled)
        return fault_raise(f, FAULT_FORBIDDEN, "Identity Provider %.64s is disabled", idp_id);
    return 0;
}

int
federation_find_way(struct call *call, const char *idp_id, const char *protocol_id,
                    struct federation_way *ret, struct fault *f)
{
    if (find_provider(call, idp_id, &ret->idp, f) < 0)
        return -1;
    if (resource_load(call->db, &protocol_resource, protocol_id, idp_id, false, &ret->protocol, f) <
        0)
        return f->kind == FAULT_NOT_FOUND ? not_found(idp_id, protocol_id, f) : -1;
    if (resource_load(call->db, &mapping_resource, ret->protocol.mapping_id, NULL, false,
                      &ret->mapping, f) < 0)
        return f->kind == FAULT_NOT_FOUND ? login_refused(call, "the protocol's mapping is gone", f)
                                          : -1;
    return 0;
}

int
federation_check_way(struct call *call, const struct auth_context *token, struct fault *f)
{
    struct identity_provider idp = { 0 };

    if (token->idp_id == NULL)
        return 0;
    if (find_provider(call, token->idp_id, &idp, f) == 0)
        return 0;
    return f->kind == FAULT_NOT_FOUND ? login_refused(call, "the identity provider is gone", f)
                                      : -1;
}

/* A provider that has remote ids is only meant when the assertion names one of them. */
static int
check_remote_id(struct call *call, const struct federation_way *way,
                const struct assertion *assertion, struct fault *f)
{
    const struct texts *ids = &way->idp.remote_ids, *found;
    const char *attribute = way->protocol.remote_id_attribute;

    if (str_empty(attribute))
        attribute = identity_of(call)->config->remote_id_attribute;
    if (str_empty(attribute) || ids->count == 0)
        return 0;
    found = assertion_find(assertion, attribute);
    if (found == NULL || found->count != 1)
        return login_refused(call, "the assertion does not name its identity provider", f);
    for (size_t i = 0; i < ids->count; i++) {
        if (str_equal(ids->items[i], found->items[0]))
            return 0;
    }
    return fault_raise(
        f, FAULT_FORBIDDEN,
        "Incoming identity provider identifier not included among the accepted identifiers.");
}

/* --- Groups */

static bool
has(const struct texts *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i], text))
            return true;
    }
    return false;
}

/* The mapping's groups as ids. One named by id has to be there; one named by name may be absent. */
static int
resolve_groups(struct call *call, const struct mapped *m, struct texts *ret, struct fault *f)
{
    struct groups_known_row *known;
    size_t count;

    *ret = (struct texts){ .items = ARENA_ARRAY(call->arena, const char *,
                                                m->group_ids.count + m->groups_count + 1) };
    if (groups_known(call->db, &m->group_ids, &known, &count, f) < 0)
        return -1;
    if (count < m->group_ids.count)
        return login_refused(call, "the mapping names a group by an id that is not there", f);
    for (size_t i = 0; i < count; i++)
        ret->items[ret->count++] = known[i].id;
    for (size_t i = 0; i < m->groups_count; i++) {
        const struct mapped_group *g = &m->groups[i];
        struct group_find_row row;
        int found = group_find(call->db, g->name, g->domain.id, g->domain.name, &row, f);

        if (found < 0)
            return -1;
        if (found == 1 && (g->domain.id != NULL || g->domain.name != NULL) && !has(ret, row.id))
            ret->items[ret->count++] = row.id;
    }
    return 0;
}

/* A token has room for so many: of more, those without a role anywhere are left out, which change nothing. */
static int
fit_token(struct call *call, struct texts *groups, struct fault *f)
{
    struct groups_with_roles_row *rows;
    size_t count;

    if (groups->count <= TOKEN_GROUPS_MAX)
        return 0;
    if (groups_with_roles(call->db, groups, &rows, &count, f) < 0)
        return -1;
    if (count > TOKEN_GROUPS_MAX)
        return login_refused(call, "more groups with roles than a token has room for", f);
    for (size_t i = 0; i < count; i++)
        groups->items[i] = rows[i].id;
    groups->count = count;
    return 0;
}

/* What the provider says now stands in the place of what it said last time. */
static int
store_members(struct call *call, struct db_tx *tx, const struct federation_way *way,
              const char *user_id, const struct texts *groups, struct fault *f)
{
    int64_t minutes = field_null(&way->idp.set, IDENTITY_PROVIDER_F_AUTHORIZATION_TTL)
                          ? identity_of(call)->config->authorization_ttl_min
                          : way->idp.authorization_ttl;

    if (federated_members_forget(tx->db, user_id, way->idp.id, f) < 0)
        return -1;
    if (minutes == 0 || groups->count == 0)
        return 0;
    return federated_members_add(tx->db, user_id, groups, way->idp.id,
                                 clock_now_us() + minutes * INT64_C(60000000), f) < 0
               ? -1
               : 0;
}

/* --- Projects */

/* Where the mapping says, else where the provider's users are. */
static int
domain_of(struct call *call, const struct federation_way *way, const struct mapped_domain *domain,
          const char **ret, struct fault *f)
{
    struct scope_domain_row row;
    int found;

    *ret = way->idp.domain_id;
    if (domain->id == NULL && domain->name == NULL)
        return 0;
    found = scope_domain(call->db, domain->id, domain->name, &row, f);
    if (found == 0)
        return login_refused(call, "the mapping names a domain that is not there", f);
    *ret = row.id;
    return found < 0 ? -1 : 0;
}

/* Made when it is not there. The lock lets one of those who come at once make it. */
static int
take_project(struct db_tx *tx, const char *name, const char *domain_id, const char **ret,
             struct fault *f)
{
    struct project row = { .id = uuid_make_hex(tx->db->arena),
                           .name = name,
                           .domain_id = domain_id,
                           .parent_id = domain_id };
    struct scope_project_row there;
    int found;

    if (db_tx_lock(tx, arena_printf(tx->db->arena, "federation project %s %s", domain_id, name),
                   f) < 0)
        return -1;
    found = scope_project_by_name(tx->db, name, domain_id, NULL, &there, f);
    *ret = found == 1 ? there.id : row.id;
    if (found != 0)
        return found < 0 ? -1 : 0;
    field_mark(&row.set, PROJECT_F_ID);
    field_mark(&row.set, PROJECT_F_NAME);
    field_mark(&row.set, PROJECT_F_DOMAIN_ID);
    field_mark(&row.set, PROJECT_F_PARENT_ID);
    return resource_insert(tx->db, &project_resource, &row, f);
}

static int
give_project(struct call *call, struct db_tx *tx, const struct federation_way *way,
             const struct mapped_project *p, const char *user_id, struct fault *f)
{
    const char *domain_id, *project_id;

    if (str_empty(p->name) || str_utf8_length(p->name) > 64)
        return login_refused(call, "the mapping gives a project whose name is none", f);
    if (domain_of(call, way, &p->domain, &domain_id, f) < 0 ||
        take_project(tx, p->name, domain_id, &project_id, f) < 0)
        return -1;
    for (size_t i = 0; i < p->roles.count; i++) {
        struct role_find_row role;
        int found = role_find(tx->db, p->roles.items[i], domain_id, &role, f);

        if (found == 0)
            return login_refused(call, "the mapping gives a role that is not there", f);
        if (found < 0 ||
            grant_add_row(tx->db, role.id, "user", user_id, "project", project_id, false, f) < 0)
            return -1;
    }
    return 0;
}

/* --- The account */

/* As it is kept: what is no letter, digit or mark of a URL's path is encoded. */
static char *
unique_id_of(struct arena *a, const char *id)
{
    char *text = url_encode(a, id), *to = text;

    for (const char *at = text; *at != '\0'; to++) {
        bool slash = str_starts(at, "%2F");

        *to = slash ? '/' : *at;
        at += slash ? 3 : 1;
    }
    *to = '\0';
    return text;
}

/* The account of who is known to the provider as that; made when he comes for the first time. */
static int
take_account(struct call *call, struct db_tx *tx, const struct federation_way *way,
             const struct mapped *m, const char *unique_id, const char *name, const char **ret,
             struct fault *f)
{
    static const struct mapped_domain provider_s;
    bool version_2 = way->mapping.schema_version == MAPPING_SCHEMA_VERSION_2_0;
    struct federated_user_find_row row;
    const char *domain_id, *id;
    int found;

    if (db_tx_lock(tx,
                   arena_printf(call->arena, "federated user %s %s %s", way->idp.id,
                                way->protocol.id, unique_id),
                   f) < 0)
        return -1;
    found = federated_user_find(tx->db, way->idp.id, way->protocol.id, unique_id, &row, f);
    if (found < 0)
        return -1;
    if (found == 1) {
        *ret = row.user_id;
        return shadow_account_rename(tx->db, row.user_id, name, m->email, f) < 0 ? -1 : 0;
    }
    id = uuid_make_hex(call->arena);
    *ret = id;
    return domain_of(call, way, version_2 ? &m->user_domain : &provider_s, &domain_id, f) < 0 ||
                   shadow_account_add(tx->db, id, name, domain_id, m->email, f) < 0 ||
                   federated_user_add(tx->db, way->idp.id, way->protocol.id, unique_id, id, f) < 0
               ? -1
               : 0;
}

static int
take_login(struct call *call, const struct federation_way *way, const struct account_login_row *row,
           struct login *l, struct fault *f)
{
    const char **methods = ARENA_ARRAY(call->arena, const char *, 1);
    struct user_options options = user_options_read(row->options);

    if (!login_account_enabled(row))
        return login_refused(call, "the account or its domain is disabled", f);
    methods[0] = way->protocol.id;
    if (!user_rules_satisfied(&options, methods, 1, login_method_known))
        return login_refused(call, "the user's rules ask for more than the provider's word", f);
    l->who.methods = methods;
    l->who.methods_count = 1;
    return login_take_user(call, row, l, f);
}

/* "type": "local": somebody who has an account of his own here. */
static int
login_local(struct call *call, const struct federation_way *way, const struct mapped *m,
            struct login *l, struct fault *f)
{
    struct domain_ref domain = { .id = m->user_domain.id, .name = m->user_domain.name };
    struct user_ref user = { .id = m->user_id, .name = m->user_name, .domain = &domain };
    struct account_login_row row;
    int found = login_find_user(call, &user, &row, f);

    if (found < 0 && f->kind == FAULT_INVALID)
        return login_refused(call, "the mapping names no user", f);
    if (found == 0)
        return login_refused(call, "the mapping names a user who is not there", f);
    return found < 0 ? -1 : take_login(call, way, &row, l, f);
}

static int
login_ephemeral(struct call *call, const struct federation_way *way, const struct mapped *m,
                const struct assertion *assertion, struct login *l, struct fault *f)
{
    const struct texts *remote = assertion_find(assertion, "REMOTE_USER");
    const char *name = m->user_name, *unique, *user_id;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct account_login_row row;
    struct texts groups;

    if (str_empty(name) && remote != NULL && remote->count == 1)
        name = remote->items[0];
    if (str_empty(name))
        name = m->user_id;
    unique = str_empty(m->user_id) ? name : m->user_id;
    if (str_empty(unique) || str_utf8_length(name) > 255)
        return login_refused(call, "the mapping names no user", f);
    unique = unique_id_of(call->arena, unique);
    if (resolve_groups(call, m, &groups, f) < 0 || db_tx_begin(&tx, call->db, f) < 0 ||
        take_account(call, &tx, way, m, unique, name, &user_id, f) < 0 ||
        store_members(call, &tx, way, user_id, &groups, f) < 0 || fit_token(call, &groups, f) < 0)
        return -1;
    for (size_t i = 0; i < m->projects_count; i++) {
        if (give_project(call, &tx, way, &m->projects[i], user_id, f) < 0)
            return -1;
    }
    if (login_load_user(call, user_id, &row, f) != 1)
        return f->kind == FAULT_NONE ? login_refused(call, "the account is gone", f) : -1;
    if (take_login(call, way, &row, l, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    l->who.idp_id = way->idp.id;
    l->who.protocol_id = way->protocol.id;
    l->who.group_ids = groups.items;
    l->who.group_ids_count = groups.count;
    return 0;
}

int
federation_login(struct call *call, const struct federation_way *way,
                 const struct assertion *assertion, struct login *l, struct fault *f)
{
    bool version_2 = way->mapping.schema_version == MAPPING_SCHEMA_VERSION_2_0;
    struct mapped m;

    if (check_remote_id(call, way, assertion, f) < 0)
        return -1;
    if (mapping_apply(call->arena, way->mapping.rules, version_2, assertion, &m, f) < 0)
        return login_refused(call,
                             arena_printf(call->arena, "mapping %.64s: %.300s", way->mapping.id,
                                          f->message),
                             f);
    return m.local ? login_local(call, way, &m, l, f)
                   : login_ephemeral(call, way, &m, assertion, l, f);
}
