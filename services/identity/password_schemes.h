/* How a password becomes the text that is stored, and how a stored one is recognised: no state, no threads, no queue
 * (passwords.h). A call costs as much as its scheme asks for.
 *
 * New ones: bcrypt or yescrypt, by libcrypt. Verified besides: whatever crypt(3) knows, and what a Keystone that is taken
 * over has stored: passlib's scrypt, pbkdf2-sha512 and bcrypt-sha256. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"

struct password_scheme {
    const char *algorithm; /* "bcrypt", "yescrypt" */
    unsigned rounds;       /* As crypt_gensalt(3) counts them; 0: the algorithm's usual number. */
};

/* FAULT_INVALID: no such algorithm, or rounds that it doesn't take. */
int password_scheme_check(const struct password_scheme *s, struct fault *f);

/* 'password' has no NUL, and as many bytes as it likes: none is ignored. */
int password_scheme_hash(const struct password_scheme *s, struct arena *a, const char *password,
                         char **ret, struct fault *f);
/* false as well for a text that is no hash of a known kind. */
bool password_scheme_verify(struct arena *a, const char *password, const char *hash);
/* Would password_scheme_hash() have made it another way: another algorithm, or other rounds? */
bool password_scheme_outdated(const struct password_scheme *s, const char *hash);
