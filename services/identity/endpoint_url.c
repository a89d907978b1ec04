#include "endpoint_url.h"

enum place { PLACE_PROJECT, PLACE_USER, PLACE_NOTHING };

/* The last ones are upstream's own configuration: such URLs may be stored, but no token has what to fill them with. */
static const struct {
    const char *name;
    enum place place;
} names[] = {
    { "project_id", PLACE_PROJECT },
    { "tenant_id", PLACE_PROJECT },
    { "user_id", PLACE_USER },
    { "public_bind_host", PLACE_NOTHING },
    { "admin_bind_host", PLACE_NOTHING },
    { "compute_host", PLACE_NOTHING },
    { "admin_port", PLACE_NOTHING },
    { "public_port", PLACE_NOTHING },
    { "public_endpoint", PLACE_NOTHING },
};

/* Reads the place that begins at 'at' ("%(" or "$("). Returns its length, or 0 if it is none. */
static size_t
read_place(const char *at, enum place *ret)
{
    size_t size = strcspn(at + 2, ")");

    if (at[2 + size] != ')' || at[3 + size] != 's')
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strlen(names[i].name) == size && strncmp(names[i].name, at + 2, size) == 0) {
            *ret = names[i].place;
            return size + 4;
        }
    }
    return 0;
}

/* Walks over the URL; 'out' gets it with the values in place (either may be NULL). False: it is no URL with places. */
static bool
walk(const char *url, const char *const values[], struct str *out, bool *ret_lacks)
{
    for (const char *at = url; *at != '\0';) {
        enum place place = PLACE_NOTHING;
        size_t size;

        if (at[0] != '%' && !(at[0] == '$' && at[1] == '(')) {
            str_add_char(out, *at++);
            continue;
        }
        if (at[0] == '%' && at[1] == '%') {
            str_add_char(out, '%');
            at += 2;
            continue;
        }
        size = at[1] == '(' ? read_place(at, &place) : 0;
        if (size == 0)
            return false;
        if (values[place] == NULL)
            *ret_lacks = true;
        else
            str_add(out, values[place]);
        at += size;
    }
    return true;
}

int
endpoint_url_check(const char *url, struct fault *f)
{
    static const char *const values[] = { "", "", "" };
    struct str out = { 0 };
    bool lacks = false;
    bool good = walk(url, values, &out, &lacks);

    str_done(&out);
    if (good)
        return 0;
    return fault_raise_field(f, "url", "Cannot create an endpoint with an invalid URL: %.225s.",
                             url);
}

const char *
endpoint_url_fill(struct arena *a, const char *url, const char *project_id, const char *user_id)
{
    const char *const values[] = { project_id, user_id, NULL };
    struct str out = { 0 };
    const char *filled = NULL;
    bool lacks = false;

    if (strpbrk(url, "%$") == NULL)
        return url;
    if (walk(url, values, &out, &lacks) && !lacks)
        filled = arena_strdup(a, str_text(&out));
    str_done(&out);
    return filled;
}
