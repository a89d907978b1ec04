/* The encodings of str.h: base64 in both alphabets (RFC 4648, sections 4 and 5) and hexadecimal. */
#include <errno.h>

#include "memory.h"
#include "str.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *
encode(struct arena *a, const void *data, size_t size, const char *alphabet, bool pad)
{
    const unsigned char *in = data;
    char *text = arena_alloc(a, memory_product(size / 3 + 1, 4) + 1);
    char *out = text;

    while (size >= 3) {
        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 0x03) << 4 | in[1] >> 4];
        *out++ = alphabet[(in[1] & 0x0f) << 2 | in[2] >> 6];
        *out++ = alphabet[in[2] & 0x3f];
        in += 3;
        size -= 3;
    }
    if (size > 0) {
        unsigned first = in[0], second = size == 2 ? in[1] : 0;

        *out++ = alphabet[first >> 2];
        *out++ = alphabet[(first & 0x03) << 4 | second >> 4];
        if (size == 2)
            *out++ = alphabet[(second & 0x0f) << 2];
        for (size_t i = size; pad && i < 3; i++)
            *out++ = '=';
    }
    *out = '\0';
    return text;
}

static int
digit(char c, bool is_url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (is_url ? '-' : '+'))
        return 62;
    if (c == (is_url ? '_' : '/'))
        return 63;
    return -1;
}

/* 'size' characters without padding. The bits that a last, partial group leaves over must be 0: with
 * any others there were several texts for the same bytes. */
static int
decode(struct arena *a, const char *text, size_t size, bool is_url, void **ret, size_t *ret_size)
{
    unsigned char *bytes, *out;
    unsigned held = 0, bits = 0;

    if (size % 4 == 1)
        return -EINVAL;
    bytes = out = arena_alloc(a, size / 4 * 3 + 3);
    for (size_t i = 0; i < size; i++) {
        int value = digit(text[i], is_url);

        if (value < 0)
            return -EINVAL;
        held = (held << 6 | (unsigned)value) & 0xfff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char)(held >> bits);
        }
    }
    if ((held & ((1U << bits) - 1)) != 0)
        return -EINVAL;
    *ret = bytes;
    *ret_size = (size_t)(out - bytes);
    return 0;
}

char *
str_base64(struct arena *a, const void *data, size_t size)
{
    return encode(a, data, size, plain, true);
}

char *
str_base64url(struct arena *a, const void *data, size_t size)
{
    return encode(a, data, size, url, false);
}

int
str_base64_decode(struct arena *a, const char *text, void **ret, size_t *ret_size)
{
    size_t size = strlen(text);

    if (size % 4 != 0)
        return -EINVAL;
    if (size > 0 && text[size - 1] == '=') {
        size--;
        if (text[size - 1] == '=')
            size--;
    }
    return decode(a, text, size, false, ret, ret_size);
}

int
str_base64url_decode(struct arena *a, const char *text, size_t text_size, void **ret,
                     size_t *ret_size)
{
    return decode(a, text, text_size, true, ret, ret_size);
}

char *
str_hex(struct arena *a, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    char *text = arena_alloc(a, memory_product(size, 2) + 1);

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[in[i] >> 4];
        text[2 * i + 1] = digits[in[i] & 0x0f];
    }
    return text;
}
