/* virga-image: disk images, their bytes and who may see them (Image API v2). */
#include <sys/stat.h>

#include "base/memory.h"
#include "base/str.h"
#include "reaper.h"
#include "service.h"

extern const struct migration image_migrations[];
extern const size_t image_migrations_count;

#define CONFIG_KEY(...) DAEMON_KEY(image_config, __VA_ARGS__),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static struct image_service service;

static int
start(struct daemon *d, struct fault *f)
{
    const char *folder;
    char *below = NULL;
    int r;

    service.daemon = d;
    service.config = (const struct image_config *)(const void *)d->config;
    d->service = &service;
    umask(0077);
    folder = service.config->store_folder;
    if (str_empty(folder)) {
        if (str_empty(d->config->state_dir))
            return fault_raise_field(
                f, "image.store",
                "Neither [image] store nor [daemon] state_dir says where images are kept.");
        if (asprintf(&below, "%s/images", d->config->state_dir) < 0)
            memory_exhausted(0);
        folder = below;
    }
    r = store_open(&service.store, folder, f);
    free(below);
    return r;
}

static int
run(struct daemon *d, struct fault *f)
{
    (void)d;
    return reaper_start(&service.reaper, &service, f);
}

static void
halt(struct daemon *d)
{
    (void)d;
    reaper_stop(service.reaper);
    service.reaper = NULL;
}

static void
stop(struct daemon *d)
{
    (void)d;
    store_close(service.store);
    service.store = NULL;
}

int
main(int argc, char **argv)
{
    static const struct daemon_spec spec = {
        .name = "virga-image",
        .summary = "Image API v2: disk images and their bytes.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct image_config),
        .migrations = image_migrations,
        .migrations_count = &image_migrations_count,
        .api = &image_api,
        .rpc_name = "image",
        .start = start,
        .run = run,
        .halt = halt,
        .stop = stop,
    };

    return daemon_main(argc, argv, &spec);
}
