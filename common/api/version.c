#include "version.h"

#include "../base/str.h"

int
version_parse(const char *text)
{
    const char *dot = strchr(text, '.');
    char major[8];
    int64_t x, y;
    size_t size = dot == NULL ? 0 : (size_t)(dot - text);

    if (size == 0 || size >= sizeof(major))
        return -1;
    memcpy(major, text, size);
    major[size] = '\0';
    if (str_to_int64(major, 0, 99, &x) < 0 || str_to_int64(dot + 1, 0, 999, &y) < 0)
        return -1;
    if ((major[0] == '0' && major[1] != '\0') || (dot[1] == '0' && dot[2] != '\0'))
        return -1;
    return VERSION((int)x, (int)y);
}

char *
version_text(struct arena *a, int version)
{
    return arena_printf(a, "%d.%d", version / 1000, version % 1000);
}

/* The entry for 'type' in "compute 2.15, volume latest"; NULL if there is none. */
static const char *
entry_for(struct arena *a, const char *header, const char *type)
{
    size_t count, size = strlen(type);
    char **parts = str_split(a, header, ',', &count);

    for (size_t i = 0; i < count; i++) {
        const char *text = parts[i] + strspn(parts[i], " \t");

        if (strncasecmp(text, type, size) == 0 && (text[size] == ' ' || text[size] == '\t')) {
            text += size + strspn(text + size, " \t");
            return arena_strndup(a, text, strcspn(text, " \t"));
        }
    }
    return NULL;
}

int
version_negotiate(const struct http_request *r, const char *type, const char *legacy_header,
                  int min, int max, int *ret, const char **ret_asked, struct fault *f)
{
    const char *header = http_header(r, "OpenStack-API-Version");
    const char *text = header == NULL ? NULL : entry_for(r->arena, header, type);
    int version;

    if (text == NULL && legacy_header != NULL)
        text = http_header(r, legacy_header);
    *ret_asked = text;
    if (text == NULL) {
        *ret = min;
        return 0;
    }
    if (str_equal_nocase(text, "latest")) {
        *ret = max;
        return 0;
    }
    version = version_parse(text);
    if (version < 0)
        return fault_raise(
            f, FAULT_INVALID,
            "API Version String %.50s is of invalid format. Must be of format MajorNum.MinorNum.",
            text);
    if (version < min || version > max)
        return fault_raise(
            f, FAULT_NOT_ACCEPTABLE,
            "Version %s is not supported by the API. Minimum is %s and maximum is %s.", text,
            version_text(r->arena, min), version_text(r->arena, max));
    *ret = version;
    return 0;
}
