/* Configuration: INI files read into a struct, from one table of keys.
 *
 * A daemon lists its keys once, in a .def file of CONFIG_KEY(...) rows; from the rows come the members'
 * parser, --help, the sample file and the man page's section. Values: file first, then "--set
 * section.key=value" from the command line. An unknown section or key is an error that names the line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"

enum config_type {
    CONFIG_TEXT,   /* const char * */
    CONFIG_SECRET, /* const char *; never printed. "file:/path" reads it from a file. */
    CONFIG_INT,    /* int64_t */
    CONFIG_NUMBER, /* double */
    CONFIG_BOOL,   /* bool */
    CONFIG_LIST,   /* const char **, NULL-terminated; comma separated */
};

struct config_key {
    const char *section, *name;
    enum config_type type;
    size_t offset;        /* Of the member in the daemon's config struct. */
    const char *fallback; /* As it would stand in the file; NULL: must be given. */
    double min,
        max; /* For CONFIG_INT and CONFIG_NUMBER; both 0: any; max below min: no upper limit. */
    const char *unit; /* "s", "MiB", ... or "" */
    const char *help; /* One sentence. */
};

/* Fills 'ret' (a struct as the keys' offsets say): fallbacks, then 'path' (NULL: none), then 'overrides'
 * ("section.key=value"). Text lives as long as the process. */
int config_load(const struct config_key *keys, size_t count, const char *path,
                const char *const *overrides, size_t overrides_count, void *ret, struct fault *f);

/* The commented sample file, and the same as --help. */
void config_write_sample(const struct config_key *keys, size_t count, FILE *out);
void config_write_help(const struct config_key *keys, size_t count, FILE *out);
