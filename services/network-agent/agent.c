#include "agent.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/release.h"
#include "base/str.h"
#include "compute_rpc.h"
#include "metadata_server.h"
#include "netlink.h"
#include "network_rpc.h"

#define AGENT_TYPE "Network agent"

struct agent {
    const struct network_agent_config *config;
    struct daemon *daemon;
    struct arena *arena; /* As long as the agent. */
    const struct driver *driver;
    struct driver_options options;
    struct driver_state *state;
    struct metadata_server *metadata;
    struct reconcile *_Atomic reconcile; /* The bus may ring before it is there. */
    int64_t started_us;
    pthread_t thread;
    bool running;
    int wake; /* eventfd */
    atomic_bool stopping;
};

/* --- talking ---------------------------------------------------------------------------------- */

static int
fetch_state(void *owner, int64_t known_generation, struct arena *a, struct host_state_out *ret,
            struct fault *f)
{
    const struct agent *agent = owner;
    struct host_state_in in = { .host = agent->config->common.host,
                                .known_generation = known_generation };

    if (!rpc_connected(agent->daemon->rpc))
        return fault_raise(f, FAULT_UNAVAILABLE, "No connection to the message bus.");
    field_mark(&in.set, HOST_STATE_IN_F_HOST);
    field_mark(&in.set, HOST_STATE_IN_F_KNOWN_GENERATION);
    return host_state_call(agent->daemon->rpc, NULL, a, &in, ret, f);
}

static struct texts
texts_of(const char **items, size_t count)
{
    return (struct texts){ .items = items, .count = count };
}

static int
send_status(void *owner, int64_t generation, const struct outcome *o, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct agent *agent = owner;
    struct ports_status_in in = { .host = agent->config->common.host,
                                  .generation = generation,
                                  .up = texts_of(o->up, o->up_count),
                                  .down = texts_of(o->down, o->down_count),
                                  .failed_count = o->failures_count };

    in.failed = ARENA_ARRAY(a, struct host_failure, o->failures_count);
    for (size_t i = 0; i < o->failures_count; i++) {
        in.failed[i] = (struct host_failure){ .kind = o->failures[i].kind,
                                              .id = o->failures[i].id,
                                              .reason = o->failures[i].reason };
        for (unsigned k = 0; k < HOST_FAILURE_F_COUNT; k++)
            field_mark(&in.failed[i].set, k);
    }
    for (unsigned k = 0; k < PORTS_STATUS_IN_F_COUNT; k++)
        field_mark(&in.set, k);
    return ports_status_call(agent->daemon->rpc, NULL, a, &in, f);
}

static int
send_heartbeat(void *owner, int64_t generation, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct agent *agent = owner;
    struct agent_report_in in = { .host = agent->config->common.host,
                                  .agent_type = AGENT_TYPE,
                                  .version = VIRGA_VERSION,
                                  .tunnel_ip = agent->config->tunnel_ip,
                                  .bridge_mappings = json_own(a, json_object()),
                                  .driver = agent->driver->name,
                                  .metadata = agent->metadata != NULL,
                                  .generation = generation,
                                  .started_at = agent->started_us };

    if (!rpc_connected(agent->daemon->rpc))
        return fault_raise(f, FAULT_UNAVAILABLE, "No connection to the message bus.");
    for (size_t i = 0; i < agent->options.mappings_count; i++)
        json_object_set_new(in.bridge_mappings, agent->options.mappings[i].physical,
                            json_string(agent->options.mappings[i].bridge));
    for (unsigned k = 0; k < AGENT_REPORT_IN_F_COUNT; k++)
        field_mark(&in.set, k);
    if (str_empty(in.tunnel_ip)) {
        in.tunnel_ip = NULL;
        field_mark_null(&in.set, AGENT_REPORT_IN_F_TUNNEL_IP);
    }
    return agent_report_cast(agent->daemon->rpc, NULL, &in, f);
}

