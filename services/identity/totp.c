#include "totp.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define SECRET_MAX 1024 /* Characters. */

bool
totp_read_secret(struct arena *a, const char *text, unsigned char **ret, size_t *ret_size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t length = strnlen(text, SECRET_MAX + 1), size = 0;
    unsigned char *out = arena_alloc(a, length + 1);
    unsigned bits = 0, held = 0;

    if (length > SECRET_MAX)
        return false;
    for (; *text != '\0' && *text != '='; text++) {
        const char *at;

        if (*text == ' ' || *text == '-')
            continue;
        at = strchr(alphabet, toupper((unsigned char)*text));
        if (at == NULL)
            return false;
        held = (held << 5 | (unsigned)(at - alphabet)) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[size++] = (unsigned char)(held >> bits);
        }
    }
    *ret = out;
    *ret_size = size;
    return size > 0 && text[strspn(text, "=")] == '\0';
}

void
totp_code(const unsigned char *secret, size_t size, int64_t step, char ret[TOTP_DIGITS + 1])
{
    unsigned char counter[8], mac[EVP_MAX_MD_SIZE];
    const unsigned char *at;
    unsigned mac_size = 0;
    uint32_t number;

    for (int i = 0; i < 8; i++)
        counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    if (HMAC(EVP_sha1(), secret, (int)size, counter, sizeof(counter), mac, &mac_size) == NULL)
        abort();
    at = mac + (mac[mac_size - 1] & 0xf);
    number = ((uint32_t)at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    snprintf(ret, TOTP_DIGITS + 1, "%06u", number % 1000000);
}

int64_t
totp_match(const unsigned char *secret, size_t size, const char *code, int64_t now_us,
           int64_t windows_before)
{
    int64_t now = now_us / TOTP_PERIOD_US, found = -1;
    char right[TOTP_DIGITS + 1];

    for (int64_t step = now - windows_before; step <= now; step++) {
        totp_code(secret, size, step, right);
        if (str_equal_secret(right, code))
            found = step;
    }
    return found;
}
