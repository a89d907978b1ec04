/* The life of one real guest through the libvirt driver: spawned from an image with config drive, disks and a tap; volumes and
 * network cards come and go; it reboots, stops, starts, loses its volume's server, crashes; and in the end nothing is left.
 *
 * Runs on a host of its own, which test_compute_agent_driver.py makes. Arguments: state folder, image (qcow2), port of an NBD
 * server on 127.0.0.1 that has the export "volume", command that starts and stops that server, two taps. */
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "services/compute-agent/driver.h"
#include "services/compute-agent/image_cache.h"
#include "services/compute-agent/service.h"
#include "tests/unit/asserts.h"

#define GUEST_ID "c0ffee00-0000-4000-8000-000000000001"
#define VOLUME_ID "c0ffee00-0000-4000-8000-0000000000aa"
#define PORT_ID "c0ffee00-0000-4000-8000-0000000000b1"
#define PORT_2_ID "c0ffee00-0000-4000-8000-0000000000b2"
#define MAC "fa:16:3e:00:00:01"
#define MAC_2 "fa:16:3e:00:00:02"

enum { BOOT_MS = 120000, SHORT_MS = 30000 };

static struct {
    const char *state_dir, *image, *server_command;
    const char *taps[2];
    int64_t nbd_port;
} args;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool connected;
    char last_reason[32];
    enum guest_power_state last_state;
    unsigned io_errors, resumed;
} seen = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct compute_agent_config config = {
    .driver = "libvirt",
    .libvirt_uri = "qemu:///system",
    .virt_type = "auto",
    .emulator = "",
    .cpu_model = "",
    .disk_cache = "none",
    .vnc_listen = "127.0.0.1",
    .call_deadline_s = 60,
};

static struct hypervisor *h;
static struct image_cache *images;
static unsigned downloads;

/* --- What the driver is given. */

static void
on_changed(void *owner, const char *guest_id, enum guest_power_state state, const char *reason)
{
    (void)owner;
    (void)guest_id;
    pthread_mutex_lock(&seen.mutex);
    seen.last_state = state;
    snprintf(seen.last_reason, sizeof(seen.last_reason), "%s", reason);
    seen.io_errors += str_equal(reason, "io-error");
    seen.resumed += str_equal(reason, "resumed");
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
}

static void
on_resync(void *owner)
{
    (void)owner;
    pthread_mutex_lock(&seen.mutex);
    seen.connected = true;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
}

static int
read_image(void *owner, const struct guest_image *image,
           int (*sink)(void *sink_owner, const char *data, size_t size, struct fault *f),
           void *sink_owner, struct fault *f)
{
    FILE *file = fopen(args.image, "re");
    char part[65536];
    size_t n;
    int r = 0;

    (void)owner;
    (void)image;
    downloads++;
    if (file == NULL)
        return fault_raise_cause(f, "%s: %s", args.image, strerror(errno));
    while (r == 0 && (n = fread(part, 1, sizeof(part), file)) > 0)
        r = sink(sink_owner, part, n, f);
    fclose(file);
    return r;
}

static void
measure_image(struct arena *a, struct guest_image *image)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    FILE *file = fopen(args.image, "re");
    unsigned char part[65536], value[EVP_MAX_MD_SIZE];
    unsigned size;
    size_t n;

    assert_non_null(file);
    EVP_DigestInit_ex(digest, EVP_sha512(), NULL);
    while ((n = fread(part, 1, sizeof(part), file)) > 0) {
        EVP_DigestUpdate(digest, part, n);
        image->size += (int64_t)n;
    }
    fclose(file);
    EVP_DigestFinal_ex(digest, value, &size);
    EVP_MD_CTX_free(digest);
    image->hash_value = str_hex(a, value, size);
}

/* In the guest: reads the volume, past its cache, whenever it is there. */
static const char reader[] =
    "#!/bin/sh\n"
    "( while sleep 1; do [ -b /dev/vdd ] || continue\n"
    "  echo 3 > /proc/sys/vm/drop_caches\n"
    "  dd if=/dev/vdd of=/dev/null bs=4096 count=1 2>/dev/null && echo VOLUME-READ > /dev/ttyS0\n"
    "done ) &\n";

