/* Text: a buffer on the heap that grows, and the comparisons and conversions that C lacks. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* 'data' is always terminated once something was added; { 0 } is an empty buffer. */
struct str {
    char *data;
    size_t size;
    size_t capacity;
};

void str_done(struct str *s);  /* Frees; for _cleanup_(str_done). */
void str_clear(struct str *s); /* Empties, keeps the memory. */
void str_reserve(struct str *s, size_t more);
void str_add(struct str *s, const char *text);
static inline void
str_add_char(struct str *s, char c)
{
    if (s->size + 2 > s->capacity)
        str_reserve(s, 1);
    s->data[s->size++] = c;
    s->data[s->size] = '\0';
}
void str_add_n(struct str *s, const char *data, size_t size);
void str_addf(struct str *s, const char *format, ...) _printf_(2, 3);
char *
str_take(struct str *s); /* The text, now the caller's to free(); the buffer is empty after. */
const char *str_text(const struct str *s); /* Never NULL. */

/* Both NULL, or the same bytes. */
bool str_equal(const char *a, const char *b);
bool str_equal_nocase(const char *a, const char *b); /* ASCII only. */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_empty(const char *text); /* NULL or "". */
/* In time that depends on the lengths only: for secrets. */
bool str_equal_secret(const char *a, const char *b);

/* The whole of 'text' is one number in range: 0, else -EINVAL or -ERANGE. No spaces, no sign '+'. */
int str_to_int64(const char *text, int64_t min, int64_t max, int64_t *ret);
int str_to_double(const char *text, double *ret);
/* true/false/yes/no/on/off/1/0/t/f/y/n in any case, as oslo's strutils: 0, else -EINVAL. */
int str_to_bool(const char *text, bool *ret);

/* Well-formed UTF-8 without NUL: what JSON text and PostgreSQL accept. */
bool str_is_utf8(const char *data, size_t size);
/* Bytes of the one character that 'data' begins with; 0: malformed, NUL, or no data. */
size_t str_utf8_at(const char *data, size_t size);
/* Characters, not bytes, of well-formed UTF-8. */
size_t str_utf8_length(const char *text);

/* The parts of 'text' between 'separator's, in the arena; "" has none. 'ret_count' may not be NULL. */
char **str_split(struct arena *a, const char *text, char separator, size_t *ret_count);

/* Base64 (RFC 4648): with padding, or the URL-safe alphabet without. Decoding is strict: one encoding
 * per value. Returns bytes, or -EINVAL. */
char *str_base64(struct arena *a, const void *data, size_t size);
char *str_base64url(struct arena *a, const void *data, size_t size);
int str_base64_decode(struct arena *a, const char *text, void **ret, size_t *ret_size);
int str_base64url_decode(struct arena *a, const char *text, size_t text_size, void **ret,
                         size_t *ret_size);
char *str_hex(struct arena *a, const void *data, size_t size); /* Lower case. */
