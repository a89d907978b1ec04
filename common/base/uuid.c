#include "uuid.h"

#include <stdint.h>

#include "random.h"

void
uuid_new(char ret[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *out = ret;

    random_bytes(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* Version 4. */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* Variant of RFC 4122. */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0x0f];
    }
    *out = '\0';
}

char *
uuid_make(struct arena *a)
{
    char *text = arena_alloc(a, UUID_TEXT);

    uuid_new(text);
    return text;
}

char *
uuid_make_hex(struct arena *a)
{
    char *hex = arena_alloc(a, 33);
    char text[UUID_TEXT];
    size_t size = 0;

    uuid_new(text);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c != '-')
            hex[size++] = *c;
    }
    return hex;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
uuid_check(const char *text)
{
    if (text == NULL)
        return false;
    for (size_t i = 0; i < UUID_TEXT - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !is_hex(text[i]))
            return false;
    }
    return text[UUID_TEXT - 1] == '\0';
}

bool
uuid_check_loose(const char *text)
{
    if (text == NULL)
        return false;
    for (size_t i = 0; i < 32; i++) {
        if (!is_hex(text[i]))
            return uuid_check(text);
    }
    return text[32] == '\0';
}
