#include "directory.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/uuid.h"
#include "directory_rows.h"
#include "domain_config.h"
#include "revocations.h"

#define TICK_S 2
/* Active Directory's rule that follows groups in groups (LDAP_MATCHING_RULE_IN_CHAIN). */
#define IN_CHAIN ":1.2.840.113556.1.4.1941:"

struct directories {
    struct identity *identity;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stopping GUARDED_BY(mutex);
    unsigned asking GUARDED_BY(mutex); /* Log-ins that wait for a directory. */
};

/* What a reading gathers. */
struct harvest {
    const struct directory *d;
    struct arena *arena;
    json_t *users, *groups, *members;
    json_t *enabled; /* DNs of the members of d->enabled.group_dn, as keys. */
};

static int
load(struct db *db, const char *domain_id, struct directory *ret, struct fault *f)
{
    json_t *options;

    if (domain_config_load(db, domain_id, &options, f) < 0)
        return -1;
    return directory_config_read(db->arena, domain_id, options, ret, f);
}

static void
harvest_init(struct harvest *h, const struct directory *d, struct arena *a)
{
    *h = (struct harvest){ .d = d, .arena = a };
    h->users = json_own(a, json_array());
    h->groups = json_own(a, json_array());
    h->members = json_own(a, json_array());
    h->enabled = json_own(a, json_object());
}

static int
take_user(void *owner, const struct directory_entry *e, struct fault *f)
{
    struct harvest *h = owner;
    json_t *row = directory_user_row(h->arena, h->d, e, json_object_get(h->enabled, e->dn) != NULL);

    (void)f;
    if (row != NULL)
        json_array_append_new(h->users, row);
    return 0;
}

static int
take_group(void *owner, const struct directory_entry *e, struct fault *f)
{
    struct harvest *h = owner;
    json_t *row = directory_group_row(h->arena, h->d, e);

    (void)f;
    if (row == NULL)
        return 0;
    json_array_append_new(h->groups, row);
    directory_member_rows(h->arena, h->d, e, h->members);
    return 0;
}

static int
take_enabled(void *owner, const struct directory_entry *e, struct fault *f)
{
    struct harvest *h = owner;
    const json_t *value;
    size_t i;

    (void)f;
    json_array_foreach(directory_values(e, h->d->member), i, value)
    {
        json_object_set_new(h->enabled, directory_dn(h->arena, json_string_value(value)),
                            json_true());
    }
    return 0;
}

/* The group whose members are enabled, where the options have one. */
static int
read_enabled(struct directory_link *link, struct harvest *h, struct fault *f)
{
    struct directory_kind group = { .base = h->d->enabled.group_dn, .filter = "(objectClass=*)" };
    struct directory at_base = *h->d;

    if (group.base == NULL)
        return 0;
    at_base.scope = 0; /* LDAP_SCOPE_BASE */
    return directory_search(link, &at_base, &group, NULL, h->arena, take_enabled, h, f);
}

/* --- Into the tables */

static int
end_tokens(struct identity *identity, struct db_tx *tx, const char *user_id, struct fault *f)
{
    struct revocation r = { .user_id = user_id };

    return revoke_tokens_of(identity, tx->db->arena, tx, &r, f);
}

