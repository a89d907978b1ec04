/* The command line, read against the options that a command has. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/fault.h"
#include "command.h"

struct arg {
    const struct option *option;
    const char *text;
};

struct args {
    struct arg *items; /* In the order given. */
    size_t count, capacity;
};

/* Options that every command, or every command that prints, has. */
extern const struct option args_output_options[];
extern const struct option args_list_options[];
extern const struct option
    args_global_options[]; /* Without the --os-... ones, which are cloud.c's. */

/* Reads the words after the command's name. 'command' NULL: only global options. --os-... goes to 'on_cloud'. FAULT_INVALID
 * when something is unknown, missing or no number; words are kept, not copied. */
int args_parse(struct arena *a, const struct command *command, const char *const *words,
               size_t count, int (*on_cloud)(void *owner, const char *name, const char *value),
               void *owner, struct args *ret, struct fault *f);

/* Does 'word' name an option of the cloud ("--os-username")? */
bool args_is_cloud_option(const char *word);

const char *args_get(const struct args *args,
                     const char *name); /* The last value ("" of a flag), or NULL. */
bool args_has(const struct args *args, const char *name);
/* The n-th value of it, or NULL: for (i = 0; (text = args_nth(args, "--nic", i)) != NULL; i++) */
const char *args_nth(const struct args *args, const char *name, size_t n);
