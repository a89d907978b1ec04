/* The matcher goes back to the last wildcard only, at most once a character for each kind of wildcard, so that no pattern costs more
 * than the product of the two lengths: patterns are users' and paths are anybody's. */
#include "access_rule.h"

#include <string.h>

#include "../base/str.h"

enum wildcard { NONE, SEGMENT, ANYTHING };

/* The wildcard that 'at' begins with, and what follows it. */
static enum wildcard
wildcard(const char *at, const char **ret_rest)
{
    const char *end;

    *ret_rest = at;
    if (at[0] == '*' && at[1] == '*') {
        *ret_rest = at + 2;
        return ANYTHING;
    }
    if (at[0] == '*') {
        *ret_rest = at + 1;
        return SEGMENT;
    }
    if (at[0] != '{')
        return NONE;
    end = strchr(at, '}');
    if (end == NULL)
        return NONE;
    *ret_rest = end + 1;
    return SEGMENT;
}

/* Where to go on when what follows a wildcard did not fit: the rest of the pattern, and how far the wildcard has reached. */
struct retry {
    const char *pattern, *path;
};

/* Lets the wildcard take one character more. False: it cannot. */
static bool
extend(struct retry *retry, enum wildcard kind, const char **pattern, const char **path)
{
    if (retry->pattern == NULL || *retry->path == '\0' || (kind == SEGMENT && *retry->path == '/'))
        return false;
    retry->path++;
    *pattern = retry->pattern;
    *path = retry->path;
    return true;
}

bool
access_rule_path_matches(const char *pattern, const char *path)
{
    struct retry segment = { NULL, NULL }, anything = { NULL, NULL };

    for (;;) {
        const char *rest;
        enum wildcard kind = wildcard(pattern, &rest);

        if (kind == ANYTHING) {
            anything = (struct retry){ rest, path };
            segment = (struct retry){ NULL, NULL };
            pattern = rest;
        } else if (kind == SEGMENT && *path != '\0' && *path != '/') {
            segment = (struct retry){ rest, path + 1 };
            pattern = rest;
            path++;
        } else if (kind == NONE && *pattern == '\0' && *path == '\0') {
            return true;
        } else if (kind == NONE && *pattern == *path && *path != '\0') {
            pattern++;
            path++;
        } else if (!extend(&segment, SEGMENT, &pattern, &path)) {
            segment = (struct retry){ NULL, NULL };
            if (!extend(&anything, ANYTHING, &pattern, &path))
                return false;
        }
    }
}

static bool
is_one_of(const char *const *types, const char *type)
{
    for (; types != NULL && *types != NULL; types++) {
        if (str_equal(*types, type))
            return true;
    }
    return false;
}

bool
access_rules_allow(const char *const *rules, size_t count, const char *const *types,
                   const char *method, const char *path)
{
    for (size_t i = 0; i + 2 < count; i += 3) {
        if (is_one_of(types, rules[i]) && str_equal(rules[i + 1], method) &&
            access_rule_path_matches(rules[i + 2], path))
            return true;
    }
    return false;
}
