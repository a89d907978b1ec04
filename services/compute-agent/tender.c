#include "tender.h"

#include <pthread.h>

#include "base/memory.h"

enum { PERIOD_S = 60 };

struct tender {
    struct image_cache *images;
    struct hypervisor *hypervisor;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t end;
    bool ending;
};

static void *
run(void *argument)
{
    struct tender *t = argument;
    struct timespec until;

    pthread_mutex_lock(&t->mutex);
    while (!t->ending) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PERIOD_S;
        if (pthread_cond_timedwait(&t->end, &t->mutex, &until) == 0)
            continue;
        pthread_mutex_unlock(&t->mutex);
        if (t->images != NULL)
            image_cache_tend(t->images);
        if (t->hypervisor != NULL && t->hypervisor->driver->tend != NULL)
            t->hypervisor->driver->tend(t->hypervisor);
        pthread_mutex_lock(&t->mutex);
    }
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

int
tender_start(struct tender **ret, struct image_cache *images, struct hypervisor *hypervisor,
             struct fault *f)
{
    struct tender *t = memory_calloc(1, sizeof(*t));

    t->images = images;
    t->hypervisor = hypervisor;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->end, NULL);
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        free(t);
        return fault_raise_cause(f, "no thread for the housekeeping");
    }
    *ret = t;
    return 0;
}

void
tender_stop(struct tender *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->mutex);
    t->ending = true;
    pthread_cond_broadcast(&t->end);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->end);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}
