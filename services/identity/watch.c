#include "watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "catalog_cache.h"
#include "db/listener.h"
#include "keys.h"
#include "revocations.h"

struct watch {
    struct identity *identity;
    struct db_listener *listener;
    /* Of the listener's thread: */
    bool revocations, keys; /* To be read. */
    bool failing;
};

static void
heard(void *owner, const char *payload)
{
    struct watch *w = owner;

    if (payload == NULL || str_equal(payload, "catalog"))
        catalog_cache_invalidate(w->identity->catalogs);
    if (payload == NULL || str_equal(payload, "app_cred"))
        catalog_cache_invalidate(w->identity->app_creds);
    if (payload == NULL || str_equal(payload, "revocation"))
        w->revocations = true;
    if (payload == NULL || str_equal(payload, "key"))
        w->keys = true;
}

static int
read_changes(struct watch *w, struct fault *f)
{
    if (w->revocations && revocations_load(w->identity, f) < 0)
        return -1;
    w->revocations = false;
    if ((w->keys || keys_due(w->identity)) && keys_sync(w->identity, f) < 0)
        return -1;
    w->keys = false;
    return 0;
}

static int
settle(void *owner)
{
    struct watch *w = owner;
    struct fault f = { 0 };
    int r = read_changes(w, &f);

    if (r < 0 && !w->failing)
        log_warn("identity.changes-unread reason=\"%s\" cause=\"%s\"", f.message, f.cause);
    else if (r >= 0 && w->failing)
        log_info("identity.changes-read-again");
    w->failing = r < 0;
    return r;
}

int
watch_open(struct watch **ret, struct identity *identity, struct fault *f)
{
    struct watch *w = memory_calloc(1, sizeof(*w));
    struct db_listener_options options = { .channel = "virga_identity",
                                           .poll_ms = WATCH_POLL_MS,
                                           .heard = heard,
                                           .settle = settle,
                                           .owner = w };

    w->identity = identity;
    if (db_listener_open(&w->listener, identity->daemon->pool, &options, f) < 0) {
        free(w);
        return -1;
    }
    *ret = w;
    return 0;
}

void
watch_close(struct watch *w)
{
    if (w == NULL)
        return;
    db_listener_close(w->listener);
    free(w);
}

bool
watch_is_current(const struct watch *w)
{
    return db_listener_is_current(w->listener);
}
