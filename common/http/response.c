#include "response.h"

#include <assert.h>

#include "../base/array.h"

void
http_response_header(struct http_response *r, const char *name, const char *value)
{
    struct http_pair *pair;

    assert(strpbrk(name, "\r\n \t") == NULL && strpbrk(value, "\r\n") == NULL);
    for (size_t i = 0; i < r->headers_count; i++) {
        if (str_equal_nocase(r->headers[i].name, name)) {
            r->headers[i].value = arena_strdup(r->arena, value);
            return;
        }
    }
    pair = ARRAY_PUSH(r->arena, r->headers, r->headers_count, r->headers_capacity);
    pair->name = arena_strdup(r->arena, name);
    pair->value = arena_strdup(r->arena, value);
}
