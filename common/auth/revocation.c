/* Each revocation hangs in a bucket under the most telling id it names, so that a token is compared only
 * with what names one of its own ids, however many revocations there are. */
#include "revocation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/map.h"
#include "../base/memory.h"
#include "../base/str.h"

#define SWEEP_US ((int64_t)60 * 1000000)
#define ID_MAX 255

/* The ids of a revocation, the most telling first, and their names on the wire. */
#define IDS(X)                                                                                     \
    X(audit_id, 'a')                                                                               \
    X(audit_chain_id, 'c')                                                                         \
    X(app_cred_id, 'k')                                                                            \
    X(trust_id, 't')                                                                               \
    X(access_token_id, 'o')                                                                        \
    X(consumer_id, 'n')                                                                            \
    X(user_id, 'u')                                                                                \
    X(group_id, 'g')                                                                               \
    X(idp_id, 'i')                                                                                 \
    X(protocol_id, 'f')                                                                            \
    X(project_id, 'p')                                                                             \
    X(role_id, 'r')                                                                                \
    X(domain_id, 'd')

struct entry {
    struct entry *next;
    struct revocation revocation; /* Its texts are in the same block. */
};

struct revocations {
    pthread_rwlock_t lock;
    struct map *buckets GUARDED_BY(lock); /* Letter and id to the first entry. */
    size_t count GUARDED_BY(lock);
    int64_t swept_us GUARDED_BY(lock);
    _Atomic uint64_t generation;
};

struct bucket_name {
    char text[ID_MAX + 2];
};

static struct bucket_name
bucket_name(char letter, const char *id)
{
    struct bucket_name name;

    snprintf(name.text, sizeof(name.text), "%c%s", letter, id);
    return name;
}

/* Under nothing at all: all tokens of before a time. */
static struct bucket_name
bucket_of(const struct revocation *r)
{
#define X(member, letter)                                                                          \
    if (r->member != NULL)                                                                         \
        return bucket_name(letter, r->member);
    IDS(X)
#undef X
    return bucket_name('*', "");
}

struct revocations *
revocations_new(void)
{
    struct revocations *r = memory_calloc(1, sizeof(*r));

    pthread_rwlock_init(&r->lock, NULL);
    r->buckets = map_new(NULL);
    return r;
}

void
revocations_free(struct revocations *r)
{
    struct map_at at = { 0 };

    if (r == NULL)
        return;
    while (map_next(r->buckets, &at)) {
        struct entry *e = at.value;

        while (e != NULL) {
            struct entry *next = e->next;

            free(e);
            e = next;
        }
    }
    map_free(r->buckets);
    pthread_rwlock_destroy(&r->lock);
    free(r);
}

static struct entry *
entry_new(const struct revocation *r)
{
    size_t size = sizeof(struct entry);
    struct entry *e;
    char *text;

#define X(member, letter) size += r->member != NULL ? strlen(r->member) + 1 : 0;
    IDS(X)
#undef X
    e = memory_alloc(size);
    *e = (struct entry){ .revocation = *r };
    text = (char *)(e + 1);
#define X(member, letter)                                                                          \
    if (r->member != NULL) {                                                                       \
        size_t length = strlen(r->member) + 1;                                                     \
                                                                                                   \
        e->revocation.member = memcpy(text, r->member, length);                                    \
        text += length;                                                                            \
    }
    IDS(X)
#undef X
    return e;
}

static bool
same_ids(const struct revocation *a, const struct revocation *b)
{
#define X(member, letter)                                                                          \
    if (!str_equal(a->member, b->member))                                                          \
        return false;
    IDS(X)
#undef X
    return a->delegated == b->delegated;
}

static bool
is_expired(const struct revocation *r, int64_t now_us)
{
    return r->expires_us != 0 && r->expires_us <= now_us;
}

