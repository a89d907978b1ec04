/* What the kernel says of this host's load, in the words of api-specs/rpc/compute.yaml. */
#pragma once

#include "base/arena.h"
#include "gen/compute_rpc.h"

/* From /proc/pressure; a host without it has no member given. */
void host_pressure_read(struct host_pressure *ret);
/* One such file's text: the ten-second averages of its "some" and "full" lines; -1: not there. */
void host_pressure_parse(const char *text, double *ret_some, double *ret_full);

/* The host's UUID as configured, or as kept in the state folder; made there at the first time.
 * 'number': of the host in this process, from 1 (only simulation has more). */
int host_uuid(struct arena *a, const char *configured, const char *state_dir, int64_t number,
              const char **ret, struct fault *f);
