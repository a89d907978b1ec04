/* virga-network: networks, ports, routers and who may talk to whom (Networking API v2.0). */
#include "network_rpc.h"
#include "placement.h"

extern const struct migration network_migrations[];
extern const size_t network_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(network_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct network_service service;

static int
start(struct daemon *d, struct fault *f)
{
    (void)f;
    service.daemon = d;
    service.config = (const struct network_config *)(const void *)d->config;
    d->service = &service;
    return 0;
}

static int
run(struct daemon *d, struct fault *f)
{
    (void)d;
    return placement_start(&service, f);
}

static void
stop(struct daemon *d)
{
    (void)d;
    placement_stop(&service);
}

int
main(int argc, char **argv)
{
    const struct daemon_spec spec = {
        .name = "virga-network",
        .summary = "Networking API v2.0: networks, ports, routers, floating IPs, security groups.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct network_config),
        .migrations = network_migrations,
        .migrations_count = &network_migrations_count,
        .api = &network_api,
        .rpc_name = "network",
        .methods = network_methods,
        .methods_count = network_methods_count,
        .start = start,
        .run = run,
        .stop = stop,
    };

    return daemon_main(argc, argv, &spec);
}
