/* virga help: all of it printed from the commands' tables. */
#pragma once

#include <stdio.h>

#include "command.h"

void help_overview(FILE *out);
void help_usage(const struct command *command, FILE *out);
void help_command(const struct command *command, FILE *out);
/* The commands that share words with these, below the heading; false, and nothing printed, when none does. */
bool help_similar(const char *const *words, size_t count, const char *heading, FILE *out);
void help_man(FILE *out);      /* virga(1), as docs/man/virga.1 */
void help_complete(FILE *out); /* For bash */
