/* What the agent is told over the bus: api-specs/rpc/network-agent.yaml. */
#include "agent.h"
#include "network_agent_rpc.h"

int
state_changed(struct rpc_request *request, const struct state_changed_in *in, struct fault *f)
{
    (void)in; /* The generation is a hint; what counts is what the service answers. */
    (void)f;
    agent_ring(request->owner);
    return 0;
}
