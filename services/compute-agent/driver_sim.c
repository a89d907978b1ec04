#include "driver_sim.h"

#include <pthread.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "console_log.h"
#include "guest_lock.h"
#include "service.h"

enum { RULES_MAX = 64 };

struct rule {
    char method[32];
    unsigned first, count, seen;
    enum fault_kind kind;
};

struct sim_guest {
    char *name;
    enum guest_power_state state;
    bool deaf;
    struct str console;
    struct map *volumes; /* Volume id -> device name (char *). */
    struct map *nics;    /* MAC -> port id (char *). */
};

struct sim {
    struct hypervisor base;
    const struct compute_agent_config *config;
    char *host_name;
    struct driver_events events;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int64_t delay_ms GUARDED_BY(mutex);
    unsigned waiting GUARDED_BY(mutex);
    struct map *guests GUARDED_BY(mutex);
    struct rule rules[RULES_MAX] GUARDED_BY(mutex);
    size_t rules_count GUARDED_BY(mutex);
};

static struct sim *
sim_of(struct hypervisor *h)
{
    return CONTAINER_OF(h, struct sim, base);
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

/* --- Failures and delays. All of it under the mutex. */

static enum fault_kind
due_failure(struct sim *s, const char *method)
{
    enum fault_kind kind = FAULT_NONE;

    for (size_t i = 0; i < s->rules_count; i++) {
        struct rule *rule = &s->rules[i];

        if (!str_equal(rule->method, method))
            continue;
        rule->seen++;
        if (rule->seen >= rule->first && rule->seen - rule->first < rule->count)
            kind = rule->kind;
    }
    return kind;
}

static void
wait_delay(struct sim *s)
{
    int64_t due_ms = clock_mono_ms() + s->delay_ms;

    s->waiting++;
    for (int64_t left_ms; (left_ms = due_ms - clock_mono_ms()) > 0;) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(left_ms / 1000);
        until.tv_nsec += (long)(left_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&s->moved, &s->mutex, &until);
    }
    s->waiting--;
}

/* One call at work: locked from begin() to end(). */
struct work {
    struct sim *sim;
    enum fault_kind failure;
};

static int
begin(struct hypervisor *h, const char *method, struct work *w, struct fault *f)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    *w = (struct work){ s, due_failure(s, method) };
    wait_delay(s);
    if (w->failure != FAULT_NONE && w->failure != FAULT_TIMEOUT)
        return fault_raise(f, w->failure, "The simulated host was told to fail %s.", method);
    return 0;
}

static int
finish(struct work *w, struct fault *f)
{
    if (w->failure != FAULT_TIMEOUT)
        return 0;
    return fault_raise(f, FAULT_TIMEOUT, "The hypervisor did not answer in time.");
}

static void
work_done(struct work *w)
{
    if (w->sim != NULL)
        pthread_mutex_unlock(&w->sim->mutex);
}

static struct sim_guest *
find(struct work *w, const char *guest_id, struct fault *f)
{
    struct sim_guest *g = map_get(w->sim->guests, guest_id);

    if (g == NULL)
        fault_raise(f, FAULT_NOT_FOUND, "The instance could not be found on its host.");
    return g;
}

static void
set_state(struct work *w, const char *guest_id, struct sim_guest *g, enum guest_power_state state,
          const char *reason)
{
    if (g->state == state)
        return;
    g->state = state;
    w->sim->events.guest_changed(w->sim->events.owner, guest_id, state, reason);
}

/* --- The table's functions. */

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
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    int r = begin(h, "spawn", &w, f);

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
        set_state(&w, guest->guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    }
    *ret = g->state;
    return finish(&w, f);
}

static int
destroy(struct hypervisor *h, struct arena *a, const char *guest_id, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    int r = begin(h, "destroy", &w, f);

    (void)a;
    if (r < 0)
        return r;
    if (map_remove(w.sim->guests, guest_id))
        w.sim->events.guest_changed(w.sim->events.owner, guest_id, GUEST_POWER_STATE_NOSTATE,
                                    "gone");
    return finish(&w, f);
}

