/* Network namespaces by name, under /run/netns as iproute2 has them, so that "ip netns exec" finds
 * them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/fault.h"

bool netns_exists(const char *name);
/* Makes it, with "lo" up, unless it is there. Returns 1 if it was made, 0 if it was there. */
int netns_create(const char *name, struct fault *f);
/* Detaches the name; what still runs inside keeps the namespace until it ends. Absent: 0. */
int netns_delete(const char *name, struct fault *f);
/* All names, in the arena. */
char **netns_list(struct arena *a, size_t *ret_count);

/* Runs fn(arg) in a thread that has entered the namespace ('name' NULL: the agent's own) and
 * returns what it returned. The caller's thread never changes its namespace. A name that is not
 * there: a fault. */
int netns_run(const char *name, int (*fn)(void *arg, struct fault *f), void *arg, struct fault *f);

/* A descriptor of the namespace, for setns() and netlink; the caller closes it. */
int netns_open(const char *name, struct fault *f);

/* Writes a value under /proc/sys as that namespace sees it. Returns 1 if it was another before, 0
 * if not. */
int netns_sysctl(const char *name, const char *path, const char *value, struct fault *f);
