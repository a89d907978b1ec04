/* virga-volume-agent: the volumes of one host. */
#include <sys/stat.h>

#include "base/memory.h"
#include "base/str.h"
#include "image_source.h"
#include "reporter.h"
#include "service.h"

#define CONFIG_KEY(member, section, name, type, fallback, min, max, unit, help)                    \
    DAEMON_KEY(volume_agent_config, member, section, name, type, fallback, min, max, unit, help),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static int
start(struct daemon *d, struct fault *f)
{
    const struct volume_agent_config *config = (const struct volume_agent_config *)d->config;
    const struct volume_driver *driver = volume_driver_find(config->driver);
    struct volume_agent *agent = memory_calloc(1, sizeof(*agent));
    int r;

    d->service = agent;
    agent->config = config;
    if (driver == NULL)
        return fault_raise_field(f, "volume.driver", "There is no volume driver '%s'.",
                                 config->driver);
    umask(0077); /* Nothing that we or our tools make is for others. */
    agent->images = image_source_open(d, config->image_deadline_s, f);
    if (agent->images == NULL)
        return -1;
    r = driver->open(config, agent->images, &agent->backend, f);
    return r;
}

static int
run(struct daemon *d, struct fault *f)
{
    struct volume_agent *agent = d->service;

    return reporter_open(&agent->reporter, agent->config, d->config->host, agent->backend, d->rpc,
                         f);
}

static void
stop(struct daemon *d)
{
    struct volume_agent *agent = d->service;

    if (agent == NULL)
        return;
    reporter_close(agent->reporter);
    if (agent->backend != NULL)
        agent->backend->driver->close(agent->backend);
    image_source_close(agent->images);
    free(agent);
    d->service = NULL;
}

static void
metrics(struct daemon *d, struct str *out)
{
    const struct volume_agent *agent = d->service;
    struct backend_status status;
    struct fault f = { 0 };

    if (agent == NULL || agent->backend == NULL ||
        agent->backend->driver->status(agent->backend, &status, &f) < 0)
        return;
    str_addf(out, "# TYPE virga_volume_backend_up gauge\nvirga_volume_backend_up %d\n", status.up);
    str_addf(out, "# TYPE virga_volume_backend_volumes gauge\nvirga_volume_backend_volumes %lld\n",
             (long long)status.volume_count);
    str_addf(out,
             "# TYPE virga_volume_backend_capacity_bytes "
             "gauge\nvirga_volume_backend_capacity_bytes %lld\n",
             (long long)status.capacity_bytes);
    str_addf(out,
             "# TYPE virga_volume_backend_free_bytes gauge\nvirga_volume_backend_free_bytes %lld\n",
             (long long)status.free_bytes);
    str_addf(out,
             "# TYPE virga_volume_backend_provisioned_bytes "
             "gauge\nvirga_volume_backend_provisioned_bytes %lld\n",
             (long long)status.provisioned_bytes);
}

int
main(int argc, char **argv)
{
    const struct daemon_spec spec = {
        .name = "virga-volume-agent",
        .summary = "Keeps the volumes of one host and exports them.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct volume_agent_config),
        .rpc_name = "volume-agent",
        .per_host = true,
        .methods = volume_agent_methods,
        .methods_count = volume_agent_methods_count,
        .start = start,
        .run = run,
        .stop = stop,
        .metrics = metrics,
    };

    return daemon_main(argc, argv, &spec);
}
