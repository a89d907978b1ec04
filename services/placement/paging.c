#include "paging.h"

#include "base/str.h"
#include "reply.h"

#define DEFAULT_LIMIT 1000
#define MAX_LIMIT 10000

int
paging_refuse(struct call *call, const char *name, struct fault *f)
{
    return fault_raise(f, FAULT_INVALID,
                       "Invalid query string parameters: bad value '%.100s' of %s",
                       query_last(call, name), name);
}

int
paging_limit(struct call *call, int64_t *ret, struct fault *f)
{
    const char *text = query_last(call, "limit");
    int64_t limit = DEFAULT_LIMIT;

    if (text != NULL && str_to_int64(text, 1, INT64_MAX, &limit) < 0)
        return query_refuse(f, "limit", "pattern", "'%.100s' does not match '^[1-9][0-9]*$'", text);
    *ret = MIN(limit, MAX_LIMIT);
    return 0;
}

void
paging_next(struct jsonw *w, const char *marker)
{
    jsonw_text(w, "next", marker);
}
