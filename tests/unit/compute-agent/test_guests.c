/* The RPC methods on the simulated hypervisor: what they check, that they are idempotent, and how they take turns. */
#include <pthread.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "services/compute-agent/driver_sim.h"
#include "services/compute-agent/guest_lock.h"
#include "services/compute-agent/service.h"
#include "tests/unit/asserts.h"

#define GUEST_ID "c0ffee00-0000-4000-8000-000000000001"
#define VOLUME_ID "c0ffee00-0000-4000-8000-0000000000aa"

struct fixture {
    struct arena *a;
    struct agent agent;
    struct rpc_request request;
    unsigned events;
    char reason[32];
};

static const char *no_failures[] = { NULL };
static struct compute_agent_config config = { .sim_hosts = 1,
                                              .sim_vcpus = 4,
                                              .sim_memory_mb = 1024,
                                              .sim_disk_gb = 10,
                                              .sim_failures = no_failures };

static void
on_changed(void *owner, const char *guest_id, enum guest_power_state power, const char *reason)
{
    struct fixture *x = owner;

    (void)guest_id;
    (void)power;
    x->events++;
    snprintf(x->reason, sizeof(x->reason), "%s", reason);
}

static void
on_resync(void *owner)
{
    (void)owner;
}

static int
setup(void **state)
{
    static struct fixture fixture;
    struct driver_options options = { .config = &config,
                                      .host = "reef",
                                      .events = { on_changed, on_resync, &fixture } };
    struct fault f = { 0 };

    fixture = (struct fixture){ .a = arena_new() };
    fixture.agent = (struct agent){ .config = &config, .host = "reef", .locks = guest_locks_new() };
    fixture.request = (struct rpc_request){ .arena = fixture.a,
                                            .owner = &fixture.agent,
                                            .deadline_mono_ms = clock_mono_ms() + 10000 };
    *state = &fixture;
    return driver_find("sim")->open(&fixture.agent.hypervisor, &options, &f);
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    x->agent.hypervisor->driver->close(x->agent.hypervisor);
    guest_locks_free(x->agent.locks);
    arena_free(x->a);
    return 0;
}

/* Runs a method as the bus does, by its name and with JSON. */
static int
call(struct fixture *x, const char *method, const char *params, json_t **ret, struct fault *f)
{
    json_t *answer = NULL;
    struct rpc_request request = x->request;
    json_t *parsed = NULL;
    int r = json_read(x->a, params, strlen(params), &parsed, f);

    assert_ok(r);
    request.params = parsed;
    for (size_t i = 0; i < compute_agent_methods_count; i++) {
        if (!str_equal(compute_agent_methods[i].name, method))
            continue;
        r = compute_agent_methods[i].handle(&request, &answer, f);
        if (ret != NULL)
            *ret = answer;
        return r;
    }
    fail_msg("there is no method %s", method);
    return -1;
}

#define SMALL                                                                                      \
    "\"guest_id\": \"" GUEST_ID                                                                    \
    "\", \"name\": \"instance-00000001\", \"vcpus\": 1, \"memory_mb\": 64"
#define SPAWN "{ \"guest\": { " SMALL ", \"newer\": 1 } }"
#define ONE "{ \"guest_id\": \"" GUEST_ID "\" }"
#define ATTACH                                                                                     \
    "{ \"guest_id\": \"" GUEST_ID "\", \"volume\": { \"volume_id\": \"" VOLUME_ID                  \
    "\", \"host\": \"192.0.2.1\", "                                                                \
    "\"port\": 10809, \"export\": \"x\" } }"
#define DETACH "{ \"guest_id\": \"" GUEST_ID "\", \"volume_id\": \"" VOLUME_ID "\" }"

static void
test_life(void **state)
{
    struct fixture *x = *state;
    json_t *answer;
    struct fault f = { 0 };

    assert_ok(call(x, "guest_spawn", SPAWN, &answer, &f));
    assert_string_equal(json_get_text(answer, "state"), "running");
    assert_ok(call(x, "guest_spawn", SPAWN, &answer, &f));
    assert_int_equal(sim_guests(x->agent.hypervisor), 1);
    assert_ok(call(x, "guest_attach_volume", ATTACH, &answer, &f));
    assert_string_equal(json_get_text(answer, "device"), "/dev/vdb");
    assert_ok(call(x, "guest_attach_volume", ATTACH, &answer, &f));
    assert_int_equal(sim_devices(x->agent.hypervisor), 1);
    assert_ok(
        call(x, "guest_console", "{ \"guest_id\": \"" GUEST_ID "\", \"lines\": 1 }", &answer, &f));
    assert_string_equal(json_get_text(answer, "output"), "login: \n");
    assert_ok(call(x, "guest_list", "{}", &answer, &f));
    assert_string_equal(json_text(x->a, answer),
                        "{\"guests\":[{\"guest_id\":\"" GUEST_ID
                        "\",\"name\":\"instance-00000001\",\"state\":\"running\","
                        "\"volumes\":[\"" VOLUME_ID "\"],\"macs\":[]}]}");
    assert_ok(call(x, "guest_detach_volume", DETACH, NULL, &f));
    assert_ok(call(x, "guest_detach_volume", DETACH, NULL, &f));
    assert_int_equal(sim_devices(x->agent.hypervisor), 0);
    assert_ok(call(x, "guest_stop", ONE, &answer, &f));
    assert_true(json_get_bool(answer, "clean"));
    assert_ok(call(x, "guest_start", ONE, &answer, &f));
    assert_string_equal(json_get_text(answer, "state"), "running");
    assert_ok(call(x, "guest_reboot", "{ \"hard\": true, \"guest\": { " SMALL " } }", &answer, &f));
    assert_false(json_get_bool(answer, "clean"));
    assert_ok(call(x, "guest_destroy", ONE, NULL, &f));
    assert_ok(call(x, "guest_destroy", ONE, NULL, &f));
    assert_int_equal(sim_guests(x->agent.hypervisor), 0);
    assert_string_equal(x->reason, "gone");
}

