#include "url.h"

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

static char *
decode(struct arena *a, const char *text, size_t size, bool plus_is_space)
{
    char *ret = arena_alloc(a, size + 1);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (c == '%') {
            int high = size - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = size - i > 2 ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        ret[used++] = c;
    }
    ret[used] = '\0';
    return str_is_utf8(ret, used) ? ret : NULL; /* Refuses NUL too. */
}

char *
url_decode(struct arena *a, const char *text, size_t size)
{
    return decode(a, text, size, false);
}

static bool
is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Writes at most 3 bytes for each of 'text', and returns their number. */
static size_t
encode(char *ret, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_unreserved(*text)) {
            ret[used++] = *text;
        } else {
            ret[used++] = '%';
            ret[used++] = digits[c >> 4];
            ret[used++] = digits[c & 15];
        }
    }
    return used;
}

char *
url_encode(struct arena *a, const char *text)
{
    char *ret = arena_alloc(a, 3 * strlen(text) + 1);

    ret[encode(ret, text)] = '\0';
    return ret;
}

int
url_parse_query(struct arena *a, const char *text, struct http_pair **ret, size_t *ret_count,
                struct fault *f)
{
    struct http_pair *pairs;
    size_t count = 0, max = 1;

    for (const char *at = text; *at != '\0'; at++)
        max += *at == '&';
    pairs = ARENA_ARRAY(a, struct http_pair, max);

    for (const char *at = text; *at != '\0';) {
        size_t size = strcspn(at, "&");
        const char *equals = memchr(at, '=', size);
        size_t name_size = equals != NULL ? (size_t)(equals - at) : size;

        if (size > 0) {
            struct http_pair *pair = &pairs[count++];

            pair->name = decode(a, at, name_size, true);
            pair->value = equals != NULL ? decode(a, equals + 1, size - name_size - 1, true) : NULL;
            if (pair->name == NULL || (equals != NULL && pair->value == NULL))
                return fault_raise(f, FAULT_INVALID,
                                   "The query string is not valid percent-encoded UTF-8.");
        }
        at += size;
        at += *at == '&';
    }
    *ret = pairs;
    *ret_count = count;
    return 0;
}

static void
add_encoded(struct str *url, const char *text)
{
    str_reserve(url, 3 * strlen(text) + 1);
    url->size += encode(url->data + url->size, text);
    url->data[url->size] = '\0';
}

void
url_add_query(struct str *url, const char *name, const char *value)
{
    str_add_char(url, strchr(str_text(url), '?') == NULL ? '?' : '&');
    add_encoded(url, name);
    str_add_char(url, '=');
    add_encoded(url, value);
}
