/* The keys of a ring as a value; for the keyring's own files only. */
#pragma once

#include <openssl/evp.h>
#include <pthread.h>

#include "keyring.h"

#define KEY_SET_MAX 64

struct key {
    char kid[KEYRING_KID_MAX + 1];
    EVP_PKEY *public_key;
    EVP_PKEY *private_key; /* NULL: others'. */
};

struct key_set {
    struct key keys[KEY_SET_MAX];
    size_t count;
};

void key_set_done(struct key_set *s);
struct key *key_set_find(const struct key_set *s, const char *kid); /* NULL: absent. */
struct key *key_set_add(struct key_set *s,
                        const char *kid); /* The one there is, or a new one; NULL: full. */

/* All of a directory: <kid>.pem and <kid>.pub.pem. */
int key_set_read_directory(struct key_set *s, const char *path, struct fault *f);
