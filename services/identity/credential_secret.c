#include "credential_secret.h"

#include "base/log.h"
#include "base/str.h"
#include "credential_keys.h"

#define AT_ONCE 100 /* Rows resealed in one transaction. */

/* A sealed blob moved to another row does not open there. */
static const char *
bound_to(struct arena *a, const char *id, const char *user_id, const char *type)
{
    return arena_printf(a, "%s\n%s\n%s", id, user_id, type);
}

static int
open_row(struct credential_keys *keys, struct arena *a, const struct credential_row *row,
         const char **ret, struct fault *f)
{
    if (row->sealed != NULL)
        return credential_unseal(keys, a, row->sealed, row->sealed_by,
                                 bound_to(a, row->id, row->user_id, row->type), ret, f);
    *ret = row->blob;
    return 0;
}

int
credential_blob(struct call *call, const struct credential_row *row, const char **ret,
                struct fault *f)
{
    return open_row(identity_of(call)->credential_keys, call->arena, row, ret, f);
}

int
credential_hide(struct call *call, struct credential *row, struct fault *f)
{
    if (credential_seal(identity_of(call)->credential_keys, call->arena, row->blob,
                        bound_to(call->arena, row->id, row->user_id, row->type), &row->sealed,
                        &row->sealed_by, f) < 0)
        return -1;
    field_mark(&row->set, CREDENTIAL_F_SEALED);
    field_mark(&row->set, CREDENTIAL_F_SEALED_BY);
    field_mark_null(&row->set, CREDENTIAL_F_OPEN_BLOB);
    return 0;
}

static int
reseal(struct credential_keys *keys, struct db *db, const struct credential_row *row,
       struct fault *f)
{
    const char *blob, *sealed, *key;

    if (open_row(keys, db->arena, row, &blob, f) < 0 ||
        credential_seal(keys, db->arena, blob,
                        bound_to(db->arena, row->id, row->user_id, row->type), &sealed, &key,
                        f) < 0)
        return -1;
    return credential_reseal(db, row->id, sealed, key, f) < 0 ? -1 : 0;
}

/* Seals with the present key what isn't ('all'), or only what lies open. Returns how many it were. */
static int64_t
seal_some(struct credential_keys *keys, struct db_pool *pool, bool all, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct credential_row *rows;
    const char *key;
    size_t count;

    if (credential_keys_current(keys, a, &key, f) < 0 || db_pool_get(pool, a, &db, f) < 0 ||
        db_tx_begin(&tx, &db, f) < 0 ||
        (all ? credentials_not_sealed_by(&db, key, AT_ONCE, &rows, &count, f)
             : credentials_open(&db, AT_ONCE, &rows, &count, f)) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (reseal(keys, &db, &rows[i], f) < 0)
            return -1;
    }
    return db_tx_commit(&tx, f) < 0 ? -1 : (int64_t)count;
}

static int64_t
seal_all(struct credential_keys *keys, struct db_pool *pool, bool all, struct fault *f)
{
    int64_t sum = 0, some;

    do {
        some = seal_some(keys, pool, all, f);
        sum += some;
    } while (some > 0);
    return some < 0 ? -1 : sum;
}

int
credentials_check(struct identity *identity, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct credential_keys_used_row *rows;
    size_t count;

    if (seal_all(identity->credential_keys, identity->daemon->pool, false, f) < 0 ||
        db_pool_get(identity->daemon->pool, a, &db, f) < 0 ||
        credential_keys_used(&db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!credential_keys_has(identity->credential_keys, rows[i].key))
            log_error("credential.key_missing key=%s directory=%s", rows[i].key,
                      identity->config->credential_key_directory);
    }
    return 0;
}

/* --- "credential key rotate|migrate" */

static int
rotate(struct credential_keys *keys, struct daemon *d, const char *path, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct credential_row *rows;
    const char *key;
    size_t count;

    if (credential_keys_current(keys, a, &key, f) < 0 || db_pool_get(d->pool, a, &db, f) < 0 ||
        db_tx_begin(&tx, &db, f) < 0 || db_tx_lock(&tx, "credential keys", f) < 0 ||
        credentials_not_sealed_by(&db, key, 1, &rows, &count, f) < 0)
        return -1;
    if (count > 0)
        return fault_raise(f, FAULT_CONFLICT,
                           "Credentials are still sealed with older keys; run virga-identity "
                           "credential key migrate first.");
    return credential_keys_rotate(path, f);
}

int
credential_command(struct daemon *d, int argc, char **argv, struct fault *f)
{
    const struct identity_config *config = (const struct identity_config *)(const void *)d->config;
    bool known = argc == 2 && str_equal(argv[0], "key");
    struct credential_keys *keys;
    int r;

    if (!known || (!str_equal(argv[1], "rotate") && !str_equal(argv[1], "migrate")))
        return fault_raise(f, FAULT_INVALID, "usage: virga-identity credential key rotate|migrate");
    if (credential_keys_open(config->credential_key_directory, &keys, f) < 0)
        return -1;
    r = str_equal(argv[1], "rotate") ? rotate(keys, d, config->credential_key_directory, f)
        : seal_all(keys, d->pool, true, f) < 0 ? -1
                                               : 0;
    credential_keys_free(keys);
    return r;
}
