/* Commands that are Virga's own. */
#include "own.h"

/* clang-format off: a row is read as a row. */

const struct command own_commands[] = {
    { .name = "debug",
      .help = "Ask a daemon of this machine what it is doing",
      .verb = VERB_RUN,
      .silent = true,
      .run = own_debug,
      .options =
          OPTIONS(ARG("<daemon>", NULL,
                      "identity, compute, network-agent, ... or the path of its control socket"),
                  ARG("<verb>", NULL, "show TOPIC, log LEVEL, trim or reload",
                      .choices = "show,log,trim,reload"),
                  ARG("<topic>", NULL,
                      "show: sagas, outbox, pool, mem or config; log: error, warn, info or debug",
                      .optional = true)) },
    { .name = "help",
      .help = "Say how a command is used",
      .verb = VERB_RUN,
      .silent = true,
      .run = own_help,
      .options = OPTIONS(ARG("<command>", NULL, "The command; without one: all", .optional = true,
                             .repeat = true),
                         FLAG("--man", NULL, "true", "Print the manual page's source")) },
    { .name = "complete",
      .help = "Print completion for bash: source <(virga complete)",
      .verb = VERB_RUN,
      .silent = true,
      .run = own_complete,
      .options = OPTIONS(OPT("--name", "<command>", NULL, "Taken for compatibility"),
                         OPT("--shell", "<shell>", NULL, "bash (the default) or none",
                             .choices = "bash,none")) },
    { .name = NULL },
};
