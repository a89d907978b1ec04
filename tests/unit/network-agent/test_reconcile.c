/* Convergence with the simulated driver and a clock that the test moves; retries and rate
 * limits. */
#include "states.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../../services/network-agent/driver_sim.h"
#include "../../../services/network-agent/metadata_clients.h"
#include "../../../services/network-agent/reconcile.h"

#define FIRST "0000000b-0000-4000-8000-00000000000b"
#define SECOND "0000000c-0000-4000-8000-00000000000c"

/* A service that has one generation, and remembers what it was told. */
struct service {
    int64_t generation;
    bool away;
    unsigned fetches, statuses, heartbeats;
    int64_t known; /* As asked the last time. */
    int64_t reported_generation;
    size_t up, failed;
};

static struct host_port ports[2];

static int
fetch(void *owner, int64_t known, struct arena *a, struct host_state_out *ret, struct fault *f)
{
    static struct host_network network = { .id = NET, .vni = 101, .mtu = 1450 };
    static const char *const ids[] = { FIRST, SECOND };
    struct service *s = owner;

    (void)a;
    s->fetches++;
    s->known = known;
    if (s->away)
        return fault_raise(f, FAULT_UNAVAILABLE, "away");
    *ret =
        (struct host_state_out){ .generation = s->generation, .unchanged = known == s->generation };
    if (ret->unchanged)
        return 0;
    for (unsigned i = 0; i < HOST_NETWORK_F_COUNT; i++)
        field_mark(&network.set, i);
    field_mark_null(&network.set, HOST_NETWORK_F_PHYSICAL_NETWORK);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        ports[i] =
            (struct host_port){ .id = ids[i], .network_id = NET, .mac = "fa:16:3e:00:00:0b" };
        field_mark(&ports[i].set, HOST_PORT_F_ID);
        field_mark(&ports[i].set, HOST_PORT_F_NETWORK_ID);
        field_mark(&ports[i].set, HOST_PORT_F_MAC);
    }
    ret->networks = &network;
    ret->networks_count = 1;
    ret->ports = ports;
    ret->ports_count = ARRAY_SIZE(ports);
    for (unsigned i = 0; i < HOST_STATE_OUT_F_COUNT; i++)
        field_mark(&ret->set, i);
    return 0;
}

static int
take_status(void *owner, int64_t generation, const struct outcome *o, struct fault *f)
{
    struct service *s = owner;

    s->statuses++;
    if (s->away)
        return fault_raise(f, FAULT_UNAVAILABLE, "away");
    s->reported_generation = generation;
    s->up = o->up_count;
    s->failed = o->failures_count;
    return 0;
}

static int
take_heartbeat(void *owner, int64_t generation, struct fault *f)
{
    struct service *s = owner;

    (void)generation;
    s->heartbeats++;
    return s->away ? fault_raise(f, FAULT_UNAVAILABLE, "away") : 0;
}

static struct reconcile_options
make_options(struct service *s, struct driver_state *state)
{
    return (struct reconcile_options){ .driver = &driver_sim,
                                       .state = state,
                                       .link = { fetch, take_status, take_heartbeat, s },
                                       .poll_ms = 30000,
                                       .resync_ms = 60000,
                                       .heartbeat_ms = 20000 };
}

static struct driver_state *
open_sim(void)
{
    struct driver_state *state = NULL;
    struct fault f = { 0 };

    assert_ok(driver_sim.open(&state, NULL, &f));
    return state;
}

static void
test_follows_the_doorbell(void **state)
{
    struct service s = { .generation = 5 };
    struct driver_state *sim = open_sim();
    struct reconcile_options options = make_options(&s, sim);
    struct reconcile *r = reconcile_new(&options, 0);

    (void)state;
    reconcile_step(r, 0);
    assert_int_equal(s.fetches, 1);
    assert_int_equal(s.known, 0);
    assert_int_equal(driver_sim_generation(sim), 5);
    assert_int_equal(driver_sim_ports(sim), 2);
    assert_int_equal(s.reported_generation, 5);
    assert_int_equal(s.up, 2);
    assert_int_equal(s.heartbeats, 1);

    reconcile_step(r, 1000);
    assert_int_equal(s.fetches, 1); /* Nothing was due. */
    assert_int_equal(s.statuses, 1);
    s.generation = 6;
    reconcile_ring(r);
    reconcile_step(r, 2000);
    assert_int_equal(s.known, 5);
    assert_int_equal(driver_sim_generation(sim), 6);
    assert_int_equal(s.reported_generation, 6);

    /* A doorbell that was lost: the poll finds it. */
    s.generation = 7;
    reconcile_step(r, 31999);
    assert_int_equal(driver_sim_generation(sim), 6);
    reconcile_step(r, 32000);
    assert_int_equal(driver_sim_generation(sim), 7);
    reconcile_free(r);
    driver_sim.close(sim);
}

static void
test_service_away(void **state)
{
    struct service s = { .generation = 5, .away = true };
    struct driver_state *sim = open_sim();
    struct reconcile_options options = make_options(&s, sim);
    struct reconcile *r = reconcile_new(&options, 0);
    unsigned before;

    (void)state;
    for (int64_t now = 0; now < 120000; now += 1000)
        reconcile_step(r, now);
    assert_in_range(s.fetches, 5, 12); /* Less and less often. */
    assert_int_equal(driver_sim_ports(sim), 0);
    before = s.fetches;
    s.away = false;
    reconcile_ring(r);
    reconcile_step(r, 120000);
    assert_int_equal(s.fetches, before + 1);
    assert_int_equal(driver_sim_ports(sim), 2);
    reconcile_free(r);
    driver_sim.close(sim);
}

