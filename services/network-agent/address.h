/* Addresses: MAC and IP, parsed once where they come in.
 *
 * What the agent writes into rule sets and into dnsmasq's files is printed from these, never copied
 * from text that somebody sent: so no such text can carry a second line or a second rule. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"

struct mac {
    uint8_t bytes[6];
};

struct address {
    int family; /* AF_INET or AF_INET6; 0: none */
    uint8_t bytes[16];
    unsigned prefix; /* 32 or 128 for a single address. */
};

/* Six pairs of hex digits with colons, not all zero and not multicast: 0, else -EINVAL. */
int mac_parse(const char *text, struct mac *ret);
char *mac_text(struct arena *a, const struct mac *m);
bool mac_equal(const struct mac *a, const struct mac *b);

/* "10.0.0.1", "10.0.0.0/24", "2001:db8::1", with or without a prefix length; IPv4-mapped IPv6 is
 * refused (it is a second way to write an IPv4 address): 0, else -EINVAL. */
int address_parse(const char *text, struct address *ret);
/* The same, and it must be one address. */
int address_parse_single(const char *text, struct address *ret);

bool address_is_single(const struct address *x);
bool address_is_any(const struct address *x);  /* Prefix length 0. */
bool address_is_zero(const struct address *x); /* 0.0.0.0 or :: as a single address. */
bool address_equal(const struct address *a, const struct address *b);
/* Is 'x', with its whole prefix, within 'net'? */
bool address_within(const struct address *x, const struct address *net);
struct address address_network(const struct address *x); /* Host bits cleared. */
struct address
address_host(const struct address *x); /* The address alone, prefix length 32 or 128. */
/* fe80::/64 with the MAC's modified EUI-64 (RFC 4291, appendix A). */
struct address address_link_local(const struct mac *m);

char *address_text(
    struct arena *a,
    const struct address *x); /* "10.0.0.1"; the prefix only where it is not a single one. */
char *address_bare(struct arena *a, const struct address *x);        /* Never with a prefix. */
char *address_with_prefix(struct arena *a, const struct address *x); /* Always with it. */
char *address_netmask(struct arena *a, const struct address *x); /* "255.255.255.0"; IPv4 only. */
size_t address_size(const struct address *x);                    /* 4 or 16 */

/* A set of disjoint addresses and prefixes: adds 'x' unless it lies within one, and drops what lies
 * within it. (Two prefixes either nest or have nothing in common, and nft refuses sets whose
 * elements nest.) */
void address_set_add(struct arena *a, struct address **set, size_t *count, size_t *capacity,
                     const struct address *x);
