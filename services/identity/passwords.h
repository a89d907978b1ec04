/* Password hashes: crypt(3) with bcrypt for new ones; what was stored as yescrypt or sha512crypt is verified as well.
 *
 * A hash costs a quarter of a second of a processor on purpose; a bounded number is computed at a time, so that a flood of logins
 * leaves processors for everything else. */
#pragma once

#include "base/arena.h"
#include "base/fault.h"

struct password_hasher;

/* 'concurrency' 0: one per processor. */
struct password_hasher *password_hasher_new(unsigned rounds, unsigned concurrency);
void password_hasher_free(struct password_hasher *h);

/* FAULT_INVALID if the password cannot be hashed (NUL is excluded by JSON already). */
int password_hash(struct password_hasher *h, struct arena *a, const char *password, char **ret,
                  struct fault *f);

/* In the same time for a wrong password and for no hash at all (NULL: user unknown or without password). */
bool password_verify(struct password_hasher *h, const char *password, const char *hash);