static void
test_failures_are_retried(void **state)
{
    struct service s = { .generation = 5 };
    struct driver_state *sim = open_sim();
    struct reconcile_options options = make_options(&s, sim);
    struct reconcile *r;

    (void)state;
    driver_sim_break(sim, SECOND, "no such device");
    r = reconcile_new(&options, 0);
    reconcile_step(r, 0);
    assert_int_equal(s.up, 1);
    assert_int_equal(s.failed, 1);
    assert_true(driver_sim_has_port(sim, FIRST));
    driver_sim_break(sim, SECOND, NULL);
    reconcile_step(r, 999);
    assert_false(driver_sim_has_port(sim, SECOND)); /* Not yet. */
    reconcile_step(r, 1000);
    assert_true(driver_sim_has_port(sim, SECOND));
    assert_int_equal(s.up, 2);
    assert_int_equal(s.failed, 0);
    assert_int_equal(s.fetches, 1); /* All of it without asking again. */
    reconcile_free(r);
    driver_sim.close(sim);
}

static void
test_starts_from_local_truth(void **state)
{
    struct service s = { .generation = 5 };
    struct driver_state *sim = open_sim();
    struct reconcile_options options = make_options(&s, sim);
    struct reconcile *r;
    char path[] = "/tmp/virga-reconcile-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    options.state_file = path;
    r = reconcile_new(&options, 0);
    reconcile_step(r, 0);
    assert_int_equal(driver_sim_ports(sim), 2);
    reconcile_free(r);
    driver_sim.close(sim);

    sim = open_sim();
    options.state = sim;
    s.away = true;
    r = reconcile_new(&options, 0);
    assert_int_equal(driver_sim_ports(sim), 2);
    assert_int_equal(driver_sim_generation(sim), 5);
    s.away = false;
    s.known = -1;
    reconcile_step(r, 0);
    assert_int_equal(s.known, 0); /* It was an old truth. */
    reconcile_free(r);
    driver_sim.close(sim);
    unlink(path);
}

static void
test_backoff(void **state)
{
    struct retry *retry = retry_new();
    int64_t now = 0, last = 0, gap = 0;
    unsigned tries = 0;

    (void)state;
    for (now = 0; now < 1000000; now += 100) {
        struct arena *a = arena_new();
        struct outcome o;
        struct fault f = { 0 };

        outcome_init(&o, a, retry, now);
        if (outcome_due(&o, "port", FIRST)) {
            gap = now - last;
            last = now;
            tries++;
            fault_raise_cause(&f, "broken");
            outcome_fail(&o, "port", FIRST, &f);
        }
        assert_int_equal(o.failures_count, 1); /* Reported each time, tried or not. */
        assert_string_equal(o.failures[0].reason, "broken");
        outcome_finish(&o);
        arena_free(a);
    }
    assert_in_range(tries, 15, 30);
    assert_int_equal(gap, 60000);
    assert_int_equal(retry_count(retry), 1);
    {
        struct arena *a = arena_new();
        struct outcome o;

        outcome_init(&o, a, retry, now); /* It is wanted no more. */
        outcome_finish(&o);
        arena_free(a);
    }
    assert_int_equal(retry_count(retry), 0);
    assert_int_equal(retry_next_ms(retry), -1);
    retry_free(retry);
}

static void
test_metadata_clients(void **state)
{
    static const struct metadata_client clients[] = {
        { "qdhcp-1", "10.0.0.5", "port-a", "server-a" },
        { "qdhcp-2", "10.0.0.5", "port-b", "server-b" },
    };
    struct metadata_clients *c = metadata_clients_new(10, 20);
    unsigned passed = 0;

    (void)state;
    metadata_clients_set(c, clients, ARRAY_SIZE(clients));
    assert_string_equal(metadata_clients_find(c, "qdhcp-1", "10.0.0.5")->instance_id, "server-a");
    assert_string_equal(metadata_clients_find(c, "qdhcp-2", "10.0.0.5")->instance_id, "server-b");
    assert_null(metadata_clients_find(c, "qdhcp-3", "10.0.0.5"));
    assert_null(metadata_clients_find(c, "qdhcp-1", "10.0.0.6"));
    for (int i = 0; i < 100; i++)
        passed += metadata_clients_take(c, "port-a", 0);
    assert_int_equal(passed, 20);
    assert_true(metadata_clients_take(c, "port-b", 0));
    for (int i = 0; i < 100; i++)
        passed += metadata_clients_take(c, "port-a", 1000);
    assert_int_equal(passed, 30);
    metadata_clients_set(c, clients, 1); /* The same port: what it has used is not forgotten. */
    assert_false(metadata_clients_take(c, "port-a", 1000));
    assert_true(metadata_clients_has_instance(c, "server-a"));
    assert_false(metadata_clients_has_instance(c, "server-b"));
    metadata_clients_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_the_doorbell),
        cmocka_unit_test(test_service_away),
        cmocka_unit_test(test_failures_are_retried),
        cmocka_unit_test(test_starts_from_local_truth),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_metadata_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
