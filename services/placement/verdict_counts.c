#include "verdict_counts.h"

#include "base/array.h"
#include "base/str.h"

void
verdict_counts_add(struct verdict_counts *c, struct arena *a, const char *rule, int64_t more)
{
    size_t i = 0;

    while (i < c->count && !str_equal(c->items[i].rule, rule))
        i++;
    if (i == c->count)
        *ARRAY_PUSH(a, c->items, c->count, c->capacity) = (struct verdict_count){ .rule = rule };
    c->items[i].count += more;
}

const char *
verdict_counts_first(const struct verdict_counts *c)
{
    const struct verdict_count *most = NULL;

    for (size_t i = 0; i < c->count; i++) {
        if (most == NULL || c->items[i].count > most->count)
            most = &c->items[i];
    }
    return most == NULL ? NULL : most->rule;
}
