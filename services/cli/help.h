/* virga help: all of it printed from the commands' tables. */
#pragma once

#include <stdio.h>

#include "command.h"

void help_overview(FILE *out);
void help_usage(const struct command *command, FILE *out);
void help_command(const struct command *command, FILE *out);
void help_similar(const char *const *words, size_t count,
                  FILE *out);  /* For words that are no command. */
void help_man(FILE *out);      /* virga(1), as docs/man/virga.1 */
void help_complete(FILE *out); /* For bash */
