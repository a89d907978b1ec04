/* Child processes by argv, never by a shell: with a deadline, limits and captured output. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "fault.h"

struct process_limits {
    int64_t cpu_s, memory_bytes, file_bytes; /* RLIMIT_CPU, RLIMIT_AS, RLIMIT_FSIZE; 0: as ours. */
    int64_t files;                           /* RLIMIT_NOFILE; 0: 64. */
};

struct process_run {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH. */
    const char *input;       /* For its standard input, or NULL (/dev/null). */
    size_t input_size;
    const char *netns; /* Name of a network namespace under /run/netns to run in, or NULL. */
    int deadline_ms;   /* After it SIGKILL to the process group and FAULT_TIMEOUT; 0: 30 s. */
    struct process_limits limits;
    /* Results, in the arena: */
    int status;   /* Exit code, or 128 + signal. */
    char *output; /* Standard output, at most 4 MiB. */
    size_t output_size;
    char *errors; /* Standard error, at most 64 KiB. */
};

/* Runs to the end. 0 when it exited with 0; otherwise a fault whose cause has the command and its errors.
 * The environment is PATH, LANG=C.UTF-8 and nothing else; descriptors above 2 are closed. */
int process_run(struct arena *a, struct process_run *run, struct fault *f);

/* Starts a daemon in its own session, its output appended to 'log_path' (NULL: /dev/null); ret its pid.
 * The caller supervises it. With 'netns' it lives in that network namespace. */
int process_start(const char *const *argv, const char *netns, const char *log_path, pid_t *ret,
                  struct fault *f);

/* SIGTERM, then SIGKILL after 'grace_ms'; reaps it if it is our child. 'start_time' from process_start_time()
 * guards against a reused pid (0: not checked). */
void process_stop(pid_t pid, uint64_t start_time, int grace_ms);
uint64_t
process_start_time(pid_t pid); /* Field 22 of /proc/PID/stat; 0 when there is no such process. */
