/* Guests of QEMU, with KVM or without, through libvirt.
 *
 * A guest is a folder (disks.h) and a domain with the same UUID. Here they are put together and taken apart; power,
 * devices and inventory have files of their own. */
#include "driver_libvirt.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "console_log.h"
#include "guest_lock.h"
#include "service.h"
#include "virt_probe.h"

enum { CLOSE_MS = 3000 };

/* Of the process, not of the host: each guest's memory shall not be probed for again. */
static struct domain_host
decide_host(const struct compute_agent_config *config)
{
    static struct utsname host; /* Text that stays. */
    const char *emulator = str_empty(config->emulator) ? NULL : config->emulator;
    bool kvm = str_equal(config->virt_type, "kvm") ||
               (str_equal(config->virt_type, "auto") && virt_probe_kvm(emulator));

    uname(&host);
    return (struct domain_host){
        .type = kvm ? "kvm" : "qemu",
        .architecture = host.machine,
        .emulator = emulator,
        .cpu_model =
            !str_empty(config->cpu_model) ? config->cpu_model : (kvm ? "host-model" : "qemu64"),
        .disk_cache = config->disk_cache,
        .vnc_listen = config->vnc_listen,
        .security_labels = config->security_labels,
    };
}

static void
free_driver(struct libvirt_hypervisor *l)
{
    event_board_free(l->board);
    free(l->host_name);
    free(l->instances);
    free(l);
}

static int
check_config(const struct compute_agent_config *config, struct fault *f)
{
    static const char *const types[] = { "auto", "kvm", "qemu" };
    static const char *const caches[] = { "none", "writeback", "writethrough", "directsync",
                                          "unsafe" };
    bool type = false, cache = false;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        type = type || str_equal(config->virt_type, types[i]);
    for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
        cache = cache || str_equal(config->disk_cache, caches[i]);
    if (!type)
        return fault_raise_field(f, "libvirt.virt_type", "must be auto, kvm or qemu");
    return cache ? 0 : fault_raise_field(f, "libvirt.disk_cache", "is not a cache mode");
}

static int
libvirt_open(struct hypervisor **ret, const struct driver_options *options, struct fault *f)
{
    struct libvirt_hypervisor *l;
    int r = check_config(options->config, f);

    if (r < 0)
        return r;
    l = memory_calloc(1, sizeof(*l));
    l->base.driver = &driver_libvirt;
    l->config = options->config;
    l->host_name = memory_strdup(options->host);
    l->images = options->images;
    l->events = options->events;
    l->host = decide_host(options->config);
    l->board = event_board_new();
    if (asprintf(&l->instances, "%s/instances", options->config->common.state_dir) < 0)
        memory_exhausted(0);
    /* Others may pass (QEMU runs as another user), not list. */
    if (mkdir(l->instances, 0711) < 0 && errno != EEXIST) {
        r = fault_raise_cause(f, "mkdir %s: %s", l->instances, strerror(errno));
        free_driver(l);
        return r;
    }
    l->backend = backend_new();
    r = libvirt_connection_open(&l->connection, l, options->config->libvirt_uri, f);
    if (r < 0) {
        backend_close(l->backend, 0);
        free_driver(l);
        return r;
    }
    log_info("libvirt.driver type=%s cpu=%s", l->host.type, l->host.cpu_model);
    *ret = &l->base;
    return 0;
}

static void
libvirt_close(struct hypervisor *h)
{
    struct libvirt_hypervisor *l = libvirt_of(h);

    libvirt_connection_close(l->connection);
    if (backend_close(l->backend, CLOSE_MS))
        free_driver(l); /* Else a call hangs that uses it; the process ends anyway. */
}

static int
remove_guest(struct libvirt_hypervisor *l, struct arena *a, const char *guest_id, struct fault *f)
{
    int r = libvirt_undefine(l, a, guest_id, f);

    return r < 0 ? r : guest_disks_remove(l->instances, a, guest_id, f);
}

static int
check_wanted(const struct guest_hold *hold, struct fault *f)
{
    if (guest_hold_unwanted(hold))
        return fault_raise(f, FAULT_CONFLICT, "The instance was deleted while it was built.");
    return 0;
}

static int
build(struct libvirt_hypervisor *l, struct arena *a, const struct guest_description *guest,
      const struct guest_hold *hold, struct fault *f)
{
    struct guest_disks disks;
    char *xml;
    int r;

    r = guest_disks_make(l->instances, l->images, a, guest, &disks, f);
    if (r == 0)
        r = check_wanted(hold, f);
    if (r == 0)
        r = domain_xml(a, guest, &disks, &l->host, &xml, f);
    if (r == 0)
        r = libvirt_define_and_start(l, a, guest->guest_id, xml, f);
    return r < 0 ? r : guest_disks_set_spawned(l->instances, a, guest->guest_id, f);
}

static int
libvirt_spawn(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
              const struct guest_hold *hold, enum guest_power_state *ret, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    int r;

    if (guest_disks_spawned(l->instances, a, guest->guest_id))
        return libvirt_state(l, a, guest->guest_id, ret, f);
    /* What a crash left. Also the proof that libvirt is there, before an image is downloaded. */
    r = remove_guest(l, a, guest->guest_id, f);
    if (r < 0)
        return r;
    r = build(l, a, guest, hold, f);
    if (r < 0) {
        struct fault second = { 0 };

        if (remove_guest(l, a, guest->guest_id, &second) < 0)
            log_warn("guest.left guest=%s error=%s cause=%s", guest->guest_id, second.message,
                     second.cause);
        return r;
    }
    return libvirt_state(l, a, guest->guest_id, ret, f);
}

static int
libvirt_destroy(struct hypervisor *h, struct arena *a, const char *guest_id, struct fault *f)
{
    return remove_guest(libvirt_of(h), a, guest_id, f);
}

static int
libvirt_console(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t lines,
                int64_t bytes, const char **ret, size_t *ret_size, struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    const char *text;
    size_t size;
    int r;

    if (!guest_disks_spawned(l->instances, a, guest_id))
        return fault_raise(f, FAULT_NOT_FOUND, "The instance could not be found on its host.");
    r = console_log_tail(a,
                         arena_printf(a, "%s/console",
                                      guest_disks_folder(l->instances, a, guest_id)),
                         bytes, &text, &size, f);
    if (r == 0)
        *ret = console_log_lines(text, size, lines, ret_size);
    return r;
}

/* Console logs that nobody else bounds. */
static void
libvirt_tend(struct hypervisor *h)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct guest_present *guests;
    struct fault f = { 0 };
    size_t count;

    if (libvirt_list(h, a, &guests, &count, &f) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        console_log_bound(
            arena_printf(a, "%s/console", guest_disks_folder(l->instances, a, guests[i].guest_id)));
}

const struct driver driver_libvirt = {
    .name = "libvirt",
    .uses_images = true,
    .open = libvirt_open,
    .close = libvirt_close,
    .spawn = libvirt_spawn,
    .destroy = libvirt_destroy,
    .start = libvirt_start,
    .stop = libvirt_stop,
    .reboot = libvirt_reboot,
    .console = libvirt_console,
    .attach_volume = libvirt_attach_volume,
    .detach_volume = libvirt_detach_volume,
    .attach_nic = libvirt_attach_nic,
    .detach_nic = libvirt_detach_nic,
    .list = libvirt_list,
    .inventory = libvirt_inventory,
    .tend = libvirt_tend,
};