static int
start(struct hypervisor *h, struct arena *a, const char *guest_id, enum guest_power_state *ret,
      struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    int r = begin(h, "start", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    set_state(&w, guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    *ret = g->state;
    return finish(&w, f);
}

static int
stop(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t timeout_s,
     bool *ret_clean, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    int r = begin(h, "stop", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    *ret_clean = !g->deaf && timeout_s > 0;
    set_state(&w, guest_id, g, GUEST_POWER_STATE_SHUTDOWN, *ret_clean ? "shutdown" : "destroyed");
    return finish(&w, f);
}

static int
reboot(struct hypervisor *h, struct arena *a, const struct guest_description *guest, bool hard,
       int64_t timeout_s, bool *ret_clean, enum guest_power_state *ret, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    int r = begin(h, "reboot", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = find(&w, guest->guest_id, f);
    if (g == NULL)
        return -1;
    *ret_clean = !hard && !g->deaf && timeout_s > 0;
    if (!*ret_clean)
        connect_given(g, guest);
    str_addf(&g->console, "%s: simulated boot\nlogin: \n", guest->name);
    set_state(&w, guest->guest_id, g, GUEST_POWER_STATE_RUNNING, "started");
    *ret = g->state;
    return finish(&w, f);
}

static int
console(struct hypervisor *h, struct arena *a, const char *guest_id, int64_t lines, int64_t bytes,
        const char **ret, size_t *ret_size, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    const struct sim_guest *g;
    size_t size;
    int r = begin(h, "console", &w, f);

    if (r < 0)
        return r;
    g = find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    size = MIN(g->console.size, (size_t)bytes);
    *ret =
        console_log_lines(arena_strndup(a, str_text(&g->console) + (g->console.size - size), size),
                          size, lines, ret_size);
    return finish(&w, f);
}

static int
attach_volume(struct hypervisor *h, struct arena *a, const char *guest_id,
              const struct guest_volume *volume, const char **ret_device, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    const char *device;
    int r = begin(h, "attach_volume", &w, f);

    if (r < 0)
        return r;
    g = find(&w, guest_id, f);
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
    return finish(&w, f);
}

static int
detach(struct work *w, const char *guest_id, bool volume, const char *key, struct fault *f)
{
    struct sim_guest *g = find(w, guest_id, f);
    struct map *devices;

    if (g == NULL)
        return -1;
    devices = volume ? g->volumes : g->nics;
    if (g->deaf && g->state == GUEST_POWER_STATE_RUNNING && map_has(devices, key))
        return fault_raise(f, FAULT_CONFLICT,
                           "The instance did not release the device; it is still connected.");
    map_remove(devices, key);
    return finish(w, f);
}

static int
detach_volume(struct hypervisor *h, struct arena *a, const char *guest_id, const char *volume_id,
              int64_t timeout_s, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    int r = begin(h, "detach_volume", &w, f);

    (void)a;
    (void)timeout_s;
    return r < 0 ? r : detach(&w, guest_id, true, volume_id, f);
}

static int
attach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const struct guest_nic *nic,
           struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    struct sim_guest *g;
    int r = begin(h, "attach_nic", &w, f);

    (void)a;
    if (r < 0)
        return r;
    g = find(&w, guest_id, f);
    if (g == NULL)
        return -1;
    map_set(g->nics, nic->mac, memory_strdup(nic->port_id));
    return finish(&w, f);
}

static int
detach_nic(struct hypervisor *h, struct arena *a, const char *guest_id, const char *mac,
           int64_t timeout_s, struct fault *f)
{
    _cleanup_(work_done) struct work w = { 0 };
    int r = begin(h, "detach_nic", &w, f);

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

/* --- Life, and what tests do. */

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

void
sim_fail(struct hypervisor *h, const char *method, unsigned first, unsigned count,
         enum fault_kind kind)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    if (s->rules_count < RULES_MAX) {
        struct rule *rule = &s->rules[s->rules_count++];

        *rule = (struct rule){ .first = first, .count = count, .kind = kind };
        snprintf(rule->method, sizeof(rule->method), "%s", method);
    }
    pthread_mutex_unlock(&s->mutex);
}

void
sim_set_delay(struct hypervisor *h, int64_t delay_ms)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    s->delay_ms = delay_ms;
    pthread_mutex_unlock(&s->mutex);
}

void
sim_wake(struct hypervisor *h)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
}

unsigned
sim_waiting(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    unsigned waiting;

    pthread_mutex_lock(&s->mutex);
    waiting = s->waiting;
    pthread_mutex_unlock(&s->mutex);
    return waiting;
}

bool
sim_crash(struct hypervisor *h, const char *guest_id)
{
    struct work w = { .sim = sim_of(h) };
    struct sim_guest *g;

    pthread_mutex_lock(&w.sim->mutex);
    g = map_get(w.sim->guests, guest_id);
    if (g != NULL)
        set_state(&w, guest_id, g, GUEST_POWER_STATE_CRASHED, "crashed");
    pthread_mutex_unlock(&w.sim->mutex);
    return g != NULL;
}

bool
sim_make_deaf(struct hypervisor *h, const char *guest_id)
{
    struct sim *s = sim_of(h);
    struct sim_guest *g;

    pthread_mutex_lock(&s->mutex);
    g = map_get(s->guests, guest_id);
    if (g != NULL)
        g->deaf = true;
    pthread_mutex_unlock(&s->mutex);
    return g != NULL;
}

size_t
sim_guests(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    size_t count;

    pthread_mutex_lock(&s->mutex);
    count = map_count(s->guests);
    pthread_mutex_unlock(&s->mutex);
    return count;
}

size_t
sim_devices(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    struct map_at at = { 0 };
    size_t count = 0;

    pthread_mutex_lock(&s->mutex);
    while (map_next(s->guests, &at)) {
        const struct sim_guest *g = at.value;

        count += map_count(g->volumes) + map_count(g->nics);
    }
    pthread_mutex_unlock(&s->mutex);
    return count;
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
