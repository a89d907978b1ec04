/* virga-placement: what the hosts have, who uses it, and where more would fit (Placement API 1.0 to 1.39). */
#include "mirror.h"
#include "service.h"

extern const struct migration placement_migrations[];
extern const size_t placement_migrations_count;

static struct placement placement;

/* The mirror is filled before the first request, so that none waits for it. */
static int
start(struct daemon *d, struct fault *f)
{
    struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    int r;

    placement.daemon = d;
    placement.mirror = mirror_new();
    d->service = &placement;
    r = db_pool_get(d->pool, a, &db, f);
    if (r >= 0)
        r = mirror_refresh(placement.mirror, &db, f);
    db_release(&db);
    arena_free(a);
    return r;
}

static void
stop(struct daemon *d)
{
    (void)d;
    mirror_free(placement.mirror);
}

static void
metrics(struct daemon *d, struct str *out)
{
    (void)d;
    mirror_metrics(placement.mirror, out);
}

int
main(int argc, char **argv)
{
    static const struct daemon_spec spec = {
        .name = "virga-placement",
        .summary = "Placement API: resource providers, inventories, allocations and candidates.",
        .config_size = sizeof(struct daemon_config),
        .migrations = placement_migrations,
        .migrations_count = &placement_migrations_count,
        .api = &placement_api,
        .start = start,
        .stop = stop,
        .metrics = metrics,
    };

    return daemon_main(argc, argv, &spec);
}
