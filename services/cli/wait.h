/* --wait: until an object has become what it should, with a line of progress on a terminal. */
#pragma once

#include "cli.h"

/* Until 'status' is 'wanted' (and, of a server, nothing is under way any more). Fails when it becomes an error, or is gone.
 * 'ret' (may be NULL): the object as last seen. */
int wait_for(struct cli *cli, const struct kind *kind, const char *id, const char *wanted,
             json_t **ret, struct fault *f);

/* Until it is gone. Fails when it becomes an error. */
int wait_gone(struct cli *cli, const struct kind *kind, const char *id, struct fault *f);

/* A line on standard error that replaces itself; nothing when that is no terminal. 'text' NULL ends it. */
void wait_show(const char *text);
