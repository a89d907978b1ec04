#include "reply.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "ratio_changes.h"

void
reply_cached(struct call *call, int64_t modified_us)
{
    if (!call_at_least(call, 1, 15))
        return;
    call_header(call, "Cache-Control", "no-cache");
    call_header(call, "Last-Modified",
                clock_format(call->arena, modified_us == 0 ? clock_now_us() : modified_us,
                             CLOCK_HTTP));
}

struct jsonw *
reply_json(struct call *call, int64_t modified_us)
{
    reply_cached(call, modified_us);
    return call_json(call);
}

int
reply_check_accept(struct call *call, struct fault *f)
{
    const char *accept = http_header(call->request, "Accept");

    if (str_empty(accept) || strstr(accept, "application/json") != NULL ||
        strstr(accept, "*/*") != NULL || strstr(accept, "application/*") != NULL)
        return 0;
    return fault_raise(f, FAULT_NOT_ACCEPTABLE, "Only application/json is provided");
}

/* Group suffixes: numbers from 1.25, names of 1 to 64 characters from 1.33. */
static bool
is_suffix(const char *text, int version)
{
    size_t size = strlen(text);

    if (version < 1025)
        return false;
    if (version < 1033)
        return text[0] >= '1' && text[0] <= '9' && strspn(text, "0123456789") == size;
    return size <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == size;
}

static bool
takes(const struct query_key *key, const char *name, int version)
{
    size_t size = strlen(key->name);

    if (version < key->since || !str_starts(name, key->name))
        return false;
    return name[size] == '\0' || (key->suffixed && is_suffix(name + size, version));
}

int
query_check(struct call *call, const struct query_key *keys, struct fault *f)
{
    for (size_t i = 0; i < call->request->query_count; i++) {
        const char *name = call->request->query[i].name;
        const struct query_key *key = keys;

        while (key->name != NULL && !takes(key, name, call->version))
            key++;
        if (key->name == NULL)
            return fault_raise(f, FAULT_INVALID,
                               "Invalid query string parameters: Additional properties are not "
                               "allowed ('%.100s' was unexpected)",
                               name);
    }
    return 0;
}

const char *
query_last(const struct call *call, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < call->request->query_count; i++) {
        if (str_equal(call->request->query[i].name, name))
            value = call->request->query[i].value == NULL ? "" : call->request->query[i].value;
    }
    return value;
}

const char *
uuid_normal(struct arena *a, const char *text)
{
    char hex[33];
    size_t n = 0;

    if (!uuid_check_loose(text))
        return NULL;
    for (; *text != '\0' && n < 32; text++) {
        if (isxdigit((unsigned char)*text))
            hex[n++] = (char)tolower((unsigned char)*text);
    }
    hex[n] = '\0';
    return n < 32 ? NULL
                  : arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                                 hex + 20);
}

static int
no_provider(struct call *call, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "No resource provider with uuid %.100s found",
                       call_param(call, "uuid"));
}

int
provider_of_path(struct call *call, struct provider_row *ret, struct fault *f)
{
    int r = provider_find(call->db, call_param(call, "uuid"), ret, f);

    return r == 0 ? no_provider(call, f) : r;
}

int
provider_lock_path(struct call *call, struct db_tx *tx, struct provider_lock_row *ret,
                   struct fault *f)
{
    struct provider_lock_as_row row;
    int r = provider_lock_as(tx->db, call_param(call, "uuid"), ratio_actor(call), &row, f);

    if (r > 0)
        *ret = (struct provider_lock_row){ .id = row.id, .generation = row.generation };
    return r == 0 ? no_provider(call, f) : r;
}
