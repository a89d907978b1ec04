#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "config_drive.h"
#include "folder.h"

enum { TOOL_MS = 60000, TOOL_CPU_S = 60 };
#define TOOL_MEMORY ((int64_t)1 << 31)
#define GIB ((int64_t)1 << 30)

const char *
guest_disks_folder(const char *folder, struct arena *a, const char *guest_id)
{
    return arena_printf(a, "%s/%s", folder, guest_id);
}

static const char *
marker(const char *folder, struct arena *a, const char *guest_id)
{
    return arena_printf(a, "%s/%s/spawned", folder, guest_id);
}

bool
guest_disks_spawned(const char *folder, struct arena *a, const char *guest_id)
{
    return access(marker(folder, a, guest_id), F_OK) == 0;
}

int
guest_disks_set_spawned(const char *folder, struct arena *a, const char *guest_id, struct fault *f)
{
    return folder_write_file(marker(folder, a, guest_id), "", 0, f);
}

int
guest_disks_remove(const char *folder, struct arena *a, const char *guest_id, struct fault *f)
{
    const char *path = guest_disks_folder(folder, a, guest_id);
    int r = folder_remove(path);

    return r < 0 ? fault_raise_cause(f, "removing %s: %s", path, strerror(-r)) : 0;
}

/* Runs one of the tools that make disks. 'largest': no file it writes may be larger. */
static int
run_tool(struct arena *a, const char *const *argv, int64_t largest, struct fault *f)
{
    struct process_run run = {
        .argv = argv,
        .deadline_ms = TOOL_MS,
        .limits = { TOOL_CPU_S, TOOL_MEMORY, largest + GIB, 0 },
    };

    return process_run(a, &run, f);
}

static int
make_overlay(struct arena *a, const char *path, const struct image_base *base, int64_t bytes,
             struct fault *f)
{
    const char *argv[] = { "qemu-img",
                           "create",
                           "-q",
                           "-f",
                           "qcow2",
                           "-F",
                           base->driver,
                           "-b",
                           base->path,
                           path,
                           arena_printf(a, "%lld", (long long)bytes),
                           NULL };

    return run_tool(a, argv, bytes, f);
}

/* A file of zeros that takes no room; nothing of an earlier owner can be in it. */
static int
make_sparse(const char *path, int64_t bytes, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    r = ftruncate(fd, bytes) < 0 ? -errno : 0;
    close(fd);
    return r < 0 ? fault_raise_cause(f, "%s: %s", path, strerror(-r)) : 0;
}

static int
make_ephemeral(struct arena *a, const char *path, int64_t gb, struct fault *f)
{
    const char *argv[] = {
        "mkfs.ext4", "-q", "-F", "-L", "ephemeral0", "-E", "lazy_itable_init=1,nodiscard",
        path,        NULL
    };
    int r = make_sparse(path, gb * GIB, f);

    return r < 0 ? r : run_tool(a, argv, gb * GIB, f);
}

static int
make_swap(struct arena *a, const char *path, int64_t mb, struct fault *f)
{
    const char *argv[] = { "mkswap", path, NULL };
    int r = make_sparse(path, mb << 20, f);

    return r < 0 ? r : run_tool(a, argv, mb << 20, f);
}

static int
make_root(struct image_cache *images, struct arena *a, const struct guest_description *guest,
          struct guest_disks *d, struct fault *f)
{
    int64_t bytes = guest->root_gb * GIB;
    struct image_base base;
    int r;

    r = image_cache_link(images, a, guest->image, bytes, d->base, &base, f);
    if (r < 0)
        return r;
    d->base_driver = base.driver;
    /* For guest_disks_find(); a link's name is as good a place as any for one word. */
    r = symlink(base.driver, arena_printf(a, "%s.format", d->base)) < 0 ? -errno : 0;
    if (r < 0)
        return fault_raise_cause(f, "%s.format: %s", d->base, strerror(-r));
    return make_overlay(a, d->root, &base,
                        bytes > 0 ? bytes : (base.virtual_bytes + 511) / 512 * 512, f);
}

static int
make_boot_file(struct image_cache *images, struct arena *a, const struct guest_image *image,
               const char *path, struct fault *f)
{
    struct image_base base;

    return path != NULL ? image_cache_link(images, a, image, 0, path, &base, f) : 0;
}

static struct guest_disks
name_disks(const char *folder, struct arena *a, const struct guest_description *guest)
{
    const char *own = guest_disks_folder(folder, a, guest->guest_id);
    struct guest_disks d = { .folder = own, .console = arena_printf(a, "%s/console", own) };

    if (guest->image != NULL) {
        d.root = arena_printf(a, "%s/root", own);
        d.base = arena_printf(a, "%s/base", own);
    }
    if (guest->ephemeral_gb > 0)
        d.ephemeral = arena_printf(a, "%s/ephemeral", own);
    if (guest->swap_mb > 0)
        d.swap = arena_printf(a, "%s/swap", own);
    if (guest->config_drive)
        d.config = arena_printf(a, "%s/config", own);
    if (guest->kernel != NULL)
        d.kernel = arena_printf(a, "%s/kernel", own);
    if (guest->ramdisk != NULL)
        d.ramdisk = arena_printf(a, "%s/ramdisk", own);
    return d;
}

static int
make_all(struct image_cache *images, struct arena *a, const struct guest_description *guest,
         struct guest_disks *d, struct fault *f)
{
    int r = d->root != NULL ? make_root(images, a, guest, d, f) : 0;

    if (r == 0)
        r = make_boot_file(images, a, guest->kernel, d->kernel, f);
    if (r == 0)
        r = make_boot_file(images, a, guest->ramdisk, d->ramdisk, f);
    if (r == 0 && d->ephemeral != NULL)
        r = make_ephemeral(a, d->ephemeral, guest->ephemeral_gb, f);
    if (r == 0 && d->swap != NULL)
        r = make_swap(a, d->swap, guest->swap_mb, f);
    if (r == 0 && d->config != NULL)
        r = config_drive_write(a, guest, d->config, f);
    return r;
}

int
guest_disks_make(const char *folder, struct image_cache *images, struct arena *a,
                 const struct guest_description *guest, struct guest_disks *ret, struct fault *f)
{
    struct guest_disks d = name_disks(folder, a, guest);
    int r;

    if (mkdir(d.folder, 0711) < 0)
        return fault_raise_cause(f, "mkdir %s: %s", d.folder, strerror(errno));
    r = make_all(images, a, guest, &d, f);
    if (r < 0) {
        folder_remove(d.folder);
        return r;
    }
    *ret = d;
    return 0;
}

int
guest_disks_find(const char *folder, struct arena *a, const struct guest_description *guest,
                 struct guest_disks *ret, struct fault *f)
{
    struct guest_disks d = name_disks(folder, a, guest);
    char format[16];
    ssize_t size;

    if (!guest_disks_spawned(folder, a, guest->guest_id))
        return fault_raise(f, FAULT_NOT_FOUND, "Instance %s could not be found on its host.",
                           guest->guest_id);
    if (d.root != NULL) {
        size = readlink(arena_printf(a, "%s.format", d.base), format, sizeof(format) - 1);
        if (size < 0)
            return fault_raise_cause(f, "%s.format: %s", d.base, strerror(errno));
        d.base_driver = arena_strndup(a, format, (size_t)size);
    }
    if (d.config != NULL && access(d.config, F_OK) < 0) {
        int r = config_drive_write(a, guest, d.config, f);

        if (r < 0)
            return r;
    }
    *ret = d;
    return 0;
}
