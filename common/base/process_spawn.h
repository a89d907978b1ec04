/* How a child comes to life; for process.c only. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "fault.h"
#include "process.h"

struct spawn {
    const char *const *argv;
    const char *netns;    /* Or NULL. */
    const char *log_path; /* Where a detached one writes; NULL: /dev/null. */
    struct process_limits limits;
    bool with_input; /* A pipe for its standard input; otherwise /dev/null. */
    bool detached;   /* A session of its own and no pipes; otherwise a process group and pipes. */
    bool dies_with_parent; /* SIGKILL when the thread that started it ends. */
    /* Results. Our ends do not block, and are the caller's to close; -1: no pipe. */
    pid_t pid;
    int input, output, errors;
};

/* Returns after the program is running, or with the reason why it does not. */
int process_spawn(struct spawn *s, struct fault *f);
