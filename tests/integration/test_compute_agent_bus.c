/* The compute agent as a process on a real broker, with simulated guests: this program is the compute service to it. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gen/compute_agent_rpc.h"
#include "gen/compute_rpc.h"
#include "services/compute-agent/folder.h"
#include "tests/lib/broker.h"
#include "tests/unit/asserts.h"

#define GUEST_ID "c0ffee00-0000-4000-8000-000000000001"
#define HOST "hosta"

enum { WAIT_S = 30 };

static const char *agent_program;
static char state_folder[] = "/tmp/virga-compute-agent-XXXXXX";
static struct broker *broker;
static struct rpc *rpc;
static pid_t agent;

/* What came, in short. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned reports[3]; /* By enum host_report_in_reason. */
    int64_t vcpus, guests;
    char uuid[64], last_event[64];
} seen = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int
take_report(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct host_report_in report = { 0 }, *in = &report;
    int r = schema_parse(&host_report_in_schema, request->params, SCHEMA_CREATE, 0, "params",
                         request->arena, in, f);

    (void)ret;
    if (r < 0)
        return r;
    pthread_mutex_lock(&seen.mutex);
    if (str_equal(in->host, HOST) && str_equal(request->from_host, HOST)) {
        seen.reports[in->reason]++;
        if (in->inventory != NULL) {
            seen.vcpus = in->inventory->vcpus;
            seen.guests = (int64_t)in->guests_count;
            snprintf(seen.uuid, sizeof(seen.uuid), "%s", in->inventory->uuid);
        }
    }
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
    return 0;
}

static int
take_event(struct rpc_request *request, json_t **ret, struct fault *f)
{
    struct guest_event_in event = { 0 }, *in = &event;
    int r = schema_parse(&guest_event_in_schema, request->params, SCHEMA_CREATE, 0, "params",
                         request->arena, in, f);

    (void)ret;
    if (r < 0)
        return r;
    pthread_mutex_lock(&seen.mutex);
    if (str_equal(in->guest_id, GUEST_ID))
        snprintf(seen.last_event, sizeof(seen.last_event), "%s %s",
                 host_guest_state_names[in->state], in->reason);
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.mutex);
    return 0;
}

/* Of the compute service's methods, those that this agent calls. */
static const struct rpc_method methods[] = {
    { .name = "host_report", .cast = true, .deadline_ms = 30000, .handle = take_report },
    { .name = "guest_event", .cast = true, .deadline_ms = 30000, .handle = take_event },
};

static bool
have(unsigned reason, unsigned count, const char *event)
{
    return seen.reports[reason] >= count && (event == NULL || str_equal(seen.last_event, event));
}

static void
await(unsigned reason, unsigned count, const char *event)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&seen.mutex);
    while (!have(reason, count, event) && r == 0)
        r = pthread_cond_timedwait(&seen.changed, &seen.mutex, &until);
    pthread_mutex_unlock(&seen.mutex);
    if (r != 0)
        fail_msg("reports %u %u %u, last event '%s'", seen.reports[0], seen.reports[1],
                 seen.reports[2], seen.last_event);
}

static void
start_agent(struct arena *a)
{
    const char *set[][2] = {
        { "daemon.state_dir", state_folder },
        { "daemon.host", HOST },
        { "rpc.url", broker_url(broker, a, "agent@" HOST) },
        { "compute.driver", "sim" },
        { "compute.report_interval", "1" },
        { "sim.vcpus", "48" },
    };
    char *argv[2 + ARRAY_SIZE(set) * 2] = { arena_strdup(a, agent_program) };
    size_t count = 1;

    for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
        argv[count++] = arena_strdup(a, "--set");
        argv[count++] = arena_printf(a, "%s=%s", set[i][0], set[i][1]);
    }
    agent = fork();
    if (agent == 0) {
        execv(agent_program, argv);
        _exit(127);
    }
}

