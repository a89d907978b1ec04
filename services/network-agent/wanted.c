#include "wanted.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"

struct wanted_network *
wanted_find_network(const struct wanted *w, const char *id)
{
    for (size_t i = 0; i < w->networks_count; i++)
        if (str_equal(w->networks[i].id, id))
            return &w->networks[i];
    return NULL;
}

const struct wanted_subnet *
wanted_find_subnet(const struct wanted_network *n, const char *id)
{
    for (size_t i = 0; i < n->subnets_count; i++)
        if (str_equal(n->subnets[i].id, id))
            return &n->subnets[i];
    return NULL;
}

void
wanted_fail(struct wanted *w, const char *kind, const char *id, const char *reason)
{
    *ARRAY_PUSH(w->arena, w->failures, w->failures_count, w->failures_capacity) =
        (struct wanted_failure){ arena_strdup(w->arena, kind),
                                 arena_strdup(w->arena, id != NULL ? id : ""),
                                 arena_strdup(w->arena, reason) };
}

bool
wanted_check_label(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t size = text != NULL ? strlen(text) : 0;

    return size > 0 && size <= 63 && strspn(text, allowed) == size && text[0] != '-' &&
           text[size - 1] != '-';
}

bool
wanted_check_domain(const char *text)
{
    char label[64];
    size_t size;

    if (str_empty(text) || strlen(text) > 255)
        return false;
    while (*text != '\0') {
        size = strcspn(text, ".");
        if (size >= sizeof(label))
            return false;
        memcpy(label, text, size);
        label[size] = '\0';
        if (!wanted_check_label(label))
            return false;
        text += size + (text[size] == '.');
    }
    return true;
}

/* dnsmasq splits at commas (which some options want), knows '#' as a comment, quotes and
 * backslashes. */
bool
wanted_check_option(const char *name, const char *value)
{
    static const char in_name[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    static const char in_value[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/,+@%&?~*()[]{}! ";
    int64_t number;

    if (str_empty(name) || value == NULL || strlen(name) > 64 || strlen(value) > 255)
        return false;
    if (strspn(name, in_name) != strlen(name) || strspn(value, in_value) != strlen(value))
        return false;
    if (str_to_int64(name, 1, 254, &number) == 0)
        return true;
    return name[0] >= 'a' && name[0] <= 'z';
}
