/* Asking a directory (RFC 4511): a bound connection, a search whose entries come one by one, a password tried.
 *
 * Every call has the directory's deadline, and TLS is verified unless the domain's options say otherwise. Blocks; for workers and
 * the directories' own thread. */
#pragma once

#include "directory_config.h"

struct directory_link;

/* Connects, and binds as 'dn' with 'password' (both NULL: as the directory's own user, or nobody). A 'dn' with an empty password is
 * refused here: servers take that for an anonymous bind and say yes (RFC 4513, 5.1.2).
 * FAULT_UNAUTHORIZED: the server says no; FAULT_UNAVAILABLE: it doesn't answer, or not as it should. */
int directory_open(const struct directory *d, const char *dn, const char *password,
                   struct directory_link **ret, struct fault *f);
void directory_close(struct directory_link *l); /* NULL does nothing. */
void directory_closep(struct directory_link **l);

struct directory_entry {
    const char *dn; /* In the one form that compares: directory_dn(). */
    const json_t *
        attributes; /* Name in lower case -> array of texts; what is no UTF-8 as hexadecimal digits. */
};

/* The first value, or NULL; any case. */
const char *directory_value(const struct directory_entry *e, const char *attribute);
const json_t *directory_values(const struct directory_entry *e, const char *attribute);

/* Entries of a kind, those that 'narrow' (a filter in parentheses, or NULL) matches too. each() gets entries that live until it
 * returns; negative ends the search. */
int directory_search(struct directory_link *l, const struct directory *d,
                     const struct directory_kind *kind, const char *narrow, struct arena *a,
                     int (*each)(void *owner, const struct directory_entry *e, struct fault *f),
                     void *owner, struct fault *f);

/* "(attribute=value)" with the value escaped (RFC 4515). */
char *directory_equals(struct arena *a, const char *attribute, const char *value);

/* A DN normalised to compare as text: parsed, written again (RFC 4514), in lower case. As it is, when it is none. */
char *directory_dn(struct arena *a, const char *dn);
