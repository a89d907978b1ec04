#include "signals.h"

#include <errno.h>
#include <pthread.h>

static sigset_t before;

static void
taken(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
}

void
signals_block(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    sigaction(SIGPIPE, &ignore, NULL);
    taken(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
}

void
signals_unblock(void)
{
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum signal_event
signals_wait(int wait_ms)
{
    struct timespec limit = { .tv_sec = wait_ms / 1000,
                              .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
    sigset_t set;
    int number;

    taken(&set);
    do
        number = wait_ms < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &limit);
    while (number < 0 && errno == EINTR);
    if (number == SIGHUP)
        return SIGNAL_RELOAD;
    return number > 0 ? SIGNAL_STOP : SIGNAL_NONE;
}