static int
put_members(struct identity *identity, struct db_tx *tx, const struct harvest *h,
            const char *only_user, struct fault *f)
{
    struct directory_members_put_row *gone;
    bool nested = h->d->nested && only_user == NULL;
    size_t count;

    if (directory_members_put(tx->db, h->d->domain_id, h->members, h->d->members_are_ids, nested,
                              only_user, &gone, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (end_tokens(identity, tx, gone[i].user_id, f) < 0)
            return -1;
    }
    return 0;
}

/* All of a directory; who is not in it any more, or disabled there, is disabled here and his tokens end. */
static int
put_all(struct identity *identity, struct db *db, const struct harvest *h, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *domain_id = h->d->domain_id;
    struct directory_users_lost_row *lost;
    size_t count;

    if (db_tx_begin(&tx, db, f) < 0 ||
        directory_users_lost(tx.db, domain_id, h->users, &lost, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (end_tokens(identity, &tx, lost[i].id, f) < 0)
            return -1;
    }
    if (directory_users_put(tx.db, domain_id, h->users, f) < 0 ||
        directory_groups_put(tx.db, domain_id, h->groups, f) < 0 ||
        put_members(identity, &tx, h, NULL, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

static int
read_all(struct identity *identity, struct db *db, const char *domain_id, size_t *ret_users,
         size_t *ret_groups, struct fault *f)
{
    _cleanup_(directory_closep) struct directory_link *link = NULL;
    struct directory d;
    struct harvest h;

    if (load(db, domain_id, &d, f) < 0 || directory_open(&d, NULL, NULL, &link, f) < 0)
        return -1;
    harvest_init(&h, &d, db->arena);
    if (read_enabled(link, &h, f) < 0 ||
        directory_search(link, &d, &d.users, NULL, db->arena, take_user, &h, f) < 0 ||
        directory_search(link, &d, &d.groups, NULL, db->arena, take_group, &h, f) < 0)
        return -1;
    *ret_users = json_array_size(h.users);
    *ret_groups = json_array_size(h.groups);
    return put_all(identity, db, &h, f);
}

/* One reading, unless another daemon has just begun one. */
static void
sync_domain(struct identity *identity, struct db *db, const char *domain_id)
{
    struct fault f = { 0 }, after = { 0 };
    size_t users = 0, groups = 0;
    int claimed = directory_claim(db, domain_id, identity->config->directory_refresh_s, &f);
    int r;

    if (claimed == 0)
        return;
    r = claimed < 0 ? -1 : read_all(identity, db, domain_id, &users, &groups, &f);
    if (r < 0)
        log_warn("directory.read domain=%s failed fault=\"%s\" cause=\"%s\"", domain_id, f.message,
                 f.cause);
    else
        log_info("directory.read domain=%s users=%zu groups=%zu", domain_id, users, groups);
    if (claimed > 0 && directory_synced(db, domain_id, r < 0 ? f.message : NULL, (int64_t)users,
                                        (int64_t)groups, &after) < 0)
        log_warn("directory.read domain=%s fault=\"%s\"", domain_id, after.message);
}

void
directory_read_new(struct call *call, const char *domain_id)
{
    struct directory_is_new_row row;
    struct fault f = { 0 };

    if (domain_id != NULL && directory_is_new(call->db, domain_id, &row, &f) == 1)
        sync_domain(identity_of(call), call->db, domain_id);
}

/* --- The thread */

static void
tick(struct directories *d)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct directories_due_row *due;
    struct fault f = { 0 };
    size_t count;

    if (db_pool_get(d->identity->daemon->pool, a, &db, &f) < 0 ||
        directories_due(&db, d->identity->config->directory_refresh_s, &due, &count, &f) < 0) {
        log_warn("directory.tick failed fault=\"%s\" cause=\"%s\"", f.message, f.cause);
        return;
    }
    for (size_t i = 0; i < count; i++)
        sync_domain(d->identity, &db, due[i].domain_id);
}

static bool
wait_for_next(struct directories *d)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_S;
    pthread_mutex_lock(&d->mutex);
    while (!d->stopping && pthread_cond_timedwait(&d->changed, &d->mutex, &until) == 0)
        continue;
    stopping = d->stopping;
    pthread_mutex_unlock(&d->mutex);
    return !stopping;
}

static void *
loop(void *object)
{
    struct directories *d = object;

    while (wait_for_next(d))
        tick(d);
    return NULL;
}

int
directories_start(struct directories **ret, struct identity *identity, struct fault *f)
{
    struct directories *d = memory_calloc(1, sizeof(*d));
    pthread_condattr_t attributes;

    d->identity = identity;
    pthread_mutex_init(&d->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&d->thread, NULL, loop, d) != 0) {
        free(d);
        return fault_raise_cause(f, "no thread for the directories");
    }
    *ret = d;
    return 0;
}

void
directories_stop(struct directories *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->mutex);
    d->stopping = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}

/* --- Logging in */

/* A directory that is slow holds some workers, not all. */
static int
begin_asking(struct directories *d, unsigned max, struct fault *f)
{
    bool room;

    pthread_mutex_lock(&d->mutex);
    room = d->asking < max;
    d->asking += room;
    pthread_mutex_unlock(&d->mutex);
    return room ? 0
                : fault_raise(f, FAULT_UNAVAILABLE,
                              "Too many log-ins wait for directories; try again.");
}

static void
end_asking(struct directories *d)
{
    pthread_mutex_lock(&d->mutex);
    d->asking--;
    pthread_mutex_unlock(&d->mutex);
}

struct one_user {
    struct harvest h;
    char *dn; /* Of the only entry found. */
    size_t found;
};

static int
take_one(void *owner, const struct directory_entry *e, struct fault *f)
{
    struct one_user *one = owner;

    one->found++;
    one->dn = arena_strdup(one->h.arena, e->dn);
    return take_user(&one->h, e, f);
}

static char *
groups_filter(struct arena *a, const struct directory *d, const char *dn, const char *id)
{
    const char *rule = d->nested ? IN_CHAIN : "";

    return directory_equals(a, arena_printf(a, "%s%s", d->member, rule),
                            d->members_are_ids ? id : dn);
}

/* His row, his groups' rows and his memberships, as the directory has them now. */
static int
put_one(struct call *call, struct directory_link *link, struct one_user *one, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const struct directory *d = one->h.d;
    const json_t *row = json_array_get(one->h.users, 0);
    const char *id = json_get_text(row, "id"), *local = json_get_text(row, "directory_id");
    const char *as_member = d->members_are_ids ? local : one->dn;
    const json_t *group;
    size_t i;

    if (directory_search(link, d, &d->groups, groups_filter(call->arena, d, one->dn, local),
                         call->arena, take_group, &one->h, f) < 0)
        return -1;
    json_array_clear(one->h.members);
    json_array_foreach(one->h.groups, i, group)
    {
        json_array_append_new(one->h.members,
                              json_pack("{sO ss}", "group_id", json_object_get(group, "id"),
                                        "member", as_member));
    }
    if (db_tx_begin(&tx, call->db, f) < 0 ||
        directory_users_put(tx.db, d->domain_id, one->h.users, f) < 0 ||
        directory_groups_put(tx.db, d->domain_id, one->h.groups, f) < 0 ||
        put_members(identity_of(call), &tx, &one->h, id, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

/* Whoever is not there is refused at the same cost: by a bind that cannot succeed. */
static int
try_password(struct call *call, const struct directory *d, const struct one_user *one,
             const char *password, struct fault *f)
{
    _cleanup_(directory_closep) struct directory_link *link = NULL;
    const char *dn = one->found == 1 ? one->dn
                                     : arena_printf(call->arena, "cn=%s,%s",
                                                    uuid_make_hex(call->arena), d->users.base);

    if (directory_open(d, dn, password, &link, f) == 0)
        return one->found == 1;
    if (f->kind != FAULT_UNAUTHORIZED)
        return -1;
    fault_clear(f);
    return 0;
}

static int
ask(struct call *call, const struct directory *d, const char *attribute, const char *value,
    const char *password, struct account_login_row *ret, bool *ret_right, struct fault *f)
{
    _cleanup_(directory_closep) struct directory_link *link = NULL;
    struct one_user one = { 0 };
    int right, found;

    harvest_init(&one.h, d, call->arena);
    if (directory_open(d, NULL, NULL, &link, f) < 0 || read_enabled(link, &one.h, f) < 0 ||
        directory_search(link, d, &d->users, directory_equals(call->arena, attribute, value),
                         call->arena, take_one, &one, f) < 0)
        return -1;
    right = try_password(call, d, &one, password, f);
    if (right < 0)
        return -1;
    *ret_right = right == 1 && json_array_size(one.h.users) == 1;
    if (!*ret_right)
        return 1;
    if (put_one(call, link, &one, f) < 0)
        return -1;
    found = account_by_id(call->db, json_get_text(json_array_get(one.h.users, 0), "id"), ret, f);
    if (found < 0)
        return -1;
    *ret_right = found == 1; /* Not there: somebody else of the domain has the name. */
    return 1;
}

int
directory_login(struct call *call, const struct user_ref *user, struct account_login_row *ret,
                bool *ret_right, struct fault *f)
{
    struct directories *all = identity_of(call)->directories;
    const struct domain_ref *domain = user->domain;
    struct directory_of_user_row row;
    struct directory d;
    int found, r;

    found = directory_of_user(call->db, user->id, user->name, domain == NULL ? NULL : domain->id,
                              domain == NULL ? NULL : domain->name, &row, f);
    if (found <= 0)
        return found;
    if (user->id != NULL && row.directory_id == NULL) /* Made here, before there was a directory. */
        return 0;
    if (load(call->db, row.domain_id, &d, f) < 0)
        return fault_add_cause(f, "domain %s", row.domain_id);
    if (begin_asking(all, (unsigned)identity_of(call)->config->directory_concurrency, f) < 0)
        return -1;
    r = ask(call, &d, user->id != NULL ? d.users.id : d.users.name,
            user->id != NULL ? row.directory_id : user->name, user->password, ret, ret_right, f);
    end_asking(all);
    return r;
}

int
directory_check_writable(const char *directory_id, struct fault *f)
{
    if (directory_id == NULL)
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "This user or group is in the domain's LDAP directory, which is read only.");
}

int
directory_check_domain(struct db *db, const char *domain_id, struct fault *f)
{
    struct directory_of_domain_row row;
    int found = directory_of_domain(db, domain_id, &row, f);

    if (found <= 0)
        return found;
    return fault_raise(
        f, FAULT_FORBIDDEN,
        "The domain's users and groups are in an LDAP directory, which is read only.");
}
