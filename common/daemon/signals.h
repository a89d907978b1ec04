/* Signals, taken one by one by the main thread; all threads have them blocked. */
#pragma once

enum signal_event { SIGNAL_NONE, SIGNAL_STOP, SIGNAL_RELOAD };

/* Before the first thread is started: blocks what signals_wait() takes, and ignores SIGPIPE. */
void signals_block(void);

/* SIGTERM, SIGINT: SIGNAL_STOP. SIGHUP: SIGNAL_RELOAD. SIGNAL_NONE after 'wait_ms' (-1: never). */
enum signal_event signals_wait(int wait_ms);

/* For children and commands: as they were before signals_block(). */
void signals_unblock(void);
