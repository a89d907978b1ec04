#include "keys.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

enum {
    SYNC_MS = 60000,
    MARGIN_S = 600
}; /* A row outlives the last token by some syncs that failed. */

static struct {
    pthread_mutex_t lock;
    int64_t synced_ms GUARDED_BY(lock);
    struct timespec changed GUARDED_BY(lock); /* The directory, when it was read. */
} keys = { .lock = PTHREAD_MUTEX_INITIALIZER };

int
keys_open(const char *directory, struct keyring **ret, struct fault *f)
{
    if (keyring_open_directory(ret, directory, f) == 0 && keyring_count(*ret) > 0)
        return 0;
    keyring_free(*ret);
    *ret = NULL;
    fault_clear(f);
    if (keyring_generate(directory, f) < 0)
        return -1;
    return keyring_open_directory(ret, directory, f);
}

/* The zero time: it cannot be looked at. */
static struct timespec
changed_at(const char *directory)
{
    struct stat st;

    return stat(directory, &st) < 0 ? (struct timespec){ 0 } : st.st_mtim;
}

bool
keys_due(struct identity *identity)
{
    struct timespec now = changed_at(identity->config->key_directory);
    bool due;

    pthread_mutex_lock(&keys.lock);
    due = clock_mono_ms() - keys.synced_ms >= SYNC_MS || now.tv_sec != keys.changed.tv_sec ||
          now.tv_nsec != keys.changed.tv_nsec;
    pthread_mutex_unlock(&keys.lock);
    return due;
}

static int
read_table(struct identity *identity, struct db *db, struct fault *f)
{
    json_t *list = json_array(), *set = json_own(db->arena, json_pack("{s:o}", "keys", list));
    struct signing_keys_all_row *rows;
    size_t count;

    if (signing_keys_all(db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        json_array_append(list, rows[i].jwk);
    return keyring_import_jwks(identity->keyring, set, f);
}

int
keys_read(void *owner, struct fault *f)
{
    struct identity *identity = owner;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };

    if (identity->daemon == NULL || db_pool_get(identity->daemon->pool, a, &db, f) < 0)
        return -1;
    return read_table(identity, &db, f);
}

static double
lifetime_s(const struct identity_config *c)
{
    return (double)(c->token_ttl_s + MARGIN_S);
}

static bool
has_row(const struct signing_keys_all_row *rows, size_t count, const char *kid)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].kid, kid))
            return true;
    }
    return false;
}

/* Best effort: a directory that is not ours to change keeps its old files. */
static void
remove_files(struct identity *identity, const char *kid)
{
    struct fault f = { 0 };

    if (keyring_remove(identity->config->key_directory, kid, &f) < 0)
        log_debug("identity.key-not-removed kid=%s cause=\"%s\"", kid, f.cause);
    else
        log_info("identity.key-removed kid=%s", kid);
}

/* The signer, and those that will sign after it, live on. The rows of older ones count down; a key that had a row, and has none any
 * more, is over. What never had one is new to the table, however old it is. */
static int
publish(struct identity *identity, struct db *db, bool *ret_removed, struct fault *f)
{
    double lifetime = lifetime_s(identity->config);
    char signer[KEYRING_KID_MAX + 1] = "";
    struct signing_keys_all_row *rows;
    struct keyring_key *own;
    size_t rows_count, count = keyring_own(identity->keyring, db->arena, &own);
    int r = 0;

    if (signing_keys_forget(db, f) < 0 || signing_keys_all(db, &rows, &rows_count, f) < 0)
        return -1;
    keyring_signer(identity->keyring, signer);
    for (size_t i = 0; r >= 0 && i < count; i++) {
        if (own[i].signs && strcmp(own[i].kid, signer) >= 0) {
            r = signing_key_prolong(db, own[i].kid, own[i].jwk, lifetime, f);
        } else if (!has_row(rows, rows_count, own[i].kid)) {
            if (keyring_imported(identity->keyring, own[i].kid)) {
                remove_files(identity, own[i].kid);
                *ret_removed = true;
            } else {
                r = signing_key_publish(db, own[i].kid, own[i].jwk, lifetime, f);
            }
        }
    }
    return r < 0 ? -1 : 0;
}

static int
sync_locked(struct identity *identity, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct timespec changed = changed_at(identity->config->key_directory);
    bool removed = false;

    if (keyring_reload(identity->keyring, f) < 0 ||
        db_pool_get(identity->daemon->pool, a, &db, f) < 0 ||
        publish(identity, &db, &removed, f) < 0 || read_table(identity, &db, f) < 0)
        return -1;
    if (removed && keyring_reload(identity->keyring, f) < 0)
        return -1;
    keys.changed = changed;
    keys.synced_ms = clock_mono_ms();
    return 0;
}

int
keys_sync(struct identity *identity, struct fault *f)
{
    int r;

    pthread_mutex_lock(&keys.lock);
    r = sync_locked(identity, f);
    pthread_mutex_unlock(&keys.lock);
    return r;
}

static int
rotate(const struct identity_config *config, struct db *db, struct fault *f)
{
    struct keyring *ring;
    struct keyring_key *own;
    size_t count, newest = 0;
    int r;

    if (keyring_generate(config->key_directory, f) < 0 ||
        keyring_open_directory(&ring, config->key_directory, f) < 0)
        return -1;
    count = keyring_own(ring, db->arena, &own);
    keyring_free(ring);
    for (size_t i = 1; i < count; i++) {
        if (own[i].signs && strcmp(own[i].kid, own[newest].kid) > 0)
            newest = i;
    }
    r = signing_key_prolong(db, own[newest].kid, own[newest].jwk, lifetime_s(config), f);
    if (r >= 0)
        printf("%s signs in %lld s.\n", own[newest].kid, (long long)config->key_activation_s);
    return r < 0 ? -1 : 0;
}

static int
list(struct db *db, struct fault *f)
{
    struct signing_keys_all_row *rows;
    size_t count;

    if (signing_keys_all(db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        printf("%s verifies until %s\n", rows[i].kid,
               clock_format(db->arena, rows[i].verify_until, CLOCK_Z));
    return 0;
}

int
key_command(struct daemon *d, int argc, char **argv, struct fault *f)
{
    const struct identity_config *config = (const struct identity_config *)(const void *)d->config;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };

    if (argc != 1 || (!str_equal(argv[0], "rotate") && !str_equal(argv[0], "list")))
        return fault_raise(f, FAULT_INVALID, "usage: virga-identity key rotate|list");
    if (db_pool_get(d->pool, a, &db, f) < 0)
        return -1;
    return str_equal(argv[0], "rotate") ? rotate(config, &db, f) : list(&db, f);
}
