/* One run of the program: what all its parts share. */
#pragma once

#include <stdbool.h>

#include "args.h"
#include "command.h"
#include "output.h"

struct session;
struct cloud;

struct cli {
    struct arena *arena; /* Lives until the end. */
    struct cloud *cloud;
    struct session *session;
    const struct command *command;
    struct args args;
    struct output output;
    bool debug;
    int failures; /* Of commands that go on after one object failed. */
};

/* The whole program; returns its exit code: 0 done, 1 failed, 2 wrong usage. */
int cli_main(int argc, char **argv);
