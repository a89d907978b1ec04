#define PCRE2_CODE_UNIT_WIDTH 8
#include "mapping_pattern.h"

#include <pcre2.h>
#include <string.h>

#include "base/memory.h"

enum { STEPS_MAX = 50000, HEAP_MAX_KIB = 4096 };

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

int
pattern_compile(struct pattern **ret, const char *text, struct fault *f)
{
    PCRE2_UCHAR why[128] = "";
    PCRE2_SIZE offset = 0;
    struct pattern *p;
    pcre2_code *code;
    int error = 0;

    if (strlen(text) > PATTERN_MAX)
        return fault_raise(f, FAULT_INVALID, "A regular expression has at most %d bytes.",
                           PATTERN_MAX);
    code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (code == NULL) {
        pcre2_get_error_message(error, why, sizeof(why));
        return fault_raise(f, FAULT_INVALID, "Invalid regular expression '%.200s': %s at %zu.",
                           text, (const char *)why, offset);
    }
    p = memory_calloc(1, sizeof(*p));
    p->code = code;
    p->data = pcre2_match_data_create(1, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (p->data == NULL || p->limits == NULL) {
        pattern_free(p);
        return fault_raise_cause(f, "no memory for a regular expression");
    }
    pcre2_set_match_limit(p->limits, STEPS_MAX);
    pcre2_set_depth_limit(p->limits, STEPS_MAX);
    pcre2_set_heap_limit(p->limits, HEAP_MAX_KIB);
    *ret = p;
    return 0;
}

void
pattern_free(struct pattern *p)
{
    if (p == NULL)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p);
}

void
pattern_freep(struct pattern **p)
{
    pattern_free(*p);
}

int
pattern_find(const struct pattern *p, const char *value, struct fault *f)
{
    int r =
        pcre2_match(p->code, (PCRE2_SPTR)value, PCRE2_ZERO_TERMINATED, 0, 0, p->data, p->limits);

    if (r >= 0)
        return 1;
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    return fault_raise(f, FAULT_INVALID, "A regular expression took too many steps (%d).", r);
}
