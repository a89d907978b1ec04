/* The signing keys: Ed25519. Identity holds private keys in a directory; everyone else has the public ones.
 *
 * Directory: <kid>.pem (private, 0600) and <kid>.pub.pem. The newest private key signs: the last kid in
 * the order of text, for kids that keyring_generate() makes begin with their time. All public keys verify, and so do those that were
 * imported: the directories of other daemons. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/fault.h"

struct keyring;

int keyring_open_directory(struct keyring **ret, const char *path, struct fault *f); /* Identity. */
int keyring_new(struct keyring **ret); /* Empty; filled by keyring_import_jwks(). */
void keyring_free(struct keyring *k);

/* Makes a key pair in the directory (and the directory); the newest signs from then on. */
int keyring_generate(const char *path, struct fault *f);
int keyring_reload(struct keyring *k, struct fault *f);
/* Removes a pair from the directory; what is not there is no error. Takes effect with the next reload. */
int keyring_remove(const char *path, const char *kid, struct fault *f);

/* A key signs only when it is as old as this (default 0), so that everybody knows it by then; unless there is no older one. */
void keyring_set_activation(struct keyring *k, int64_t us);

/* The directory's keys: for whoever publishes them. */
struct keyring_key {
    const char *kid;
    json_t *jwk; /* In the arena. */
    bool signs;  /* The private key is there. */
};
size_t keyring_own(struct keyring *k, struct arena *a, struct keyring_key **ret);
bool keyring_imported(struct keyring *k, const char *kid); /* Was it among those imported last? */

/* Public keys as a JWK set (RFC 7517, OKP/Ed25519), and back. Thread-safe; import replaces what was imported before. */
json_t *keyring_jwks(struct keyring *k);
int keyring_import_jwks(struct keyring *k, const json_t *jwks, struct fault *f);
size_t keyring_count(struct keyring *k);
/* Changes whenever the set of public keys does: what was verified before may not verify now. */
uint64_t keyring_generation(struct keyring *k);

#define KEYRING_KID_MAX 64   /* Characters of a kid: letters, digits, '-' and '_'. */
#define KEYRING_SIGNATURE 64 /* Bytes. */

bool keyring_kid_valid(const char *kid, size_t size);

/* The kid that signs; -ENOKEY: there is none. Then, for token.c, a signature by the key of that name. */
int keyring_signer(struct keyring *k, char ret[KEYRING_KID_MAX + 1]);
int keyring_sign(struct keyring *k, const char *kid, const void *data, size_t size,
                 unsigned char ret[KEYRING_SIGNATURE]);
/* 0: good. -ENOKEY: no such kid. -EBADMSG: not signed by it. */
int keyring_verify(struct keyring *k, const char *kid, const void *data, size_t size,
                   const unsigned char signature[KEYRING_SIGNATURE]);
