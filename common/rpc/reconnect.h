/* When to connect, and when to try again: a state machine that takes the time and does no I/O.
 *
 * Waits 0.1 s after the first failure, twice as long after each further one, up to 5 s; each wait is shortened by up to a
 * quarter at random, so that a thousand hosts do not come back in the same instant. A connection that lived for
 * RECONNECT_STABLE_MS starts from the beginning; one that breaks again at once goes on where the last one stood. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RECONNECT_FIRST_MS 100
#define RECONNECT_LAST_MS 5000
#define RECONNECT_STABLE_MS 3000

struct reconnect {
    bool connected;
    unsigned backoff_ms; /* Before the next try; 0: none yet. */
    int64_t next_try_ms;
    int64_t connected_ms;
    uint64_t connects; /* Successful ones. */
};

void reconnect_init(struct reconnect *r, int64_t now_ms); /* The first try is due at once. */
bool reconnect_due(const struct reconnect *r, int64_t now_ms);
int reconnect_wait_ms(const struct reconnect *r,
                      int64_t now_ms); /* Until it is due; -1 when connected. */
void reconnect_connected(struct reconnect *r, int64_t now_ms);
/* A try failed, or the connection broke. 'random': any number, for the spread. */
void reconnect_failed(struct reconnect *r, int64_t now_ms, uint64_t random);
