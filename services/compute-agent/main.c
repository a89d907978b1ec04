/* virga-compute-agent: owns the hypervisor of one host. */
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "gen/compute_agent_rpc.h"
#include "guest_lock.h"
#include "host_facts.h"
#include "image_download.h"
#include "reporter.h"
#include "service.h"
#include "tender.h"

#define GIB ((int64_t)1 << 30)

/* A guest that takes its minute to shut down, or an image that arrives slowly, holds one; others must not wait for it. */
enum { RPC_WORKERS = 24 };

/* What the process has; d->service is its first host, which the framework gives to the methods as their owner. */
static struct {
    struct arena *arena; /* Lives as long as the process. */
    struct agent *agents;
    size_t agents_count;
    struct image_download *download;
    struct image_cache *images;
    struct reporter *reporter;
    struct tender *tender;
} process;

static int
open_images(const struct compute_agent_config *config, struct fault *f)
{
    struct image_source source = { .download = image_download_run };
    const char *folder = arena_printf(process.arena, "%s/images", config->common.state_dir);
    int r = image_download_open(&process.download, &config->common, f);

    if (r < 0)
        return r;
    source.owner = process.download;
    return image_cache_open(&process.images, folder, &source, config->image_cache_gb * GIB,
                            config->image_cache_unused_s, f);
}

static const char *
host_name(const struct compute_agent_config *config, int64_t number)
{
    const char *name = config->common.host;
    char own[256] = "";

    if (str_empty(name) && gethostname(own, sizeof(own) - 1) == 0)
        name = arena_strdup(process.arena, own);
    return number == 1 ? name : arena_printf(process.arena, "%s-%lld", name, (long long)number);
}

static int
open_host(const struct compute_agent_config *config, const struct driver *driver, int64_t number,
          struct fault *f)
{
    struct agent *agent = &process.agents[number - 1];
    struct driver_options options = { .config = config, .images = process.images };
    const char *uuid;
    int r;

    *agent = (struct agent){ .config = config,
                             .host = host_name(config, number),
                             .locks = guest_locks_new() };
    r = host_uuid(process.arena, config->hypervisor_uuid, config->common.state_dir, number, &uuid,
                  f);
    if (r < 0)
        return r;
    options.host = agent->host;
    options.events = (struct driver_events){
        .guest_changed = reporting_guest_changed,
        .resync = reporting_resync,
        .owner = reporter_add(process.reporter, agent, uuid),
    };
    r = driver->open(&agent->hypervisor, &options, f);
    process.agents_count += r == 0;
    return r;
}

static int
start(struct daemon *d, struct fault *f)
{
    const struct compute_agent_config *config =
        (const struct compute_agent_config *)(const void *)d->config;
    const struct driver *driver = driver_find(config->driver);
    int64_t hosts = driver == &driver_sim ? config->sim_hosts : 1;
    int r = 0;

    if (driver == NULL)
        return fault_raise_field(f, "compute.driver", "there is no driver \"%s\"", config->driver);
    process.arena = arena_new();
    process.reporter = reporter_new(d->rpc, config->report_interval_s);
    process.agents = ARENA_ARRAY(process.arena, struct agent, (size_t)hosts);
    if (driver->uses_images)
        r = open_images(config, f);
    for (int64_t i = 1; r == 0 && i <= hosts; i++)
        r = open_host(config, driver, i, f);
    d->service = &process.agents[0];
    return r;
}

/* The first host's queue is served by the framework. */
static int
run(struct daemon *d, struct fault *f)
{
    int r = tender_start(&process.tender, process.images, process.agents[0].hypervisor, f);

    for (size_t i = 1; r == 0 && i < process.agents_count; i++)
        r = rpc_serve(d->rpc, rpc_queue(process.arena, "compute-agent", process.agents[i].host),
                      compute_agent_methods, compute_agent_methods_count, &process.agents[i], f);
    return r < 0 ? r : reporter_start(process.reporter, f);
}

static void
stop(struct daemon *d)
{
    (void)d;
    reporter_stop(process.reporter);
    tender_stop(process.tender);
    for (size_t i = 0; i < process.agents_count; i++) {
        process.agents[i].hypervisor->driver->close(process.agents[i].hypervisor);
        guest_locks_free(process.agents[i].locks);
    }
    image_cache_close(process.images);
    image_download_close(process.download);
    reporter_free(process.reporter);
    arena_free(process.arena);
}

static void
metrics(struct daemon *d, struct str *out)
{
    (void)d;
    str_addf(out, "# TYPE virga_compute_agent_hosts gauge\nvirga_compute_agent_hosts %zu\n",
             process.agents_count);
}

#define CONFIG_KEY(member, section, name, type, fallback, min, max, unit, help)                    \
    DAEMON_KEY(compute_agent_config, member, section, name, type, fallback, min, max, unit, help),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

int
main(int argc, char **argv)
{
    const struct daemon_spec spec = {
        .name = "virga-compute-agent",
        .summary = "Owns the hypervisor of one host: guests, their disks, consoles and devices.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct compute_agent_config),
        .rpc_name = "compute-agent",
        .per_host = true,
        .methods = compute_agent_methods,
        .methods_count = compute_agent_methods_count,
        .rpc_workers = RPC_WORKERS,
        .start = start,
        .run = run,
        .stop = stop,
        .metrics = metrics,
    };

    return daemon_main(argc, argv, &spec);
}
