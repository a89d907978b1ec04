#include "str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>

#include "array.h"
#include "memory.h"

void
str_done(struct str *s)
{
    free(s->data);
    *s = (struct str){ 0 };
}

void
str_clear(struct str *s)
{
    s->size = 0;
    if (s->data != NULL)
        s->data[0] = '\0';
}

void
str_reserve(struct str *s, size_t more)
{
    size_t need, larger;

    if (more > SIZE_MAX / 4 || s->size > SIZE_MAX / 4)
        memory_exhausted(more);
    need = s->size + more + 1;
    if (need <= s->capacity)
        return;
    larger = MAX(need, s->capacity * 2);
    larger = MAX(larger, (size_t)64);
    s->data = memory_realloc(s->data, larger);
    s->capacity = larger;
    s->data[s->size] = '\0';
}

void
str_add(struct str *s, const char *text)
{
    str_add_n(s, text, strlen(text));
}

void
str_add_n(struct str *s, const char *data, size_t size)
{
    str_reserve(s, size);
    if (size > 0)
        memcpy(s->data + s->size, data, size);
    s->size += size;
    s->data[s->size] = '\0';
}

void
str_addf(struct str *s, const char *format, ...)
{
    va_list args;
    size_t room;
    int size;

    str_reserve(s, 32);
    room = s->capacity - s->size;
    va_start(args, format);
    size = vsnprintf(s->data + s->size, room, format, args);
    va_end(args);
    if (size < 0)
        memory_exhausted(0);
    if ((size_t)size >= room) {
        str_reserve(s, (size_t)size);
        va_start(args, format);
        vsnprintf(s->data + s->size, (size_t)size + 1, format, args);
        va_end(args);
    }
    s->size += (size_t)size;
}

char *
str_take(struct str *s)
{
    char *text;

    str_reserve(s, 0);
    text = s->data;
    *s = (struct str){ 0 };
    return text;
}

const char *
str_text(const struct str *s)
{
    return s->data != NULL ? s->data : "";
}

bool
str_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static unsigned char
lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool
str_equal_nocase(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool
str_starts(const char *text, const char *prefix)
{
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *text, const char *suffix)
{
    size_t text_size = text != NULL ? strlen(text) : 0;
    size_t suffix_size = strlen(suffix);

    return text != NULL && text_size >= suffix_size &&
           memcmp(text + text_size - suffix_size, suffix, suffix_size) == 0;
}

bool
str_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

bool
str_equal_secret(const char *a, const char *b)
{
    volatile unsigned char different = 0;
    size_t size;

    if (a == NULL || b == NULL)
        return false;
    size = strlen(a);
    if (size != strlen(b))
        return false;
    for (size_t i = 0; i < size; i++)
        different = (unsigned char)(different | (a[i] ^ b[i]));
    return different == 0;
}

int
str_to_int64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    const char *digits;
    long long number;
    char *end;

    if (str_empty(text))
        return -EINVAL;
    digits = *text == '-' ? text + 1 : text;
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return -EINVAL;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || number < min || number > max)
        return -ERANGE;
    *ret = number;
    return 0;
}

static locale_t c_locale;

static void
make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int
str_to_double(const char *text, double *ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *at = text;
    size_t whole, fraction = 0;
    double number;

    /* strtod() alone would take spaces, hexadecimals, infinities and the locale's comma. */
    if (str_empty(text))
        return -EINVAL;
    if (*at == '-')
        at++;
    whole = strspn(at, "0123456789");
    at += whole;
    if (*at == '.') {
        fraction = strspn(++at, "0123456789");
        at += fraction;
    }
    if (whole + fraction == 0)
        return -EINVAL;
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '-' || *at == '+')
            at++;
        if (strspn(at, "0123456789") == 0)
            return -EINVAL;
        at += strspn(at, "0123456789");
    }
    if (*at != '\0')
        return -EINVAL;

    pthread_once(&once, make_c_locale);
    number = strtod_l(text, NULL, c_locale);
    if (!isfinite(number))
        return -ERANGE;
    *ret = number;
    return 0;
}

int
str_to_bool(const char *text, bool *ret)
{
    static const char *const yes[] = { "true", "yes", "on", "1", "t", "y" };
    static const char *const no[] = { "false", "no", "off", "0", "f", "n" };

    for (size_t i = 0; text != NULL && i < ARRAY_SIZE(yes); i++) {
        bool is_yes = str_equal_nocase(text, yes[i]);

        if (is_yes || str_equal_nocase(text, no[i])) {
            *ret = is_yes;
            return 0;
        }
    }
    return -EINVAL;
}

/* Bytes of the character at 'at', or 0 when it is none (RFC 3629: no overlong forms, no surrogates). */
static size_t
utf8_character(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t size;

    if (at[0] < 0x80)
        return at[0] != 0 ? 1 : 0;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        size = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        size = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        size = 4;
    else
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (size > left || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return size;
}

size_t
str_utf8_at(const char *data, size_t size)
{
    return size > 0 ? utf8_character((const unsigned char *)data, size) : 0;
}

bool
str_is_utf8(const char *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t step = utf8_character((const unsigned char *)data + at, size - at);

        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t
str_utf8_length(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xc0) != 0x80)
            length++;
    }
    return length;
}

char **
str_split(struct arena *a, const char *text, char separator, size_t *ret_count)
{
    size_t count = 0, capacity = 0;
    char **parts = NULL;

    while (!str_empty(text)) {
        const char *end = strchr(text, separator);
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);

        *ARRAY_PUSH(a, parts, count, capacity) = arena_strndup(a, text, size);
        text += size;
        if (end == NULL)
            break;
        text++;
        if (*text == '\0')
            *ARRAY_PUSH(a, parts, count, capacity) = arena_strdup(a, "");
    }
    *ret_count = count;
    return parts;
}
