#include "limits.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/log.h"

enum { FILES_MAX = 65536, TRIM_THRESHOLD = 256 * 1024 };

void
limits_apply(void)
{
    struct rlimit none = { 0 }, files;

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
}

void
limits_trim(void)
{
    malloc_trim(0);
}

static void *
end(void *object)
{
    int limit_ms = (int)(intptr_t)object;
    struct timespec limit = { .tv_sec = limit_ms / 1000,
                              .tv_nsec = (long)(limit_ms % 1000) * 1000000 };

    while (nanosleep(&limit, &limit) < 0 && errno == EINTR)
        continue;
    log_error("daemon.stop_abandoned limit_ms=%d", limit_ms);
    _exit(1);
}

void
limits_stop_within(int limit_ms)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, end, (void *)(intptr_t)limit_ms) == 0)
        pthread_detach(thread);
}
