/* virga-volume: block storage, from wish to export (Block Storage API v3). */
#include "agent.h"
#include "sagas.h"
#include "volume_rpc.h"

extern const struct migration volume_migrations[];
extern const size_t volume_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(volume_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct volume_service service;

static int
start(struct daemon *d, struct fault *f)
{
    service.daemon = d;
    service.config = (const struct volume_config *)(const void *)d->config;
    service.agent = &agent_over_rpc;
    d->service = &service;
    return service_client_open(&service.services, d->config, f);
}

static void
stop(struct daemon *d)
{
    (void)d;
    service_client_close(service.services);
}

static const struct saga *const sagas[] = {
    &volume_create_saga,   &volume_delete_saga,     &volume_extend_saga,     &snapshot_create_saga,
    &snapshot_delete_saga, &attachment_attach_saga, &attachment_detach_saga,
};

int
main(int argc, char **argv)
{
    struct daemon_spec spec = {
        .name = "virga-volume",
        .summary = "Block Storage API v3: volumes, snapshots, attachments, types.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct volume_config),
        .migrations = volume_migrations,
        .migrations_count = &volume_migrations_count,
        .api = &volume_api,
        .rpc_name = "volume",
        .methods = volume_methods,
        .methods_count = volume_methods_count,
        .sagas = sagas,
        .sagas_count = ARRAY_SIZE(sagas),
        .start = start,
        .stop = stop,
    };

    return daemon_main(argc, argv, &spec);
}