/* F8: whatever comes over the bus is checked before it is used. */
static void
test_malformed(void **state)
{
    static const struct {
        const char *method, *params;
    } cases[] = {
        { "guest_destroy", "{}" },
        { "guest_destroy", "{ \"guest_id\": \"../../etc\" }" },
        { "guest_destroy", "{ \"guest_id\": null }" },
        { "guest_destroy", "{ \"guest_id\": \"c0ffee00000040008000000000000001\" }" },
        { "guest_console", "{ \"guest_id\": \"../../etc\" }" },
        { "guest_console", "{ \"guest_id\": \"" GUEST_ID "\", \"bytes\": 1000000000 }" },
        { "guest_spawn", "{}" },
        { "guest_spawn", "{ \"guest\": {} }" },
        { "guest_spawn", "{ \"guest\": { \"guest_id\": \"" GUEST_ID
                         "\", \"name\": \"a/b\", \"vcpus\": 1, \"memory_mb\": 64 } }" },
        { "guest_spawn", "{ \"guest\": { \"guest_id\": \"" GUEST_ID
                         "\", \"name\": \"a\", \"vcpus\": -1, \"memory_mb\": 64 } }" },
        { "guest_spawn", "{ \"guest\": { " SMALL ", \"root_gb\": -1 } }" },
        { "guest_spawn", "{ \"guest\": { " SMALL ", \"nics\": [ {} ] } }" },
        { "guest_spawn",
          "{ \"guest\": { " SMALL ", \"nics\": [ { \"port_id\": \"" GUEST_ID "\", \"mac\": "
          "\"fa:16:3e:00:00:01\", \"tap\": \"a tap with / in it\" } ] } }" },
        { "guest_spawn",
          "{ \"guest\": { " SMALL ", \"settings\": { \"machine\": \"/bin/sh\" } } }" },
        { "guest_reboot", "{ \"hard\": true }" },
        { "guest_attach_volume", "{ \"guest_id\": \"" GUEST_ID "\" }" },
        { "guest_stop", "{ \"guest_id\": \"" GUEST_ID "\", \"timeout_s\": 100000 }" },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };

        if (call(x, cases[i].method, cases[i].params, NULL, &f) >= 0 || f.kind != FAULT_INVALID)
            fail_msg("%s %s: %s %s", cases[i].method, cases[i].params, fault_kind_name(f.kind),
                     f.message);
        assert_int_equal(sim_guests(x->agent.hypervisor), 0);
    }
}

static void
test_absent(void **state)
{
    static const char *const methods[] = { "guest_start", "guest_stop", "guest_console" };
    struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct fault f = { 0 };
        int r = call(x, methods[i], ONE, NULL, &f);

        assert_fault(r, f, FAULT_NOT_FOUND, NULL);
    }
}

static void
test_deaf_guest_keeps_its_volume(void **state)
{
    struct fixture *x = *state;
    struct fault f = { 0 };
    json_t *answer;
    int r;

    assert_ok(call(x, "guest_spawn", SPAWN, NULL, &f));
    assert_ok(call(x, "guest_attach_volume", ATTACH, NULL, &f));
    assert_true(sim_make_deaf(x->agent.hypervisor, GUEST_ID));
    r = call(x, "guest_detach_volume", DETACH, NULL, &f);
    assert_fault(r, f, FAULT_CONFLICT, "still connected");
    assert_int_equal(sim_devices(x->agent.hypervisor), 1);
    fault_clear(&f);
    assert_ok(call(x, "guest_stop", ONE, &answer, &f));
    assert_false(json_get_bool(answer, "clean"));
    assert_ok(call(x, "guest_detach_volume", DETACH, NULL, &f));
    assert_int_equal(sim_devices(x->agent.hypervisor), 0);
}

