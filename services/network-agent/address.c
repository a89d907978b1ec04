#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int
mac_parse(const char *text, struct mac *ret)
{
    struct mac m = { 0 };
    unsigned any = 0;

    if (text == NULL || strlen(text) != 17)
        return -EINVAL;
    for (size_t i = 0; i < 6; i++) {
        int high = hex_digit(text[i * 3]), low = hex_digit(text[i * 3 + 1]);

        if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
            return -EINVAL;
        m.bytes[i] = (uint8_t)(high * 16 + low);
        any |= m.bytes[i];
    }
    if (any == 0 || (m.bytes[0] & 1) != 0)
        return -EINVAL;
    *ret = m;
    return 0;
}

char *
mac_text(struct arena *a, const struct mac *m)
{
    return arena_printf(a, "%02x:%02x:%02x:%02x:%02x:%02x", m->bytes[0], m->bytes[1], m->bytes[2],
                        m->bytes[3], m->bytes[4], m->bytes[5]);
}

bool
mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

size_t
address_size(const struct address *x)
{
    return x->family == AF_INET ? 4 : 16;
}

static unsigned
full_prefix(const struct address *x)
{
    return x->family == AF_INET ? 32 : 128;
}

int
address_parse(const char *text, struct address *ret)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    char bare[INET6_ADDRSTRLEN];
    struct address x = { 0 };
    const char *slash;
    size_t size;

    if (text == NULL)
        return -EINVAL;
    slash = strchr(text, '/');
    size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (size >= sizeof(bare))
        return -EINVAL;
    memcpy(bare, text, size);
    bare[size] = '\0';

    x.family = strchr(bare, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(x.family, bare, x.bytes) != 1)
        return -EINVAL;
    if (x.family == AF_INET6 && memcmp(x.bytes, mapped, sizeof(mapped)) == 0)
        return -EINVAL;
    x.prefix = full_prefix(&x);
    if (slash != NULL) {
        int64_t prefix;

        if (str_to_int64(slash + 1, 0, full_prefix(&x), &prefix) < 0)
            return -EINVAL;
        x.prefix = (unsigned)prefix;
    }
    *ret = x;
    return 0;
}

int
address_parse_single(const char *text, struct address *ret)
{
    struct address x;

    if (address_parse(text, &x) < 0 || !address_is_single(&x))
        return -EINVAL;
    *ret = x;
    return 0;
}

bool
address_is_single(const struct address *x)
{
    return x->prefix == full_prefix(x);
}

bool
address_is_any(const struct address *x)
{
    return x->prefix == 0;
}

bool
address_is_zero(const struct address *x)
{
    static const uint8_t zero[16];

    return address_is_single(x) && memcmp(x->bytes, zero, address_size(x)) == 0;
}

bool
address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->prefix == b->prefix &&
           (a->family == 0 || memcmp(a->bytes, b->bytes, address_size(a)) == 0);
}

struct address
address_network(const struct address *x)
{
    struct address net = *x;

    for (unsigned bit = x->prefix; bit < full_prefix(x); bit++)
        net.bytes[bit / 8] = (uint8_t)(net.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
    return net;
}

struct address
address_host(const struct address *x)
{
    struct address host = *x;

    host.prefix = full_prefix(x);
    return host;
}

bool
address_within(const struct address *x, const struct address *net)
{
    struct address a = *x, b = address_network(net);

    if (x->family != net->family || x->prefix < net->prefix)
        return false;
    a.prefix = net->prefix;
    a = address_network(&a);
    return address_equal(&a, &b);
}

struct address
address_link_local(const struct mac *m)
{
    struct address x = { .family = AF_INET6, .prefix = 128, .bytes = { 0xfe, 0x80 } };

    x.bytes[8] = m->bytes[0] ^ 2;
    x.bytes[9] = m->bytes[1];
    x.bytes[10] = m->bytes[2];
    x.bytes[11] = 0xff;
    x.bytes[12] = 0xfe;
    x.bytes[13] = m->bytes[3];
    x.bytes[14] = m->bytes[4];
    x.bytes[15] = m->bytes[5];
    return x;
}

char *
address_bare(struct arena *a, const struct address *x)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(x->family, x->bytes, text, sizeof(text));
    return arena_strdup(a, text);
}

char *
address_with_prefix(struct arena *a, const struct address *x)
{
    return arena_printf(a, "%s/%u", address_bare(a, x), x->prefix);
}

char *
address_text(struct arena *a, const struct address *x)
{
    return address_is_single(x) ? address_bare(a, x) : address_with_prefix(a, x);
}

char *
address_netmask(struct arena *a, const struct address *x)
{
    struct address mask = { .family = AF_INET,
                            .bytes = { 255, 255, 255, 255 },
                            .prefix = x->prefix };

    mask = address_network(&mask);
    return address_bare(a, &mask);
}

void
address_set_add(struct arena *a, struct address **set, size_t *count, size_t *capacity,
                const struct address *x)
{
    for (size_t i = 0; i < *count; i++) {
        if (address_within(x, &(*set)[i]))
            return;
        if (address_within(&(*set)[i], x))
            (*set)[i--] = (*set)[--*count];
    }
    *ARRAY_PUSH(a, *set, *count, *capacity) = address_network(x);
}
