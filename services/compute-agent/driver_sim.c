/* The simulated hypervisor behind the driver table: guests are entries of a map. */
#include "base/memory.h"
#include "console_log.h"
#include "guest_lock.h"
#include "service.h"
#include "sim_state.h"

static void
connect_given(struct sim_guest *g, const struct guest_description *guest)
{
    map_clear(g->volumes);
    map_clear(g->nics);
    for (size_t i = 0; i < guest->volumes_count; i++)
        map_set(g->volumes, guest->volumes[i].volume_id,
                memory_strdup(guest->volumes[i].device ? guest->volumes[i].device : "/dev/vdb"));
    for (size_t i = 0; i < guest->nics_count; i++)
        map_set(g->nics, guest->nics[i].mac, memory_strdup(guest->nics[i].port_id));
}

static int
spawn(struct hypervisor *h, struct arena *a, const struct guest_description *guest,
      const struct guest_hold *hold, enum guest_power_state *ret, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    int r = sim_begin(h, "spawn", &w, f);

    (void)a;
    if (r < 0)
        return r;
    if (guest_hold_unwanted(hold))
        return fault_raise(f, FAULT_CONFLICT, "The instance was deleted while it was built.");
    g = map_get(w.sim->guests, guest->guest_id);
    if (g == NULL) {
        g = memory_calloc(1, sizeof(*g));
        g->name = memory_strdup(guest->name);
        g->volumes = map_new(free);
        g->nics = map_new(free);
        map_set(w.sim->guests, guest->guest_id, g);
        connect_given(g, guest);
        str_addf(&g->console, "%s: simulated boot\nlogin: \n", guest->name);
        sim_set_state(&w, guest->guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    }
    *ret = g->state;
    return sim_finish(&w, f);
}

static int
destroy(struct hypervisor *h, struct arena *a, const char *guest_id, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    int r = sim_begin(h, "destroy", &w, f);

    (void)a;
    if (r < 0)
        return r;
    if (map_remove(w.sim->guests, guest_id))
        w.sim->events.guest_changed(w.sim->events.owner, guest_id, GUEST_POWER_STATE_NOSTATE,
                                    "gone");
    return sim_finish(&w, f);
}

static int
start(struct hypervisor *h, struct arena *a, const char *guest_id, enum guest_power_state *ret,
      struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    int r = sim_begin(h, "start", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = sim_find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    sim_set_state(&w, guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    *ret = g->state;
    return sim_finish(&w, f);
}

static int
stop(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t timeout_s,
     bool *ret_clean, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    int r = sim_begin(h, "stop", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = sim_find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    *ret_clean = !g->deaf && timeout_s > 0;
    sim_set_state(&w, guest_id, g, GUEST_POWER_STATE_SHUTDOWN,
                  *ret_clean ? "shutdown" : "destroyed");
    return sim_finish(&w, f);
}

static int
reboot(struct hypervisor *h, struct arena *a, const struct guest_description *guest, bool hard,
       int64_t timeout_s, bool *ret_clean, enum guest_power_state *ret, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    int r = sim_begin(h, "reboot", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = sim_find(&w, guest->guest_id, f);
    if (g == NULL)
        return -1;
    *ret_clean = !hard && !g->deaf && timeout_s > 0;
    if (!*ret_clean)
        connect_given(g, guest);
    str_addf(&g->console, "%s: simulated boot\nlogin: \n", guest->name);
    sim_set_state(&w, guest->guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    *ret = g->state;
    return sim_finish(&w, f);
}

static int
console(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t lines, int64_t bytes,
        const char **ret, size_t *ret_size, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    const struct sim_guest *g;
    size_t size;
    int r = sim_begin(h, "console", &w, f);

    if (r < 0)
        return r;
    g = sim_find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    size = MIN(g->console.size, (size_t)bytes);
    *ret =
        console_log_lines(arena_strndup(a, str_text(&g->console) + (g->console.size - size), size),
                          size, lines, ret_size);
    return sim_finish(&w, f);
}

static int
attach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
              const struct guest_volume *volume, const char **ret_device, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    const char *device;
    int r = sim_begin(h, "attach_volume", &w, f);

    if (r < 0)
        return r;
    g = sim_find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    device = map_get(g->volumes, volume->volume_id);
    if (device == NULL) {
        device =
            volume->device != NULL
                ? volume->device
                : arena_printf(a, "/dev/vd%c", (char)('b' + (char)(map_count(g->volumes) % 25)));
        map_set(g->volumes, volume->volume_id, memory_strdup(device));
    }
    *ret_device = arena_strdup(a, device);
    return sim_finish(&w, f);
}

static int
detach(struct sim_work *w, const char *guest_id, bool volume, const char *key, struct fault *f)
{
    struct sim_guest *g = sim_find(w, guest_id, f);
    struct map *devices;

    if (g == NULL)
        return -1;
    devices = volume ? g->volumes : g->nics;
    if (g->deaf && g->state == GUEST_POWER_STATE_RUNNING && map_has(devices, key))
        return fault_raise(f, FAULT_CONFLICT,
                           "The instance did not release the device; it is still connected.");
    map_remove(devices, key);
    return sim_finish(w, f);
}

static int
detach_volume(struct hypervisor *h, struct arena *a, const char *guest_id, const char *volume_id,
              int64_t timeout_s, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    int r = sim_begin(h, "detach_volume", &w, f);

    (void)a;
    (void)timeout_s;
    return r < 0 ? r : detach(&w, guest_id, true, volume_id, f);
}

static int
attach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const struct guest_nic *nic,
           struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    struct sim_guest *g;
    int r = sim_begin(h, "attach_nic", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = sim_find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    map_set(g->nics, nic->mac, memory_strdup(nic->port_id));
    return sim_finish(&w, f);
}

static int
detach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const char *mac,
           int64_t timeout_s, struct fault *f)
{
    _cleanup_(sim_work_done) struct sim_work w = { 0 };
    int r = sim_begin(h, "detach_nic", &w, f);

    (void)a;
    (void)timeout_s;
    return r < 0 ? r : detach(&w, guest_id, false, mac, f);
}

static struct texts
keys_of(struct arena *a, const struct map *m)
{
    struct texts texts = { .items = ARENA_ARRAY(a, const char *, map_count(m) + 1) };
    struct map_at at = { 0 };

    while (map_next(m, &at))
        texts.items[texts.count++] = arena_strdup(a, at.key);
    return texts;
}

static int
list(struct hypervisor *h, struct arena *a, struct guest_present **ret, size_t *ret_count,
     struct fault *f)
{
    struct sim *s = sim_of(h);
    struct guest_present *guests;
    struct map_at at = { 0 };
    size_t count = 0;

    (void)f;
    pthread_mutex_lock(&s->mutex);
    guests = ARENA_ARRAY(a, struct guest_present, map_count(s->guests) + 1);
    while (map_next(s->guests, &at)) {
        const struct sim_guest *g = at.value;
        struct guest_present *present = &guests[count++];

        *present = (struct guest_present){
            .guest_id = arena_strdup(a, at.key),
            .name = arena_strdup(a, g->name),
            .state = g->state,
            .volumes = keys_of(a, g->volumes),
            .macs = keys_of(a, g->nics),
        };
        for (unsigned i = 0; i < GUEST_PRESENT_F_COUNT; i++)
            field_mark(&present->set, i);
    }
    pthread_mutex_unlock(&s->mutex);
    *ret = guests;
    *ret_count = count;
    return 0;
}

static int
inventory(struct hypervisor *h, struct arena *a, struct driver_inventory *ret, struct fault *f)
{
    struct sim *s = sim_of(h);
    static const char *traits[] = { "COMPUTE_NET_ATTACH_INTERFACE", "COMPUTE_NODE",
                                    "HW_CPU_X86_SSE2" };

    (void)f;
    *ret = (struct driver_inventory){
        .hypervisor_hostname = arena_strdup(a, s->host_name),
        .hypervisor_type = "sim",
        .architecture = "x86_64",
        .cpu_vendor = "Virga",
        .cpu_model = "sim",
        .hypervisor_version = 1000000,
        .sockets = 1,
        .cores = s->config->sim_vcpus,
        .threads = 1,
        .vcpus = s->config->sim_vcpus,
        .memory_mb = s->config->sim_memory_mb,
        .disk_gb = s->config->sim_disk_gb,
        .memory_free_mb = s->config->sim_memory_mb,
        .disk_free_gb = s->config->sim_disk_gb,
        .traits = traits,
        .traits_count = ARRAY_SIZE(traits),
    };
    return 0;
}

static void
free_guest(void *value)
{
    struct sim_guest *g = value;

    free(g->name);
    str_done(&g->console);
    map_free(g->volumes);
    map_free(g->nics);
    free(g);
}

/* --- Its life. */

/* "spawn:1:1:UNAVAILABLE" */
static int
read_rule(struct hypervisor *h, const char *text, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    size_t count;
    char **part = str_split(a, text, ':', &count);
    int64_t first, times;

    if (count != 4 || str_to_int64(part[1], 1, 1000000, &first) < 0 ||
        str_to_int64(part[2], 1, 1000000, &times) < 0)
        return fault_raise_field(f, "sim.failures", "is not a list of method:first:count:KIND");
    sim_fail(h, part[0], (unsigned)first, (unsigned)times, fault_kind_from_name(part[3]));
    return 0;
}

static void
sim_close(struct hypervisor *h)
{
    struct sim *s = sim_of(h);

    map_free(s->guests);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->mutex);
    free(s->host_name);
    free(s);
}

static int
sim_open(struct hypervisor **ret, const struct driver_options *options, struct fault *f)
{
    struct sim *s = memory_calloc(1, sizeof(*s));
    pthread_condattr_t attributes;

    s->base.driver = &driver_sim;
    s->config = options->config;
    s->host_name = memory_strdup(options->host);
    s->events = options->events;
    s->delay_ms = options->config->sim_delay_ms;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->moved, &attributes);
    pthread_condattr_destroy(&attributes);
    s->guests = map_new(free_guest);
    for (const char **rule = options->config->sim_failures; rule != NULL && *rule != NULL; rule++) {
        int r = read_rule(&s->base, *rule, f);

        if (r < 0) {
            sim_close(&s->base);
            return r;
        }
    }
    *ret = &s->base;
    s->events.resync(s->events.owner);
    return 0;
}

const struct driver driver_sim = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .spawn = spawn,
    .destroy = destroy,
    .start = start,
    .stop = stop,
    .reboot = reboot,
    .console = console,
    .attach_volume = attach_volume,
    .detach_volume = detach_volume,
    .attach_nic = attach_nic,
    .detach_nic = detach_nic,
    .list = list,
    .inventory = inventory,
};
