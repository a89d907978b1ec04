/* A directory: the LDAP server whose people and groups a domain has, as the domain's options (domain_options.def) describe it.
 *
 * Reading the options is pure: nothing is asked of the server. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"

/* One kind of entry: where it is and what its attributes are called. */
struct directory_kind {
    const char *base;                           /* Entries are below this DN. */
    const char *filter;                         /* "(&(objectClass=...)(...))" */
    const char *id, *name, *description, *mail; /* Attributes; NULL: has none. */
};

struct directory {
    const char *domain_id;
    const char *url;             /* One or several, separated by commas: ldap:// or ldaps:// */
    const char *user, *password; /* Who searches; NULL: nobody in particular. */
    int scope;                   /* LDAP_SCOPE_ONELEVEL or _SUBTREE */
    int dereference;             /* LDAP_DEREF_...; -1: the library's default. */
    bool chase_referrals;
    int64_t page_size; /* 0: not in pages. */
    bool start_tls;
    const char *ca_file, *ca_directory; /* NULL: the system's. */
    int require_certificate;            /* LDAP_OPT_X_TLS_DEMAND, _ALLOW or _NEVER */
    int64_t timeout_s;
    struct directory_kind users, groups;
    struct {
        const char *attribute; /* NULL: everybody is. */
        int64_t mask;          /* Not 0: disabled when these bits are set. */
        bool invert;
        const char *fallback; /* For who has no such attribute. */
        const char *
            group_dn; /* Not NULL: enabled is who is a member of this, whatever else stands there. */
    } enabled;
    const char *member;   /* Attribute of a group. */
    bool members_are_ids; /* Else DNs. */
    bool nested;          /* Members may be groups. */
};

/* '*ret' points into 'options' (see domain_config_load()) and 'a'. FAULT_INVALID names the option that makes no sense. */
int directory_config_read(struct arena *a, const char *domain_id, const json_t *options,
                          struct directory *ret, struct fault *f);