static int
fetch_metadata(void *owner, const char *instance_id, struct arena *a, json_t **ret, struct fault *f)
{
    const struct agent *agent = owner;
    struct instance_metadata_in in = { .instance_id = instance_id };
    struct instance_metadata_out out = { 0 };
    int r;

    field_mark(&in.set, INSTANCE_METADATA_IN_F_INSTANCE_ID);
    r = instance_metadata_call(agent->daemon->rpc, NULL, a, &in, &out, f);
    if (r < 0)
        return r;
    *ret = out.facts;
    return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

static int
read_mappings(struct agent *agent, struct fault *f)
{
    const char **texts = agent->config->bridge_mappings;
    struct bridge_mapping *mappings;
    size_t count = 0;

    while (texts != NULL && texts[count] != NULL)
        count++;
    mappings = ARENA_ARRAY(agent->arena, struct bridge_mapping, count);
    for (size_t i = 0; i < count; i++) {
        const char *colon = strchr(texts[i], ':');

        if (colon == NULL || colon == texts[i] || strlen(colon + 1) == 0 || strlen(colon + 1) > 15)
            return fault_raise_field(f, "network.bridge_mappings",
                                     "'%s' is not physical_network:bridge.", texts[i]);
        mappings[i].physical = arena_strndup(agent->arena, texts[i], (size_t)(colon - texts[i]));
        mappings[i].bridge = arena_strdup(agent->arena, colon + 1);
    }
    agent->options.mappings = mappings;
    agent->options.mappings_count = count;
    agent->options.external_bridge = agent->config->external_bridge;
    if (str_empty(agent->config->external_bridge))
        agent->options.external_bridge = count > 0 ? mappings[0].bridge : "";
    agent->options.external_interface = agent->config->external_interface;
    return 0;
}

/* May everybody pass through each folder of the path? dnsmasq reads its files again as the user it
 * became. */
static bool
is_reachable(const char *path)
{
    char part[PATH_MAX];
    struct stat st;

    snprintf(part, sizeof(part), "%s", path);
    for (;;) {
        char *slash = strrchr(part, '/');

        if (stat(part[0] != '\0' ? part : "/", &st) < 0 || (st.st_mode & S_IXOTH) == 0)
            return false;
        if (slash == NULL)
            return true;
        *slash = '\0';
    }
}

static const char *
choose_dhcp_user(const struct agent *agent)
{
    const char *dir = agent->options.state_dir;

    if (!str_empty(agent->config->dhcp_user))
        return agent->config->dhcp_user;
    /* Nothing in the state folder itself can be listed so, and its secrets are files that only we
     * may read. */
    if (chmod(dir, 0711) == 0 && is_reachable(dir) && getpwnam("dnsmasq") != NULL)
        return "dnsmasq";
    log_warn("dhcp.user is root: no user dnsmasq, or it cannot reach folder=%s", dir);
    return "root";
}

static int
open_metadata(struct agent *agent, struct fault *f)
{
    struct metadata_source source = { .fetch = fetch_metadata,
                                      .owner = agent,
                                      .cache_ms = agent->config->metadata_cache_s * 1000,
                                      .requests_per_s = (unsigned)agent->config->metadata_rate,
                                      .burst = (unsigned)agent->config->metadata_burst };

    if (!agent->config->metadata || agent->driver == &driver_sim)
        return 0;
    return metadata_server_open(&agent->metadata, &source, f);
}

int
agent_open(struct agent **ret, struct daemon *d, struct fault *f)
{
    struct agent *agent = memory_calloc(1, sizeof(*agent));
    int r;

    *ret = agent; /* The caller closes it, failed or not. */
    agent->daemon = d;
    agent->config = (const struct network_agent_config *)d->config;
    agent->arena = arena_new();
    agent->started_us = clock_now_us();
    agent->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agent->options.state_dir = agent->config->common.state_dir;
    if (d->rpc == NULL)
        return fault_raise_field(f, "rpc.url", "The agent hears and is heard only over the bus.");
    if (agent->wake < 0)
        return fault_raise_cause(f, "eventfd: %s", strerror(errno));
    agent->driver = driver_find(agent->config->driver);
    if (agent->driver == NULL)
        return fault_raise_field(f, "network.driver", "There is no network driver '%s'.",
                                 agent->config->driver);
    if (!str_empty(agent->config->tunnel_ip) &&
        address_parse_single(agent->config->tunnel_ip, &agent->options.tunnel) < 0)
        return fault_raise_field(f, "network.tunnel_ip", "'%s' is not an address.",
                                 agent->config->tunnel_ip);
    r = read_mappings(agent, f);
    if (r >= 0)
        r = open_metadata(agent, f);
    if (r < 0)
        return r;
    agent->options.dhcp_user = choose_dhcp_user(agent);
    agent->options.metadata = agent->metadata;
    return agent->driver->open(&agent->state, &agent->options, f);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void *
agent_main(void *arg)
{
    struct agent *agent = arg;

    while (!agent->stopping) {
        struct pollfd p = { .fd = agent->wake, .events = POLLIN };
        int64_t wait_ms = reconcile_step(agent->reconcile, clock_mono_ms());
        eventfd_t value;

        if (poll(&p, 1, (int)wait_ms) > 0)
            eventfd_read(agent->wake, &value);
    }
    return NULL;
}

static void
on_connect(void *owner)
{
    agent_ring(owner);
}

int
agent_run(struct agent *agent, struct fault *f)
{
    struct reconcile_options options = {
        .driver = agent->driver,
        .state = agent->state,
        .link = { fetch_state, send_status, send_heartbeat, agent },
        .mappings = agent->options.mappings,
        .mappings_count = agent->options.mappings_count,
        .state_file = arena_printf(agent->arena, "%s/state.json", agent->options.state_dir),
        .poll_ms = agent->config->poll_interval_s * 1000,
        .resync_ms = agent->config->resync_interval_s * 1000,
        .heartbeat_ms = agent->config->report_interval_s * 1000,
    };
    int r;

    agent->reconcile = reconcile_new(&options, clock_mono_ms());
    r = pthread_create(&agent->thread, NULL, agent_main, agent);
    if (r != 0)
        return fault_raise_cause(f, "thread: %s", strerror(r));
    agent->running = true;
    rpc_on_connect(agent->daemon->rpc, on_connect, agent);
    return 0;
}

void
agent_ring(struct agent *agent)
{
    if (agent->reconcile == NULL)
        return; /* The first step fetches anyway. */
    reconcile_ring(agent->reconcile);
    eventfd_write(agent->wake, 1);
}

void
agent_close(struct agent *agent)
{
    if (agent == NULL)
        return;
    if (agent->running) {
        agent->stopping = true;
        eventfd_write(agent->wake, 1);
        pthread_join(agent->thread, NULL);
    }
    reconcile_free(agent->reconcile);
    if (agent->driver != NULL)
        agent->driver->close(agent->state);
    metadata_server_close(agent->metadata);
    close(agent->wake);
    arena_free(agent->arena);
    free(agent);
}

void
agent_metrics(struct agent *agent, struct str *out)
{
    struct reconcile_stats s = { 0 };
    struct metadata_stats m = { 0 };

    if (agent->reconcile != NULL)
        reconcile_stats(agent->reconcile, &s);
    if (agent->metadata != NULL)
        metadata_server_stats(agent->metadata, &m);
    str_addf(out, "# TYPE virga_network_generation gauge\nvirga_network_generation %lld\n",
             (long long)s.generation);
    str_addf(out, "# TYPE virga_network_ports_up gauge\nvirga_network_ports_up %llu\n",
             (unsigned long long)s.ports_up);
    str_addf(out, "# TYPE virga_network_failing gauge\nvirga_network_failing %llu\n",
             (unsigned long long)s.failing);
    str_addf(out, "# TYPE virga_network_applied_total counter\nvirga_network_applied_total %llu\n",
             (unsigned long long)s.applied);
    str_addf(out, "# TYPE virga_network_changes_total counter\nvirga_network_changes_total %llu\n",
             (unsigned long long)netlink_changes());
    str_addf(out,
             "# TYPE virga_network_fetch_failures_total "
             "counter\nvirga_network_fetch_failures_total %llu\n",
             (unsigned long long)s.fetch_failures);
    str_addf(out, "# TYPE virga_network_apply_seconds gauge\nvirga_network_apply_seconds %.6f\n",
             (double)s.last_apply_us / 1e6);
    str_addf(out,
             "# TYPE virga_metadata_requests_total counter\nvirga_metadata_requests_total %llu\n"
             "# TYPE virga_metadata_unknown_total counter\nvirga_metadata_unknown_total %llu\n"
             "# TYPE virga_metadata_limited_total counter\nvirga_metadata_limited_total %llu\n"
             "# TYPE virga_metadata_failed_total counter\nvirga_metadata_failed_total %llu\n",
             (unsigned long long)m.requests, (unsigned long long)m.unknown,
             (unsigned long long)m.limited, (unsigned long long)m.failed);
}