/* A failure before leaves nothing done; a lost answer leaves all of it, and the repetition finds it. */
static void
test_injected_failures(void **state)
{
    struct fixture *x = *state;
    struct hypervisor *h = x->agent.hypervisor;
    struct fault f = { 0 };
    int r;

    sim_fail(h, "spawn", 1, 1, FAULT_UNAVAILABLE);
    sim_fail(h, "spawn", 2, 1, FAULT_TIMEOUT);
    r = call(x, "guest_spawn", SPAWN, NULL, &f);
    assert_fault(r, f, FAULT_UNAVAILABLE, NULL);
    assert_int_equal(sim_guests(h), 0);
    r = call(x, "guest_spawn", SPAWN, NULL, &f);
    assert_fault(r, f, FAULT_TIMEOUT, NULL);
    assert_int_equal(sim_guests(h), 1);
    fault_clear(&f);
    assert_ok(call(x, "guest_spawn", SPAWN, NULL, &f));
    assert_int_equal(sim_guests(h), 1);
    assert_true(sim_crash(h, GUEST_ID));
    assert_string_equal(x->reason, "crashed");
}

struct caller {
    struct fixture *x;
    struct arena *a;
    const char *method, *params;
    int result;
    struct fault f;
};

static void *
call_in_thread(void *argument)
{
    struct caller *c = argument;
    struct fixture own = *c->x;

    own.a = own.request.arena = c->a;
    c->result = call(&own, c->method, c->params, NULL, &c->f);
    return NULL;
}

/* The delays are the clock's: the call waits until the test moves it. Until 'count' calls wait; scheduling is all it waits for. */
static void
await_waiting(struct hypervisor *h, unsigned count)
{
    const struct timespec pause = { .tv_nsec = 1000000 };

    while (sim_waiting(h) != count)
        nanosleep(&pause, NULL);
}

static void
test_delay_by_the_clock(void **state)
{
    struct fixture *x = *state;
    struct hypervisor *h = x->agent.hypervisor;
    struct caller c = { x, arena_new(), "guest_spawn", SPAWN, 1, { 0 } };
    pthread_t thread;

    x->request.deadline_mono_ms = clock_mono_ms() + 10000000;
    sim_set_delay(h, 3600000);
    pthread_create(&thread, NULL, call_in_thread, &c);
    await_waiting(h, 1);
    assert_int_equal(sim_guests(h), 0);
    clock_shift_ms(3600001);
    sim_wake(h);
    pthread_join(thread, NULL);
    assert_ok(c.result);
    assert_int_equal(sim_guests(h), 1);
    clock_shift_ms(-3600001);
    arena_free(c.a);
}

/* A guest that is deleted while it is built: the build sees it and stops, then the end comes to its turn. */
static void
test_destroy_stops_spawn(void **state)
{
    struct fixture *x = *state;
    struct guest_locks *locks = x->agent.locks;
    struct guest_hold builder = { 0 };
    struct caller c = { x, arena_new(), "guest_destroy", ONE, 1, { 0 } };
    struct fault f = { 0 };
    enum guest_power_state power;
    struct guest_description guest = { .guest_id = GUEST_ID, .name = "x" };
    const struct timespec pause = { .tv_nsec = 1000000 };
    pthread_t thread;
    int r;

    assert_ok(guest_lock_claim(locks, GUEST_ID, clock_mono_ms() + 1000, &builder, &f));
    assert_false(guest_hold_unwanted(&builder));
    pthread_create(&thread, NULL, call_in_thread, &c);
    while (!guest_hold_unwanted(&builder))
        nanosleep(&pause, NULL);
    r = x->agent.hypervisor->driver->spawn(x->agent.hypervisor, x->a, &guest, &builder, &power, &f);
    assert_fault(r, f, FAULT_CONFLICT, "deleted while");
    guest_lock_release(&builder);
    pthread_join(thread, NULL);
    assert_ok(c.result);
    assert_int_equal(sim_guests(x->agent.hypervisor), 0);
    arena_free(c.a);
}

static void
test_busy(void **state)
{
    struct fixture *x = *state;
    struct guest_hold other = { 0 };
    struct fault f = { 0 };
    int r;

    assert_ok(guest_lock_claim(x->agent.locks, GUEST_ID, clock_mono_ms() + 1000, &other, &f));
    x->request.deadline_mono_ms = clock_mono_ms();
    r = call(x, "guest_start", ONE, NULL, &f);
    assert_fault(r, f, FAULT_UNAVAILABLE, "busy");
    guest_lock_release(&other);
    guest_lock_release(&other);
}

static void
test_thousands(void **state)
{
    struct fixture *x = *state;
    struct hypervisor *h = x->agent.hypervisor;
    struct guest_present *guests;
    struct fault f = { 0 };
    size_t count;

    for (unsigned i = 0; i < 5000; i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();
        struct guest_description guest = { .guest_id =
                                               arena_printf(a, "c0ffee00-0000-4000-8000-%012x", i),
                                           .name = "many" };
        enum guest_power_state power;

        assert_ok(h->driver->spawn(h, a, &guest, NULL, &power, &f));
    }
    assert_ok(h->driver->list(h, x->a, &guests, &count, &f));
    assert_int_equal(count, 5000);
    assert_int_equal(x->events, 5000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_life),
        T(test_malformed),
        T(test_absent),
        T(test_deaf_guest_keeps_its_volume),
        T(test_injected_failures),
        T(test_delay_by_the_clock),
        T(test_destroy_stops_spawn),
        T(test_busy),
        T(test_thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
