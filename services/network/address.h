/* Addresses and prefixes as the API means them: parsed strictly, compared as numbers, written canonically. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define ADDRESS_TEXT 46

/* An address, and how many of its bits are the network's: all of them unless it was read from a CIDR. */
struct address {
    int version; /* 4 or 6 */
    unsigned prefix;
    unsigned char bytes[16]; /* Network order; IPv4 in the first four. */
};

/* "10.0.0.1", "2001:db8::1": 0, or -1. Leading zeros, zones and IPv4 in IPv6 prefixes of other lengths are refused. */
int address_parse(const char *text, struct address *ret);
/* "10.0.0.0/8": 0, or -1. 'slash_needed' false: a single address is a CIDR of full length. Host bits are kept. */
int address_parse_cidr(const char *text, bool slash_needed, struct address *ret);

char *address_text(struct arena *a, const struct address *x);      /* Without prefix. */
char *address_cidr_text(struct arena *a, const struct address *x); /* With it. */

unsigned address_bits(const struct address *x); /* 32 or 128 */
int address_compare(const struct address *a,
                    const struct address *b); /* Version, then number; prefixes don't count. */
struct address address_first(const struct address *cidr);   /* Host bits zero. */
struct address address_last(const struct address *cidr);    /* Host bits one. */
struct address address_add(const struct address *x, int n); /* Wraps. */
bool address_in(const struct address *cidr, const struct address *x);
bool address_overlap(const struct address *cidr, const struct address *other);
bool address_is_network(const struct address *cidr); /* No host bits. */

/* The address that a station with that MAC gives itself in a /64 (RFC 4291, appendix A): 0, or -1. */
int address_eui64(const struct address *cidr, const char *mac, struct address *ret);