static void
sweep(struct revocations *r, int64_t now_us)
{
    struct map_at at = { 0 };

    if (now_us >= r->swept_us && now_us - r->swept_us < SWEEP_US)
        return;
    r->swept_us = now_us;
    while (map_next(r->buckets, &at)) {
        struct entry *kept = NULL, *e = at.value;
        struct bucket_name name;

        while (e != NULL) {
            struct entry *next = e->next;

            if (is_expired(&e->revocation, now_us)) {
                free(e);
                r->count--;
            } else {
                e->next = kept;
                kept = e;
            }
            e = next;
        }
        snprintf(name.text, sizeof(name.text), "%s", at.key);
        if (kept == NULL)
            map_remove(r->buckets, name.text);
        else
            map_set(r->buckets, name.text, kept);
    }
}

void
revocations_add(struct revocations *r, const struct revocation *revocation)
{
    struct bucket_name name = bucket_of(revocation);
    int64_t now_us = clock_now_us();
    struct entry *first, *e;

    pthread_rwlock_wrlock(&r->lock);
    sweep(r, now_us);
    first = map_get(r->buckets, name.text);
    for (e = first; e != NULL && !same_ids(&e->revocation, revocation); e = e->next)
        ;
    if (is_expired(revocation, now_us)) {
        /* Nothing that it could match is valid. */
    } else if (e == NULL) {
        e = entry_new(revocation);
        e->next = first;
        map_set(r->buckets, name.text, e);
        r->count++;
        atomic_fetch_add(&r->generation, 1);
    } else {
        /* The later one says all that the earlier said. */
        if (revocation->issued_before_us > e->revocation.issued_before_us) {
            e->revocation.issued_before_us = revocation->issued_before_us;
            atomic_fetch_add(&r->generation, 1);
        }
        if (revocation->expires_us == 0 || e->revocation.expires_us == 0)
            e->revocation.expires_us = 0;
        else
            e->revocation.expires_us = MAX(e->revocation.expires_us, revocation->expires_us);
    }
    pthread_rwlock_unlock(&r->lock);
}

static bool
has_text(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (str_equal(list[i], text))
            return true;
    }
    return false;
}

static bool
fits(const char *wanted, const char *id)
{
    return wanted == NULL || str_equal(wanted, id);
}

static bool
matches(const struct revocation *r, const struct auth_context *c)
{
    return (r->audit_id != NULL || r->audit_chain_id != NULL ||
            c->issued_us <= r->issued_before_us) &&
           fits(r->audit_id, c->audit_id) && fits(r->audit_chain_id, c->audit_chain_id) &&
           fits(r->user_id, c->user_id) && fits(r->project_id, c->project_id) &&
           fits(r->trust_id, c->trust_id) && fits(r->app_cred_id, c->app_cred_id) &&
           fits(r->idp_id, c->idp_id) && fits(r->protocol_id, c->protocol_id) &&
           fits(r->access_token_id, c->access_token_id) && fits(r->consumer_id, c->consumer_id) &&
           (!r->delegated || c->trust_id != NULL || c->app_cred_id != NULL ||
            c->access_token_id != NULL) &&
           (r->group_id == NULL || has_text(c->group_ids, c->group_ids_count, r->group_id)) &&
           (r->domain_id == NULL || str_equal(r->domain_id, c->user_domain_id) ||
            str_equal(r->domain_id, c->domain_id) ||
            str_equal(r->domain_id, c->project_domain_id)) &&
           (r->role_id == NULL || has_text(c->role_ids, c->roles_count, r->role_id));
}

static bool
bucket_matches(const struct revocations *r, char letter, const char *id,
               const struct auth_context *c)
{
    const struct entry *e;

    if (id == NULL)
        return false;
    e = map_get(r->buckets, bucket_name(letter, id).text);
    for (; e != NULL; e = e->next) {
        if (matches(&e->revocation, c))
            return true;
    }
    return false;
}