/* With SIGTERM it ends by itself, and well. */
static void
end_agent(int signal_number)
{
    int status;

    kill(agent, signal_number);
    waitpid(agent, &status, 0);
    agent = 0;
    if (signal_number == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        fail_msg("the agent ended with status %d", status);
}

static int
setup(void **state)
{
    struct rpc_options options = { .name = "compute", .host = "" };
    struct fault f = { 0 };

    *state = arena_new();
    broker = broker_open();
    options.url = broker_url(broker, *state, "virga");
    agent_program = arena_printf(*state, "%s/bin/virga-compute-agent", getenv("VIRGA_BUILD"));
    if (mkdtemp(state_folder) == NULL)
        return -1;
    if (rpc_open(&rpc, &options, &f) < 0 ||
        rpc_serve(rpc, "compute", methods, ARRAY_SIZE(methods), NULL, &f) < 0)
        return -1;
    start_agent(*state);
    return 0;
}

static int
teardown(void **state)
{
    if (agent > 0)
        end_agent(SIGKILL);
    rpc_close(rpc);
    broker_close(broker);
    arena_free(*state);
    return folder_remove(state_folder);
}

static void
test_reports(void **state)
{
    (void)state;
    await(HOST_REPORT_IN_REASON_START, 1, NULL);
    assert_int_equal(seen.vcpus, 48);
    assert_int_equal(seen.guests, 0);
    await(HOST_REPORT_IN_REASON_HEARTBEAT, 2, NULL);
    assert_int_equal(seen.reports[HOST_REPORT_IN_REASON_START], 1);
}

static void
test_calls(void **state)
{
    struct guest_description guest = {
        .guest_id = GUEST_ID, .name = "instance-00000001", .vcpus = 1, .memory_mb = 64
    };
    struct guest_spawn_in spawn = { .guest = &guest };
    struct guest_spawn_out spawned = { 0 };
    struct guest_console_in console = { .guest_id = GUEST_ID };
    struct guest_console_out text = { 0 };
    struct guest_destroy_in destroy = { .guest_id = GUEST_ID };
    struct guest_list_out list = { 0 };
    struct fault f = { 0 };
    int r;

    for (unsigned i = GUEST_DESCRIPTION_F_GUEST_ID; i <= GUEST_DESCRIPTION_F_MEMORY_MB; i++)
        field_mark(&guest.set, i);
    field_mark(&spawn.set, GUEST_SPAWN_IN_F_GUEST);
    field_mark(&console.set, GUEST_CONSOLE_IN_F_GUEST_ID);
    field_mark(&destroy.set, GUEST_DESTROY_IN_F_GUEST_ID);
    assert_ok(guest_spawn_call(rpc, HOST, NULL, *state, &spawn, &spawned, &f));
    assert_int_equal(spawned.state, GUEST_POWER_STATE_RUNNING);
    await(0, 0, "running started");
    assert_ok(guest_list_call(rpc, HOST, NULL, *state, &list, &f));
    assert_int_equal(list.guests_count, 1);
    assert_ok(guest_console_call(rpc, HOST, NULL, *state, &console, &text, &f));
    assert_non_null(strstr(text.output, "login:"));
    assert_ok(guest_destroy_call(rpc, HOST, NULL, *state, &destroy, &f));
    await(0, 0, "nostate gone");
    r = guest_console_call(rpc, HOST, NULL, *state, &console, &text, &f);
    assert_fault(r, f, FAULT_NOT_FOUND, "could not be found");
}

/* After kill -9 the same host comes back under the same id and tells everything anew; SIGTERM ends it cleanly. */
static void
test_restart(void **state)
{
    char uuid[sizeof(seen.uuid)];

    snprintf(uuid, sizeof(uuid), "%s", seen.uuid);
    end_agent(SIGKILL);
    start_agent(*state);
    await(HOST_REPORT_IN_REASON_START, 2, NULL);
    assert_string_equal(uuid, seen.uuid);
    end_agent(SIGTERM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_restart),
    };

    log_setup("test", LOG_WARN, LOG_KEYVALUE);
    return cmocka_run_group_tests(tests, setup, teardown);
}
