/* The keys that the secrets of credentials are sealed with at rest: AES-256-GCM by libcrypto.
 *
 * A directory of files <number>.key, 32 random bytes each, which its owner alone may read. The highest number seals, every one
 * opens, and 0 is the next one: it lies there a whole rotation before it seals anything, so that daemons on other hosts have
 * it by then. What is sealed says with which key, and to what it is bound: it opens for no other row. A daemon sees by itself
 * that the directory has changed. */
#pragma once

#include "base/arena.h"
#include "base/fault.h"

struct credential_keys;

/* Makes the directory and the first keys where there are none. */
int credential_keys_open(const char *path, struct credential_keys **ret, struct fault *f);
void credential_keys_free(struct credential_keys *k);

/* All thread-safe. '*ret_key' names the key. */
int credential_seal(struct credential_keys *k, struct arena *a, const char *text,
                    const char *bound_to, const char **ret, const char **ret_key, struct fault *f);
/* FAULT_INTERNAL when the key is not there, or when it is not what was sealed, bound to the same. */
int credential_unseal(struct credential_keys *k, struct arena *a, const char *sealed,
                      const char *key, const char *bound_to, const char **ret, struct fault *f);

/* The name of the key that seals now. */
int credential_keys_current(struct credential_keys *k, struct arena *a, const char **ret,
                            struct fault *f);
bool credential_keys_has(struct credential_keys *k, const char *key);

/* The next key becomes the one that seals; a new next one is made; keys older than the one that sealed until now are removed.
 * The caller has seen that nothing is sealed with those. */
int credential_keys_rotate(const char *path, struct fault *f);
