/* The command line of a daemon:
 *
 *   virga-volume [--config FILE] [--set SECTION.KEY=VALUE]...        serves
 *   virga-volume [the same] COMMAND [WORD]...                        e.g. "migrate"
 *   virga-volume --help | --version | --sample-config | --check-config
 *
 * Options may stand before and after the command. Nothing secret has to be given here: see
 * CONFIG_SECRET. */
#pragma once

#include "../base/arena.h"
#include "../base/fault.h"

enum daemon_action {
    DAEMON_SERVE,
    DAEMON_COMMAND,
    DAEMON_HELP,
    DAEMON_VERSION,
    DAEMON_SAMPLE_CONFIG,
    DAEMON_CHECK_CONFIG,
};

struct daemon_options {
    enum daemon_action action;
    const char *config_file; /* NULL: fallbacks only. */
    const char **overrides;
    size_t overrides_count;
    const char *command;
    char **words; /* What follows the command; NULL-terminated. */
    int words_count;
};

/* FAULT_INVALID says what is wrong with the line. The text is argv's. */
int options_parse(struct arena *a, int argc, char **argv, struct daemon_options *ret,
                  struct fault *f);
