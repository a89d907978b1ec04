#include "watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "catalog_cache.h"
#include "db/listener.h"
#include "revocations.h"

struct watch {
    struct identity *identity;
    struct db_listener *listener;
    bool revocations; /* To be read; of the listener's thread. */
};

static void
heard(void *owner, const char *payload)
{
    struct watch *w = owner;

    if (payload == NULL || str_equal(payload, "catalog"))
        catalog_cache_invalidate(w->identity->catalogs);
    if (payload == NULL || str_equal(payload, "revocation"))
        w->revocations = true;
}

static int
settle(void *owner)
{
    struct watch *w = owner;
    struct fault f = { 0 };

    if (w->revocations && revocations_load(w->identity, &f) < 0) {
        log_warn("identity.revocations-unread reason=\"%s\" cause=\"%s\"", f.message, f.cause);
        return -1;
    }
    w->revocations = false;
    return 0;
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
