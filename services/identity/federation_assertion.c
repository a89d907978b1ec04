#include "federation_assertion.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/json.h"
#include "base/str.h"

/* --- Claims */

/* "groups" -> "HTTP_OIDC_GROUPS" */
static char *
upper_name(struct arena *a, const char *prefix, const char *name)
{
    char *out = arena_printf(a, "%s%s", prefix, name);

    for (char *at = out; *at != '\0'; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
    return out;
}

static const char *
value_text(struct arena *a, const json_t *value)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "1" : "0";
    return json_is_null(value) ? NULL : json_text(a, value);
}

static void
add_claim(struct arena *a, struct assertion *out, const char *name, const json_t *value)
{
    const char *text = value_text(a, value);

    if (text == NULL || strlen(text) > MAPPING_TEXT_MAX)
        return;
    assertion_add(a, out, arena_printf(a, "OIDC-%s", name), text);
    assertion_add(a, out, upper_name(a, "HTTP_OIDC_", name), text);
}

void
assertion_from_claims(struct arena *a, const json_t *claims, struct assertion *ret)
{
    const char *name;
    json_t *value;

    *ret = (struct assertion){ 0 };
    if (json_get_text(claims, "sub") != NULL)
        assertion_add(a, ret, "REMOTE_USER", json_get_text(claims, "sub"));
    /* The issuer's first: what a user may call himself does not push it out. */
    add_claim(a, ret, "iss", json_object_get(claims, "iss"));
    add_claim(a, ret, "sub", json_object_get(claims, "sub"));
    json_object_foreach((json_t *)(uintptr_t)claims, name, value)
    {
        if (str_equal_nocase(name, "iss") || str_equal_nocase(name, "sub"))
            continue;
        if (!json_is_array(value))
            add_claim(a, ret, name, value);
        for (size_t i = 0; i < json_array_size(value); i++)
            add_claim(a, ret, name, json_array_get(value, i));
    }
}

/* --- Headers */

static bool
begins(const char *name, const char *const *prefixes)
{
    for (; *prefixes != NULL; prefixes++) {
        if (strncasecmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    }
    return false;
}

static void
add_header(struct arena *a, struct assertion *out, const struct http_pair *header)
{
    const char *name = upper_name(a, "HTTP_", header->name);
    size_t count;
    char **values = str_split(a, header->value, ';', &count);

    if (count == 0)
        assertion_add(a, out, name, "");
    for (size_t i = 0; i < count; i++)
        assertion_add(a, out, name, values[i]);
    if (str_equal_nocase(header->name, "Remote-User"))
        assertion_add(a, out, "REMOTE_USER", header->value);
}

int
assertion_from_headers(struct arena *a, const struct http_request *r, const char *const *prefixes,
                       struct assertion *ret, struct fault *f)
{
    *ret = (struct assertion){ 0 };
    for (size_t i = 0; i < r->headers_count; i++) {
        const struct http_pair *h = &r->headers[i];

        if (!begins(h->name, prefixes) || strchr(h->name, '_') != NULL ||
            strlen(h->value) > MAPPING_TEXT_MAX || !str_is_utf8(h->value, strlen(h->value)))
            continue;
        for (size_t j = 0; j < i; j++) {
            if (str_equal_nocase(r->headers[j].name, h->name)) {
                fault_raise(f, FAULT_UNAUTHORIZED,
                            "The request you have made requires authentication.");
                return fault_add_cause(f, "header %.64s stands twice", h->name);
            }
        }
        add_header(a, ret, h);
    }
    return 0;
}

/* --- Proxies */

struct network {
    int family;
    unsigned char bytes[16];
    unsigned bits;
};

static bool
parse_network(const char *text, struct network *ret)
{
    char address[INET6_ADDRSTRLEN + 1];
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    unsigned most;
    int64_t bits;

    if (size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    ret->family = strchr(address, ':') == NULL ? AF_INET : AF_INET6;
    most = ret->family == AF_INET ? 32 : 128;
    if (inet_pton(ret->family, address, ret->bytes) != 1)
        return false;
    if (slash == NULL)
        bits = most;
    else if (str_to_int64(slash + 1, 0, most, &bits) < 0)
        return false;
    ret->bits = (unsigned)bits;
    return true;
}

static bool
contains(const struct network *n, const struct network *address)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (n->family != address->family || memcmp(n->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (n->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool
assertion_trusts(const char *peer, const char *const *proxies)
{
    struct network address = { 0 }, network;
    bool is_address = parse_network(peer, &address);

    for (; *proxies != NULL; proxies++) {
        if (!is_address ? str_equal(*proxies, peer)
                        : parse_network(*proxies, &network) && contains(&network, &address))
            return true;
    }
    return false;
}

int
assertion_check_proxies(const char *const *proxies, struct fault *f)
{
    struct network network;

    for (; *proxies != NULL; proxies++) {
        if (!str_equal(*proxies, "unix") && !parse_network(*proxies, &network))
            return fault_raise_field(f, "federation.trusted_proxies",
                                     "federation.trusted_proxies: '%.64s' is no address or network",
                                     *proxies);
    }
    return 0;
}
