/* Answers that are kept, sealed. Private to idempotency.c and its test. */
#pragma once

#include "call.h"

/* What the caller, the operation and the key make: the row's id, and the key that seals. */
struct idempotency_key {
    char *id; /* Hex. */
    unsigned char seal[32];
};

/* 1..255 visible ASCII characters? */
bool idempotency_key_check(const char *key);
void idempotency_key_make(const struct call *c, const char *key, struct idempotency_key *ret);

/* A digest of what must be the same in a repeat, in hex. */
char *idempotency_request_digest(const struct call *c);

/* The answer in c->response as sealed text; NULL when it is too large, or no text. Of the headers those after the first
 * 'skip' are kept, without those that carry tokens. */
char *idempotency_answer_seal(const struct call *c, const struct idempotency_key *k, size_t skip);

/* Fills c->response. Fails when it was not sealed under this key. */
int idempotency_answer_open(struct call *c, const struct idempotency_key *k, const char *sealed,
                            int status, struct fault *f);
