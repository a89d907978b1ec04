#include "refusal_pace.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/memory.h"

enum {
    WEIGHT = 16,      /* One refusal moves the usual time by this part of the difference. */
    MARGIN_PART = 8,  /* What is waited for beyond it: this part of it, */
    MARGIN_US = 1000, /* and no less than this. */
    LOOSE_PART = 4,   /* Four times the margin: the machine has become faster. */
    LONGEST_US = 2000000,
};

struct refusal_pace {
    pthread_mutex_t lock;
    struct refusal_times times GUARDED_BY(lock);
};

struct refusal_pace *
refusal_pace_new(void)
{
    struct refusal_pace *p = memory_calloc(1, sizeof(*p));

    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void
refusal_pace_free(struct refusal_pace *p)
{
    if (p == NULL)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int64_t
refusal_pace_target(struct refusal_times *t, int64_t took_us)
{
    int64_t margin_us;

    if (t->usual_us == 0)
        t->usual_us = took_us;
    /* One that was held up says little. */
    t->usual_us += (MIN(took_us, 2 * t->usual_us) - t->usual_us) / WEIGHT;
    margin_us = MAX(t->usual_us / MARGIN_PART, (int64_t)MARGIN_US);
    if (t->target_us < t->usual_us + margin_us / 4 ||
        t->target_us > t->usual_us + LOOSE_PART * margin_us)
        t->target_us = MIN(t->usual_us + margin_us, (int64_t)LONGEST_US);
    return t->target_us;
}

void
refusal_pace_wait(struct refusal_pace *p, int64_t begun_us)
{
    int64_t took_us = clock_mono_us() - begun_us, left_us;
    struct timespec left;

    pthread_mutex_lock(&p->lock);
    left_us = refusal_pace_target(&p->times, took_us) - took_us;
    pthread_mutex_unlock(&p->lock);
    if (left_us <= 0)
        return;
    left = (struct timespec){ .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };
    nanosleep(&left, NULL);
}
