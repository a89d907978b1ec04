/* SSH key pairs: the fingerprint of a public key, and a new pair in OpenSSH's formats (PROTOCOL.key). */
#pragma once

#include "base/arena.h"
#include "base/fault.h"

/* MD5 of the key's blob, "aa:bb:..", as clients compare it. FAULT_INVALID when the text is no OpenSSH public key. */
int ssh_key_fingerprint(struct arena *a, const char *public_key, const char **ret, struct fault *f);

/* A new Ed25519 pair; the private one is given to the user and kept nowhere. */
int ssh_key_generate(struct arena *a, const char *comment, char **ret_public, char **ret_private,
                     struct fault *f);
