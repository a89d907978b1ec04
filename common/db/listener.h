/* What others commit, heard as it happens: PostgreSQL's LISTEN, on a session and a thread of its own.
 *
 * NOTIFY is part of the transaction that makes it and is heard within about a millisecond of the commit. A session that broke has
 * missed something, so after each connection, and every 'poll_ms' besides, the owner is told to look for himself. */
#pragma once

#include "pool.h"

struct db_listener;

struct db_listener_options {
    const char *channel; /* An SQL identifier of ours. */
    int poll_ms;         /* 0: 2,000 */
    /* In the listener's thread. 'payload' NULL: anything may have changed (a new session). */
    void (*heard)(void *owner, const char *payload);
    /* After what was heard together, and every 'poll_ms'; negative: it is called again a second later. May be NULL. */
    int (*settle)(void *owner);
    void *owner;
};

/* Starts the thread, which connects by itself, to the database of 'p'. */
int db_listener_open(struct db_listener **ret, struct db_pool *p,
                     const struct db_listener_options *options, struct fault *f);
void db_listener_close(struct db_listener *l); /* Ends the thread; NULL does nothing. */

/* Has the session been alive, and the last settle() successful, within the last two and a half polls? If not, what was heard is no
 * base for decisions. Costs a look at the clock. */
bool db_listener_is_current(const struct db_listener *l);
