/* Waiting for what a hypervisor tells of a guest by events: that it changed state, that it let go of a device.
 *
 * Begun before the request that causes the event, so that none is missed. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct event_board;

enum event_kind {
    EVENT_NONE,    /* The time was up. */
    EVENT_STATE,   /* The guest's power state changed. */
    EVENT_REMOVED, /* The device is gone. */
    EVENT_REFUSED, /* The guest keeps the device. */
};

struct event_watch {
    struct event_board *board;
    struct list link;
    const char *guest_id, *alias; /* NULL: state changes; else that device. */
    enum event_kind seen;
};

struct event_board *event_board_new(void);
void event_board_free(struct event_board *b); /* Nobody may watch any more. */

/* The texts must live until event_watch_done(). */
void event_watch_begin(struct event_board *b, struct event_watch *w, const char *guest_id,
                       const char *alias);
void event_watch_done(struct event_watch *w); /* For _cleanup_; twice does nothing. */
/* The next event, which may have come already; EVENT_NONE after 'wait_ms'. */
enum event_kind event_watch_wait(struct event_watch *w, int64_t wait_ms);

/* Tells all who wait for this. */
void event_board_tell(struct event_board *b, const char *guest_id, const char *alias,
                      enum event_kind kind);
