/* virga-compute: servers, from wish to guest (Compute API v2.1). */
#include "compute_rpc.h"
#include "servers.h"

extern const struct migration compute_migrations[];
extern const size_t compute_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(compute_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct compute compute;

static int
start(struct daemon *d, struct fault *f)
{
    compute.daemon = d;
    compute.config = (const struct compute_config *)(const void *)d->config;
    d->service = &compute;
    return service_client_open(&compute.services, d->config, f);
}

static void
stop(struct daemon *d)
{
    (void)d;
    service_client_close(compute.services);
}

static const struct saga *const sagas[] = {
    &server_create_saga,    &server_delete_saga,      &server_start_saga,  &server_stop_saga,
    &server_reboot_saga,    &server_reboot_hard_saga, &volume_attach_saga, &volume_detach_saga,
    &interface_attach_saga, &interface_detach_saga,   &host_sync_saga,
};

int
main(int argc, char **argv)
{
    struct daemon_spec spec = {
        .name = "virga-compute",
        .summary = "Compute API v2.1: servers, flavors, key pairs, hosts.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct compute_config),
        .migrations = compute_migrations,
        .migrations_count = &compute_migrations_count,
        .api = &compute_api,
        .rpc_name = "compute",
        .methods = compute_methods,
        .methods_count = compute_methods_count,
        .sagas = sagas,
        .sagas_count = ARRAY_SIZE(sagas),
        .start = start,
        .stop = stop,
    };

    return daemon_main(argc, argv, &spec);
}