static struct guest_description *
describe(struct arena *a)
{
    struct guest_description *guest = ARENA_NEW(a, struct guest_description);

    *guest = (struct guest_description){
        .guest_id = GUEST_ID,
        .name = "instance-0000002a",
        .vcpus = 1,
        .memory_mb = 192,
        .root_gb = 1,
        .ephemeral_gb = 1,
        .swap_mb = 16,
        .config_drive = true,
    };
    guest->image = ARENA_NEW(a, struct guest_image);
    guest->image->image_id = "c0ffee00-0000-4000-8000-0000000000cc";
    guest->image->disk_format = GUEST_IMAGE_DISK_FORMAT_QCOW2;
    measure_image(a, guest->image);
    guest->nics = ARENA_NEW(a, struct guest_nic);
    guest->nics_count = 1;
    *guest->nics =
        (struct guest_nic){ .port_id = PORT_ID, .mac = MAC, .tap = args.taps[0], .mtu = 1450 };
    guest->user_data = str_base64(a, reader, sizeof(reader) - 1);
    guest->metadata =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}]}", "hostname", "reef", "name", "reef", "keys",
                  "name", "k", "type", "ssh", "data", "ssh-ed25519 AAAA test");
    arena_defer(a, (void (*)(void *))json_decref, guest->metadata);
    return guest;
}

static struct guest_volume
volume(void)
{
    return (struct guest_volume){
        .volume_id = VOLUME_ID, .host = "127.0.0.1", .port = args.nbd_port, .export = "volume"
    };
}

/* --- Waiting for what the guest says: its console is a file, looked at until the text is there often enough. */

static bool
console_has(struct arena *a, const char *text, unsigned times)
{
    struct fault f = { 0 };
    const char *data;
    size_t size;
    unsigned found = 0;

    if (h->driver->console(h, a, GUEST_ID, -1, 1 << 20, &data, &size, &f) < 0)
        return false;
    for (const char *at = data;
         (at = memmem(at, size - (size_t)(at - data), text, strlen(text))) != NULL; at++)
        found++;
    return found >= times;
}

static void
await_console(const char *text, unsigned times, int64_t wait_ms)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;
    const struct timespec pause = { .tv_nsec = 200000000 };

    for (;;) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        const char *data = "";
        struct fault f = { 0 };
        size_t size = 0;

        if (console_has(a, text, times))
            return;
        if (clock_mono_ms() > deadline_ms) {
            h->driver->console(h, a, GUEST_ID, 40, 1 << 16, &data, &size, &f);
            fail_msg("the console does not say '%s' %u times: %.*s", text, times, (int)size, data);
        }
        nanosleep(&pause, NULL);
    }
}

/* Until an event that counts in '*counter' has come at least 'least' times. */
static void
await_count(const unsigned *counter, unsigned least)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SHORT_MS / 1000;
    pthread_mutex_lock(&seen.mutex);
    while (*counter < least && r == 0)
        r = pthread_cond_timedwait(&seen.changed, &seen.mutex, &until);
    pthread_mutex_unlock(&seen.mutex);
    if (r != 0)
        fail_msg("an event did not come");
}

static void
await_reason(const char *reason)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SHORT_MS / 1000;
    pthread_mutex_lock(&seen.mutex);
    while (!str_equal(seen.last_reason, reason) && r == 0)
        r = pthread_cond_timedwait(&seen.changed, &seen.mutex, &until);
    pthread_mutex_unlock(&seen.mutex);
    if (r != 0)
        fail_msg("no event '%s', the last was '%s'", reason, seen.last_reason);
}

