/* The one qemu-storage-daemon of this host: started, watched, started again, and taken over.
 *
 * It outlives the agent, because guests' disks hang on it: an agent that starts looks for the one
 * that its predecessor left (pid and start time are in the folder) and takes it over. When it dies,
 * a thread of ours starts another at once (then after 0.1 s, doubling to 5 s) and has the owner
 * restore nodes and exports.
 *
 * The object is also the lock of the file driver: whoever holds it has the store and the QMP
 * connection for itself. It is held over QMP commands, which all have deadlines, and never over the
 * copying of data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "qmp.h"

struct storage_daemon;

struct storage_daemon_options {
    const char *folder;  /* For pid file, socket and log. */
    const char *address; /* Where it listens for NBD. */
    int port;
    const char *tls_dir; /* "": plain text */
    /* Called with the lock held whenever a connection is new (also to a daemon that was taken
     * over): makes nodes and exports what they should be. */
    int (*restore)(void *owner, struct qmp *q, struct fault *f);
    void *owner;
};

/* Takes over or starts the daemon, restores, and begins to watch. When it cannot be started now,
 * that is logged and tried again; only what no time will mend is a fault. */
int storage_daemon_open(struct storage_daemon **ret, const struct storage_daemon_options *options,
                        struct fault *f);
/* Ends the watching; 'stop': the daemon too. */
void storage_daemon_close(struct storage_daemon *d, bool stop);

void storage_daemon_lock(struct storage_daemon *d);
void storage_daemon_unlock(struct storage_daemon *d);

/* For who holds the lock: the connection, made anew if it broke. FAULT_UNAVAILABLE: no daemon at
 * the moment. */
int storage_daemon_qmp(struct storage_daemon *d, struct qmp **ret, struct fault *f);
/* For who holds the lock: after a fault of a QMP command. What the connection is good for no more
 * is dropped. */
void storage_daemon_failed(struct storage_daemon *d, const struct fault *f);

/* Is it there and answering, as far as known? Any thread. */
bool storage_daemon_up(const struct storage_daemon *d);
