#include "nft.h"

#include <nftables/libnftables.h>
#include <stdint.h>

#include "netns.h"

struct job {
    const char *commands;
    bool dry;
};

static int
apply_inside(void *arg, struct fault *f)
{
    const struct job *job = arg;
    struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
    int r = 0;

    if (context == NULL)
        return fault_raise_cause(f, "nftables: no context");
    nft_ctx_set_dry_run(context, job->dry);
    nft_ctx_buffer_output(context);
    nft_ctx_buffer_error(context);
    if (nft_run_cmd_from_buffer(context, job->commands) != 0)
        r = fault_raise_cause(f, "nftables: %.400s", nft_ctx_get_error_buffer(context));
    nft_ctx_free(context);
    return r;
}

int
nft_apply(const char *netns, const char *commands, struct fault *f)
{
    struct job job = { commands, false };

    return netns_run(netns, apply_inside, &job, f);
}

int
nft_check(const char *netns, const char *commands, struct fault *f)
{
    struct job job = { commands, true };

    return netns_run(netns, apply_inside, &job, f);
}