#define ok(call)                                                                                   \
    do {                                                                                           \
        struct fault f = { 0 };                                                                    \
        int64_t from_ms = clock_mono_ms();                                                         \
        if ((call) < 0)                                                                            \
            fail_msg("%s: %s: %s (%s)", #call, fault_kind_name(f.kind), f.message, f.cause);       \
        print_message("  %6lld ms  %.60s\n", (long long)(clock_mono_ms() - from_ms), #call);       \
    } while (0)

static struct guest_present
only_guest(struct arena *a)
{
    struct guest_present *guests;
    size_t count;

    ok(h->driver->list(h, a, &guests, &count, &f));
    assert_int_equal(count, 1);
    assert_string_equal(guests[0].guest_id, GUEST_ID);
    return guests[0];
}

/* --- The test, in order: each part goes on from where the one before it ended. */

static int
setup(void **state)
{
    struct arena *a = arena_new();
    struct driver_options options = { .config = &config,
                                      .host = "reef",
                                      .events = { on_changed, on_resync, NULL } };
    struct image_source source = { .download = read_image };
    struct timespec until;
    struct fault f = { 0 };
    int r = 0;

    mkdir(args.state_dir, 0711);
    *state = a;
    config.common.state_dir = args.state_dir;
    if (image_cache_open(&images, arena_printf(a, "%s/images", args.state_dir), &source, 0, 0, &f) <
        0)
        return -1;
    options.images = images;
    if (driver_libvirt.open(&h, &options, &f) < 0) {
        print_error("%s (%s)\n", f.message, f.cause);
        return -1;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&seen.mutex);
    while (!seen.connected && r == 0)
        r = pthread_cond_timedwait(&seen.changed, &seen.mutex, &until);
    pthread_mutex_unlock(&seen.mutex);
    return r;
}

static int
teardown(void **state)
{
    h->driver->close(h);
    image_cache_close(images);
    arena_free(*state);
    return 0;
}

static void
test_inventory(void **state)
{
    struct driver_inventory inventory;

    ok(h->driver->inventory(h, *state, &inventory, &f));
    assert_true(inventory.vcpus > 0 && inventory.memory_mb > 0 && inventory.disk_gb > 0);
    assert_true(inventory.hypervisor_version > 1000000);
    assert_string_equal(inventory.architecture, "x86_64");
    assert_true(inventory.traits_count > 10);
}

static void
test_spawn(void **state)
{
    struct arena *a = *state;
    struct guest_description *guest = describe(a);
    enum guest_power_state power = GUEST_POWER_STATE_NOSTATE;
    struct guest_present present;

    ok(h->driver->spawn(h, a, guest, NULL, &power, &f));
    assert_int_equal(power, GUEST_POWER_STATE_RUNNING);
    ok(h->driver->spawn(h, a, guest, NULL, &power, &f));
    assert_int_equal(downloads, 1);
    present = only_guest(a);
    assert_string_equal(present.name, "instance-0000002a");
    assert_int_equal(present.macs.count, 1);
    assert_string_equal(present.macs.items[0], MAC);
    await_console("TINY-READY", 1, BOOT_MS);
    await_console("metadata=configdrive instance-id=" GUEST_ID " hostname=reef keys=1", 1, 0);
    await_console("net eth0 mac=" MAC " mtu=1450", 1, 0);
    await_console("block vda sectors=2097152", 1, 0);
    await_console("block vdb sectors=2097152", 1, 0);
    await_console("block vdc sectors=32768", 1, 0);
}

static void
test_volume(void **state)
{
    struct arena *a = *state;
    struct guest_volume v = volume();
    const char *device = NULL;

    ok(h->driver->attach_volume(h, a, GUEST_ID, &v, &device, &f));
    assert_string_equal(device, "/dev/vdd");
    ok(h->driver->attach_volume(h, a, GUEST_ID, &v, &device, &f));
    assert_string_equal(device, "/dev/vdd");
    await_console("HOTPLUG block vdd sectors=131072 serial=c0ffee00-0000-4000-8", 1, SHORT_MS);
    assert_int_equal(only_guest(a).volumes.count, 1);
    assert_string_equal(only_guest(a).volumes.items[0], VOLUME_ID);
    ok(h->driver->detach_volume(h, a, GUEST_ID, VOLUME_ID, 60, &f));
    await_console("UNPLUG vdd", 1, SHORT_MS);
    assert_int_equal(only_guest(a).volumes.count, 0);
    ok(h->driver->detach_volume(h, a, GUEST_ID, VOLUME_ID, 60, &f));
}

static void
test_nic(void **state)
{
    struct arena *a = *state;
    struct guest_nic nic = { .port_id = PORT_2_ID, .mac = MAC_2, .tap = args.taps[1], .mtu = 1400 };

    ok(h->driver->attach_nic(h, a, GUEST_ID, &nic, &f));
    ok(h->driver->attach_nic(h, a, GUEST_ID, &nic, &f));
    assert_int_equal(only_guest(a).macs.count, 2);
    await_console("HOTPLUG net eth1 mac=" MAC_2, 1, SHORT_MS);
    ok(h->driver->detach_nic(h, a, GUEST_ID, MAC_2, 60, &f));
    assert_int_equal(only_guest(a).macs.count, 1);
    ok(h->driver->detach_nic(h, a, GUEST_ID, MAC_2, 60, &f));
}

static void
test_soft_reboot(void **state)
{
    struct arena *a = *state;
    enum guest_power_state power;
    bool clean = false;

    ok(h->driver->reboot(h, a, describe(a), false, 60, &clean, &power, &f));
    assert_true(clean);
    assert_int_equal(power, GUEST_POWER_STATE_RUNNING);
}

/* The boot loader does not hear of unplugging; the volume must not be called free then. */
static void
test_refused_detach(void **state)
{
    struct arena *a = *state;
    struct guest_volume v = volume();
    const char *device;
    struct fault f_refused = { 0 };
    int r;

    ok(h->driver->attach_volume(h, a, GUEST_ID, &v, &device, &f));
    r = h->driver->detach_volume(h, a, GUEST_ID, VOLUME_ID, 1, &f_refused);
    assert_fault(r, f_refused, FAULT_CONFLICT, "still connected");
    assert_int_equal(only_guest(a).volumes.count, 1);
    await_console("TINY-READY", 2, BOOT_MS);
    await_console("boots=2", 1, 0);
    ok(h->driver->detach_volume(h, a, GUEST_ID, VOLUME_ID, 60, &f));
    assert_int_equal(only_guest(a).volumes.count, 0);
}

static void
test_stop_and_start(void **state)
{
    struct arena *a = *state;
    struct guest_volume v = volume();
    enum guest_power_state power;
    const char *device;
    bool clean = false;

    ok(h->driver->stop(h, a, GUEST_ID, 60, &clean, &f));
    assert_true(clean);
    await_reason("shutdown");
    assert_int_equal(only_guest(a).state, GUEST_POWER_STATE_SHUTDOWN);
    ok(h->driver->stop(h, a, GUEST_ID, 60, &clean, &f));
    assert_true(clean);
    /* While it is off: for the next start. */
    ok(h->driver->attach_volume(h, a, GUEST_ID, &v, &device, &f));
    ok(h->driver->start(h, a, GUEST_ID, &power, &f));
    ok(h->driver->start(h, a, GUEST_ID, &power, &f));
    assert_int_equal(power, GUEST_POWER_STATE_RUNNING);
    assert_int_equal(only_guest(a).volumes.count, 1);
    await_console("TINY-READY", 3, BOOT_MS);
}

static unsigned
console_count(struct arena *a, const char *text)
{
    unsigned times = 0;

    while (console_has(a, text, times + 1))
        times++;
    return times;
}

static void
run_server(struct arena *a, const char *what)
{
    const char *argv[] = { args.server_command, what, NULL };
    struct process_run run = { .argv = argv };

    ok(process_run(a, &run, &f));
}

/* The guest reads its volume once a second and says so; the volume's server dies and comes back. */
static void
test_volume_server_away(void **state)
{
    struct arena *a = *state;
    unsigned errors;

    await_console("VOLUME-READ", 1, SHORT_MS);
    run_server(a, "stop");
    errors = seen.io_errors;
    await_count(&seen.io_errors, errors + 1);
    assert_int_equal(only_guest(a).state, GUEST_POWER_STATE_PAUSED);
    run_server(a, "start");
    await_console("VOLUME-READ", console_count(a, "VOLUME-READ") + 2, SHORT_MS * 2);
    assert_int_equal(only_guest(a).state, GUEST_POWER_STATE_RUNNING);
    assert_false(console_has(a, "I/O error", 1));
}

static void
test_hard_reboot(void **state)
{
    struct arena *a = *state;
    struct guest_description *guest = describe(a);
    struct guest_volume v = volume();
    enum guest_power_state power;
    bool clean = true;

    guest->volumes = &v;
    guest->volumes_count = 1;
    ok(h->driver->reboot(h, a, guest, true, 0, &clean, &power, &f));
    assert_false(clean);
    assert_int_equal(only_guest(a).volumes.count, 1);
    await_console("TINY-READY", 4, BOOT_MS);
}

static void
test_crash(void **state)
{
    FILE *file = fopen("/run/libvirt/qemu/instance-0000002a.pid", "re");
    long pid = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    await_reason("crashed");
    assert_int_equal(seen.last_state, GUEST_POWER_STATE_CRASHED);
    assert_int_equal(only_guest(*state).state, GUEST_POWER_STATE_CRASHED);
}

static void
test_destroy(void **state)
{
    struct arena *a = *state;
    struct guest_present *guests;
    struct fault gone = { 0 };
    enum guest_power_state power;
    struct stat st;
    size_t count;
    int r;

    ok(h->driver->destroy(h, a, GUEST_ID, &f));
    ok(h->driver->destroy(h, a, GUEST_ID, &f));
    ok(h->driver->list(h, a, &guests, &count, &f));
    assert_int_equal(count, 0);
    assert_int_equal(stat(arena_printf(a, "%s/instances/" GUEST_ID, args.state_dir), &st), -1);
    r = h->driver->start(h, a, GUEST_ID, &power, &gone);
    assert_fault(r, gone, FAULT_NOT_FOUND, NULL);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inventory),      cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_volume),         cmocka_unit_test(test_nic),
        cmocka_unit_test(test_soft_reboot),    cmocka_unit_test(test_refused_detach),
        cmocka_unit_test(test_stop_and_start), cmocka_unit_test(test_volume_server_away),
        cmocka_unit_test(test_hard_reboot),    cmocka_unit_test(test_crash),
        cmocka_unit_test(test_destroy),
    };

    if (argc != 7 || str_to_int64(argv[3], 1, 65535, &args.nbd_port) < 0)
        return 2;
    args.state_dir = argv[1];
    args.image = argv[2];
    args.server_command = argv[4];
    args.taps[0] = argv[5];
    args.taps[1] = argv[6];
    log_setup("test", LOG_INFO, LOG_KEYVALUE);
    return cmocka_run_group_tests(tests, setup, teardown);
}
