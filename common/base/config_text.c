/* What config.h writes for people: the sample file and --help, from the same table as the parser. */
#include "config.h"

#include "str.h"

/* "s; 1 to 60", or nothing. */
static void
describe_range(const struct config_key *key, char *ret, size_t size)
{
    const char *unit = key->unit != NULL ? key->unit : "";
    bool bounded = key->min < key->max;

    if (bounded)
        snprintf(ret, size, " (%s%s%.15g to %.15g)", unit, *unit != '\0' ? "; " : "", key->min,
                 key->max);
    else if (*unit != '\0')
        snprintf(ret, size, " (%s)", unit);
    else
        ret[0] = '\0';
}

static const char *
type_name(enum config_type type)
{
    switch (type) {
    case CONFIG_TEXT:
        return "text";
    case CONFIG_SECRET:
        return "secret, or file:/path";
    case CONFIG_INT:
        return "whole number";
    case CONFIG_NUMBER:
        return "number";
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_LIST:
        return "list, comma separated";
    }
    return "";
}

void
config_write_sample(const struct config_key *keys, size_t count, FILE *out)
{
    const char *section = NULL;
    char range[96];

    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = &keys[i];

        if (!str_equal(section, key->section)) {
            fprintf(out, "%s[%s]\n", section != NULL ? "\n" : "", key->section);
            section = key->section;
        }
        describe_range(key, range, sizeof(range));
        fprintf(out, "# %s%s%s\n", key->help, range,
                key->fallback == NULL ? " Must be given." : "");
        fprintf(out, "#%s = %s\n", key->name, key->fallback != NULL ? key->fallback : "");
    }
}

void
config_write_help(const struct config_key *keys, size_t count, FILE *out)
{
    char range[96];

    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = &keys[i];

        describe_range(key, range, sizeof(range));
        fprintf(out, "  %s.%s: %s%s\n      %s\n", key->section, key->name, type_name(key->type),
                range, key->help);
        if (key->fallback == NULL)
            fprintf(out, "      Must be given.\n");
        else
            fprintf(out, "      Without it: %s\n",
                    key->fallback[0] != '\0' ? key->fallback : "(empty)");
    }
}
