/* The token signing keys: each daemon's directory, and table signing_key, where the public ones of all daemons are.
 *
 * A daemon signs with the newest private key of its directory, but for one that is younger than [identity] key_activation: until then
 * it is known everywhere, so nobody refuses its first token. As long as it signs, its row is moved on; a row whose time is over
 * (every token of that key has expired) goes, and with it the files, where the daemon may remove them. Daemons may share a directory or
 * each have their own. */
#pragma once

#include "service.h"

/* The directory's ring; makes the first key pair if there is none. */
int keys_open(const char *directory, struct keyring **ret, struct fault *f);

/* Directory, table and ring brought together: at the start, when told of a change, on SIGHUP and once a minute. Thread-safe. */
int keys_sync(struct identity *identity, struct fault *f);
/* Only reads the table into the ring. Thread-safe; 'owner' is the struct identity. For the authenticator. */
int keys_read(void *owner, struct fault *f);
/* Has the directory changed since keys_sync(), or is it due for other reasons? */
bool keys_due(struct identity *identity);

/* "virga-identity key ..." */
int key_command(struct daemon *d, int argc, char **argv, struct fault *f);
