#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

unsigned
address_bits(const struct address *x)
{
    return x->version == 4 ? 32 : 128;
}

static size_t
size_of(const struct address *x)
{
    return x->version == 4 ? 4 : 16;
}

int
address_parse(const char *text, struct address *ret)
{
    struct address x = { 0 };

    if (text == NULL)
        return -1;
    if (inet_pton(AF_INET, text, x.bytes) == 1)
        x.version = 4;
    else if (inet_pton(AF_INET6, text, x.bytes) == 1)
        x.version = 6;
    else
        return -1;
    x.prefix = address_bits(&x);
    *ret = x;
    return 0;
}

int
address_parse_cidr(const char *text, bool slash_needed, struct address *ret)
{
    const char *slash = text == NULL ? NULL : strchr(text, '/');
    char address[ADDRESS_TEXT];
    struct address x;
    int64_t prefix;
    size_t size;

    if (text == NULL || (slash == NULL && slash_needed))
        return -1;
    size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (size >= sizeof(address))
        return -1;
    memcpy(address, text, size);
    address[size] = '\0';
    if (address_parse(address, &x) < 0)
        return -1;
    if (slash != NULL) {
        if (str_to_int64(slash + 1, 0, address_bits(&x), &prefix) < 0)
            return -1;
        x.prefix = (unsigned)prefix;
    }
    *ret = x;
    return 0;
}

char *
address_text(struct arena *a, const struct address *x)
{
    char text[ADDRESS_TEXT];

    inet_ntop(x->version == 4 ? AF_INET : AF_INET6, x->bytes, text, sizeof(text));
    return arena_strdup(a, text);
}

char *
address_cidr_text(struct arena *a, const struct address *x)
{
    return arena_printf(a, "%s/%u", address_text(a, x), x->prefix);
}

int
address_compare(const struct address *a, const struct address *b)
{
    return a->version != b->version ? a->version - b->version
                                    : memcmp(a->bytes, b->bytes, size_of(a));
}

static struct address
with_host_bits(const struct address *cidr, bool set)
{
    struct address x = *cidr;

    for (unsigned i = cidr->prefix; i < address_bits(cidr); i++) {
        unsigned char bit = (unsigned char)(0x80 >> (i % 8));

        x.bytes[i / 8] = (unsigned char)(set ? x.bytes[i / 8] | bit : x.bytes[i / 8] & ~bit);
    }
    return x;
}

struct address
address_first(const struct address *cidr)
{
    return with_host_bits(cidr, false);
}

struct address
address_last(const struct address *cidr)
{
    return with_host_bits(cidr, true);
}

struct address
address_add(const struct address *x, int n)
{
    struct address y = *x;
    int carry = n;

    for (size_t i = size_of(x); i-- > 0 && carry != 0;) {
        int sum = y.bytes[i] + carry;

        y.bytes[i] = (unsigned char)(sum & 0xff);
        carry = sum >> 8; /* Arithmetic: a borrow stays negative. */
    }
    return y;
}

bool
address_in(const struct address *cidr, const struct address *x)
{
    struct address first = address_first(cidr), last = address_last(cidr);

    return cidr->version == x->version && address_compare(&first, x) <= 0 &&
           address_compare(x, &last) <= 0;
}

bool
address_overlap(const struct address *cidr, const struct address *other)
{
    struct address a = address_first(cidr), b = address_first(other);

    return cidr->prefix <= other->prefix ? address_in(cidr, &b) : address_in(other, &a);
}

bool
address_is_network(const struct address *cidr)
{
    struct address first = address_first(cidr);

    return address_compare(&first, cidr) == 0;
}

int
address_eui64(const struct address *cidr, const char *mac, struct address *ret)
{
    struct address x = address_first(cidr);
    unsigned m[6];

    if (cidr->version != 6 || cidr->prefix != 64 ||
        sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
        return -1;
    x.bytes[8] = (unsigned char)(m[0] ^ 2);
    x.bytes[9] = (unsigned char)m[1];
    x.bytes[10] = (unsigned char)m[2];
    x.bytes[11] = 0xff;
    x.bytes[12] = 0xfe;
    x.bytes[13] = (unsigned char)m[3];
    x.bytes[14] = (unsigned char)m[4];
    x.bytes[15] = (unsigned char)m[5];
    x.prefix = 128;
    *ret = x;
    return 0;
}
