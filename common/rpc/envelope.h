/* The JSON around what crosses the bus, and what may be believed of it.
 *
 * A request: {"v": 1, "method", "operation_id", "deadline" (microseconds since 1970), "timeout_ms", "request_id",
 * "from": {"name", "host"}, "params"}. An answer: {"v": 1, "result"} or {"v": 1, "fault": {...}}. Where the answer goes and
 * which call it belongs to are AMQP properties (reply_to, correlation_id), since they change when a call is sent again.
 * Pure functions: nothing here waits, or knows the broker. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/fault.h"

/* What we write, and the oldest that we read. A new version must be readable by the release before it. */
#define ENVELOPE_VERSION 1
#define ENVELOPE_OLDEST 1

/* Reply queues, and nothing else, begin so: an answer can't be aimed at somebody's work queue. */
#define ENVELOPE_REPLY_PREFIX "reply."

struct envelope {
    const char *method, *operation_id, *request_id;
    const char *from_name, *from_host; /* Never NULL. */
    int64_t deadline_us;               /* By the sender's clock. 0: none */
    int64_t timeout_ms;                /* What was left when it was sent. 0: none */
    const json_t *params;              /* An object, or NULL. */
};

/* FAULT_TOO_LARGE above what receivers take. The text is the arena's. */
int envelope_write(struct arena *a, const struct envelope *e, char **ret, size_t *ret_size,
                   struct fault *f);

/* Strict: a member of a wrong type, or that is missing, or another version refuses the whole. */
int envelope_read(struct arena *a, const char *data, size_t size, struct envelope *ret,
                  struct fault *f);

/* 'result' may be NULL; with 'fault' it is not looked at. An answer that is too large becomes a fault. */
char *envelope_write_answer(struct arena *a, const json_t *result, const struct fault *fault,
                            size_t *ret_size);

/* 0 and the result (NULL: none); or the remote fault in 'f'. What isn't an answer is FAULT_INTERNAL. */
int envelope_read_answer(struct arena *a, const char *data, size_t size, json_t **ret,
                         struct fault *f);

/* Did the broker's user 'user_id' speak for 'host'? The broker checks that a message's user-id is who logged in, so a
 * message without one is forged: ours always have it. A user "name@host" is bound to its host, and may say nothing in
 * another's name; a user without '@' (the services', or the only one of a small cloud) is not bound. */
bool envelope_speaks_for(const char *user_id, const char *host);

/* The same for an answer: did it come from who was called? 'queue' is "name" or "name.host". */
bool envelope_answers_for(const char *user_id, const char *queue);

/* How long the receiver may still take, at 'now_us' by its own clock; negative: the message is too old to be true, a
 * replay. The broker drops what waits longer than timeout_ms, so a deadline that lies further away than that, or in the past, tells of clocks that
 * differ: then timeout_ms is believed. 0 in the envelope (no deadline) gives INT64_MAX. */
int64_t envelope_remaining_ms(const struct envelope *e, int64_t now_us);
