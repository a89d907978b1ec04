/* virga-network-agent: all that is network on one host. */
#include "agent.h"
#include "network_agent_rpc.h"

#define CONFIG_KEY(member, section, name, type, fallback, min, max, unit, help)                    \
    DAEMON_KEY(network_agent_config, member, section, name, type, fallback, min, max, unit, help),
static const struct config_key keys[] = {
#include "config.def"
};
#undef CONFIG_KEY

static int
start(struct daemon *d, struct fault *f)
{
    struct agent *agent = NULL;
    int r = agent_open(&agent, d, f);

    d->service = agent;
    return r;
}

static int
run(struct daemon *d, struct fault *f)
{
    return agent_run(d->service, f);
}

static void
stop(struct daemon *d)
{
    agent_close(d->service);
    d->service = NULL;
}

static void
metrics(struct daemon *d, struct str *out)
{
    agent_metrics(d->service, out);
}

int
main(int argc, char **argv)
{
    const struct daemon_spec spec = {
        .name = "virga-network-agent",
        .summary = "Makes the network of one host what the network service wants it to be.",
        .keys = keys,
        .keys_count = ARRAY_SIZE(keys),
        .config_size = sizeof(struct network_agent_config),
        .rpc_name = "network-agent",
        .per_host = true,
        .methods = network_agent_methods,
        .methods_count = network_agent_methods_count,
        .start = start,
        .run = run,
        .stop = stop,
        .metrics = metrics,
    };

    return daemon_main(argc, argv, &spec);
}
