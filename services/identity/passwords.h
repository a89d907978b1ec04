/* Passwords hashed and verified (password_schemes.h says how), a bounded number at a time.
 *
 * A hash costs a quarter of a second of a processor on purpose; a bounded number is computed at a time, so that a flood of logins
 * leaves processors for everything else. */
#pragma once

#include "password_schemes.h"
#include "service.h"

struct password_hasher;

static inline struct password_scheme
password_scheme_of(const struct identity_config *c)
{
    return (struct password_scheme){ c->password_hash_algorithm,
                                     (unsigned)c->password_hash_rounds };
}

/* 'scheme' of new hashes, checked. 'concurrency' 0: one per processor. */
struct password_hasher *password_hasher_new(const struct password_scheme *scheme,
                                            unsigned concurrency);
void password_hasher_free(struct password_hasher *h);

/* NUL is excluded by JSON already. */
int password_hash(struct password_hasher *h, struct arena *a, const char *password, char **ret,
                  struct fault *f);

/* In the same time for a wrong password and for no hash at all (NULL: user unknown or without password). */
bool password_verify(struct password_hasher *h, const char *password, const char *hash);

/* A hash that password_hash() would make another way today: the next login may renew it. */
bool password_outdated(const struct password_hasher *h, const char *hash);
