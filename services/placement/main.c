/* virga-placement: what the hosts have, who uses it, and where more would fit (Placement API 1.0 to 1.39). */
#include "base/str.h"
#include "mirror.h"
#include "service.h"

extern const struct migration placement_migrations[];
extern const size_t placement_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(placement_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct placement placement;

/* The mirror is filled before the first request, so that none waits for it. */
static int
start(struct daemon *d, struct fault *f)
{
    struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    int r;

    placement.daemon = d;
    placement.config = (const struct placement_config *)(const void *)d->config;
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
    str_addf(out,
             "# TYPE virga_placement_searches_given_up counter\nvirga_placement_searches_given_up "
             "%llu\n",
             (unsigned long long)atomic_load(&placement.given_up));
}

int
main(int argc, char **argv)
{
    static const struct daemon_spec spec = {
        .name = "virga-placement",
        .summary = "Placement API: resource providers, inventories, allocations and candidates.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct placement_config),
        .migrations = placement_migrations,
        .migrations_count = &placement_migrations_count,
        .api = &placement_api,
        .start = start,
        .stop = stop,
        .metrics = metrics,
    };

    return daemon_main(argc, argv, &spec);
}
