/* Formats of text: addresses, names, ids. */
#include <arpa/inet.h>
#include <ctype.h>

#include "../base/str.h"
#include "../base/uuid.h"
#include "schema.h"

static bool
is_mac(const char *text)
{
    size_t i;

    for (i = 0; i < 17; i++) {
        if (i % 3 == 2 ? (text[i] != ':' && text[i] != '-') : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[17] == '\0';
}

static bool
is_ip(const char *text, bool v4, bool v6)
{
    unsigned char buffer[16];

    return (v4 && inet_pton(AF_INET, text, buffer) == 1) ||
           (v6 && inet_pton(AF_INET6, text, buffer) == 1);
}

static bool
is_cidr(const char *text)
{
    char address[64];
    const char *slash = strchr(text, '/');
    int64_t bits;
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);

    if (size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    if (is_ip(address, true, false))
        return slash == NULL || str_to_int64(slash + 1, 0, 32, &bits) == 0;
    return is_ip(address, false, true) &&
           (slash == NULL || str_to_int64(slash + 1, 0, 128, &bits) == 0);
}

static bool
is_hostname(const char *text)
{
    size_t label = 0, i;

    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] == '.') {
            if (label == 0 || text[i - 1] == '-')
                return false;
            label = 0;
        } else if (isalnum((unsigned char)text[i]) || (text[i] == '-' && label > 0)) {
            if (++label > 63)
                return false;
        } else {
            return false;
        }
    }
    return i > 0 && i <= 255 && text[i - 1] != '-';
}

static bool
is_name(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && !isspace((unsigned char)text[0]) && !isspace((unsigned char)text[size - 1]);
}

static bool
is_uri(const char *text)
{
    const char *colon = strstr(text, "://");

    return colon != NULL && colon != text && colon[3] != '\0';
}

int
schema_check_format(enum field_format format, const char *text, const char *name, struct fault *f)
{
    static const char *const words[] = {
        [FORMAT_UUID] = "uuid",       [FORMAT_UUID_HEX] = "uuid", [FORMAT_IPV4] = "ipv4",
        [FORMAT_IPV6] = "ipv6",       [FORMAT_IP] = "ip-address", [FORMAT_CIDR] = "cidr",
        [FORMAT_MAC] = "mac-address", [FORMAT_NAME] = "name",     [FORMAT_HOSTNAME] = "hostname",
        [FORMAT_URI] = "uri",
    };
    bool ok = true;

    switch (format) {
    case FORMAT_NONE:
        break;
    case FORMAT_UUID:
    case FORMAT_UUID_HEX:
        ok = uuid_check_loose(text);
        break;
    case FORMAT_IPV4:
        ok = is_ip(text, true, false);
        break;
    case FORMAT_IPV6:
        ok = is_ip(text, false, true);
        break;
    case FORMAT_IP:
        ok = is_ip(text, true, true);
        break;
    case FORMAT_CIDR:
        ok = is_cidr(text);
        break;
    case FORMAT_MAC:
        ok = is_mac(text);
        break;
    case FORMAT_NAME:
        ok = is_name(text);
        break;
    case FORMAT_HOSTNAME:
        ok = is_hostname(text);
        break;
    case FORMAT_URI:
        ok = is_uri(text);
        break;
    }
    if (ok)
        return 0;
    return fault_raise_field(
        f, name, "Invalid input for field/attribute %s. Value: %.200s. '%.200s' is not a '%s'",
        name, text, text, words[format]);
}