bool
revocations_match(struct revocations *r, const struct auth_context *c)
{
    bool found = false;

    pthread_rwlock_rdlock(&r->lock);
    if (r->count > 0) {
        found = bucket_matches(r, '*', "", c) || bucket_matches(r, 'a', c->audit_id, c) ||
                bucket_matches(r, 'c', c->audit_chain_id, c) ||
                bucket_matches(r, 'k', c->app_cred_id, c) ||
                bucket_matches(r, 'o', c->access_token_id, c) ||
                bucket_matches(r, 'n', c->consumer_id, c) ||
                bucket_matches(r, 't', c->trust_id, c) || bucket_matches(r, 'u', c->user_id, c) ||
                bucket_matches(r, 'i', c->idp_id, c) || bucket_matches(r, 'f', c->protocol_id, c) ||
                bucket_matches(r, 'p', c->project_id, c) ||
                bucket_matches(r, 'd', c->user_domain_id, c) ||
                bucket_matches(r, 'd', c->domain_id, c) ||
                bucket_matches(r, 'd', c->project_domain_id, c);
        for (size_t i = 0; !found && c->role_ids != NULL && i < c->roles_count; i++)
            found = bucket_matches(r, 'r', c->role_ids[i], c);
        for (size_t i = 0; !found && i < c->group_ids_count; i++)
            found = bucket_matches(r, 'g', c->group_ids[i], c);
    }
    pthread_rwlock_unlock(&r->lock);
    return found;
}

size_t
revocations_count(struct revocations *r)
{
    size_t count;

    pthread_rwlock_rdlock(&r->lock);
    count = r->count;
    pthread_rwlock_unlock(&r->lock);
    return count;
}

uint64_t
revocations_generation(struct revocations *r)
{
    return atomic_load(&r->generation);
}

json_t *
revocation_to_json(const struct revocation *r)
{
    json_t *object = json_object();

#define X(member, letter)                                                                          \
    if (r->member != NULL)                                                                         \
        json_object_set_new(object, #member, json_string(r->member));
    IDS(X)
#undef X
    if (r->delegated)
        json_object_set_new(object, "delegated", json_true());
    json_object_set_new(object, "issued_before_us", json_integer(r->issued_before_us));
    json_object_set_new(object, "expires_us", json_integer(r->expires_us));
    return object;
}

static int
read_id(struct arena *a, const json_t *value, const char *name, const char **ret, struct fault *f)
{
    const json_t *id = json_object_get(value, name);

    if (id == NULL || json_is_null(id))
        return 0;
    if (!json_is_string(id) || json_string_length(id) == 0 || json_string_length(id) > ID_MAX)
        return fault_raise_field(f, name, "Not an id.");
    *ret = arena_strdup(a, json_string_value(id));
    return 1;
}

int
revocation_from_json(struct arena *a, const json_t *value, struct revocation *ret, struct fault *f)
{
    const json_t *issued = json_object_get(value, "issued_before_us"),
                 *expires = json_object_get(value, "expires_us");
    struct revocation read = { 0 };
    int ids = 0, r;

#define X(member, letter)                                                                          \
    r = read_id(a, value, #member, &read.member, f);                                               \
    if (r < 0)                                                                                     \
        return r;                                                                                  \
    ids += r;
    IDS(X)
#undef X
    read.delegated = json_get_bool(value, "delegated");
    ids += read.delegated;
    /* One that names nothing would end every token there is: no message may do that by leaving something out. */
    if (ids == 0)
        return fault_raise(f, FAULT_INVALID, "A revocation that names nothing.");
    if (!json_is_integer(issued))
        return fault_raise_field(f, "issued_before_us", "Not a time.");
    if (!json_is_integer(expires))
        return fault_raise_field(f, "expires_us", "Not a time.");
    read.issued_before_us = json_integer_value(issued);
    read.expires_us = json_integer_value(expires);
    *ret = read;
    return 0;
}
