#include "trace.h"

#include "base/json.h"
#include "base/str.h"

static bool
is_secret_header(const char *name)
{
    return str_equal_nocase(name, "X-Auth-Token") || str_equal_nocase(name, "X-Subject-Token") ||
           str_equal_nocase(name, "Authorization") || str_equal_nocase(name, "Set-Cookie");
}

static bool
is_secret_member(const char *name)
{
    static const char *const names[] = {
        "password",    "original_password", "adminPass", "admin_pass", "secret",  "passcode",
        "private_key", "user_data",         "blob",      "contents",   "auth_key"
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_equal_nocase(name, names[i]))
            return true;
    }
    return false;
}

static void
hide(json_t *value)
{
    json_t *inner;
    const char *key;
    void *next;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, inner)
        {
            hide(inner);
        }
        return;
    }
    if (!json_is_object(value))
        return;
    json_object_foreach_safe(value, next, key, inner)
    {
        /* "token": {"id": ...} of a login; a token's description has no id. */
        if (is_secret_member(key) && !json_is_object(inner))
            json_object_set_new(value, key, json_string("***"));
        else if (str_equal(key, "token") && json_is_object(inner) &&
                 json_object_get(inner, "id") != NULL)
            json_object_set_new(inner, "id", json_string("***"));
        else
            hide(inner);
    }
}

char *
trace_body(struct arena *a, const char *body, size_t size)
{
    struct fault f = { 0 };
    json_t *value;

    if (json_read(a, body, size, &value, &f) < 0)
        return arena_printf(a, "(%zu bytes)", size);
    hide(value);
    return json_text(a, value);
}

static void
print_headers(const char *mark, const struct http_pair *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s %s: %s\n", mark, headers[i].name,
                is_secret_header(headers[i].name) ? "***" : headers[i].value);
}

void
trace_request(struct arena *a, const struct http_exchange *x)
{
    fprintf(stderr, "> %s %s\n", http_method_name(x->method), x->url);
    print_headers(">", x->headers, x->headers_count);
    if (x->body != NULL)
        fprintf(stderr, "> %s\n", trace_body(a, x->body, x->body_size));
    else if (x->body_file > 0)
        fprintf(stderr, "> (%zu bytes)\n", x->body_size);
}

void
trace_answer(struct arena *a, const struct http_exchange *x, int64_t took_us)
{
    fprintf(stderr, "< %d, %.1f ms\n", x->status, (double)took_us / 1000.0);
    print_headers("<", x->answer_headers, x->answer_headers_count);
    if (x->answer_size > 0)
        fprintf(stderr, "< %s\n", trace_body(a, x->answer, x->answer_size));
}
