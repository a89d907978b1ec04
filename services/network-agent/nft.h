/* nftables by libnftables: one text, one transaction, in one network namespace. */
#pragma once

#include "base/fault.h"

/* All commands take effect at once, or none does and the fault's cause has nft's words. 'netns'
 * NULL: the agent's own. */
int nft_apply(const char *netns, const char *commands, struct fault *f);

/* Would they be accepted? Nothing changes. */
int nft_check(const char *netns, const char *commands, struct fault *f);
