#include "guest_lock.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"

struct guest_lock {
    char *guest_id;
    unsigned users;  /* Holder and waiters; the lock is freed with the last. */
    unsigned enders; /* Waiters that want to destroy the guest. */
    bool held;
};

struct guest_locks {
    pthread_mutex_t mutex;
    pthread_cond_t released;
    struct map *by_guest;
};

struct guest_locks *
guest_locks_new(void)
{
    struct guest_locks *l = memory_calloc(1, sizeof(*l));
    pthread_condattr_t attributes;

    pthread_mutex_init(&l->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&l->released, &attributes);
    pthread_condattr_destroy(&attributes);
    l->by_guest = map_new(NULL);
    return l;
}

void
guest_locks_free(struct guest_locks *l)
{
    if (l == NULL)
        return;
    map_free(l->by_guest);
    pthread_cond_destroy(&l->released);
    pthread_mutex_destroy(&l->mutex);
    free(l);
}

/* Under the mutex. */
static struct guest_lock *
use(struct guest_locks *l, const char *guest_id)
{
    struct guest_lock *lock = map_get(l->by_guest, guest_id);

    if (lock == NULL) {
        lock = memory_calloc(1, sizeof(*lock));
        lock->guest_id = memory_strdup(guest_id);
        map_set(l->by_guest, guest_id, lock);
    }
    lock->users++;
    return lock;
}

/* Under the mutex. */
static void
unuse(struct guest_locks *l, struct guest_lock *lock)
{
    if (--lock->users > 0)
        return;
    map_remove(l->by_guest, lock->guest_id);
    free(lock->guest_id);
    free(lock);
}

/* Under the mutex: until the lock is free or the time is up. The clock that tests move may jump, so it is read anew. */
static bool
wait_for(struct guest_locks *l, const struct guest_lock *lock, int64_t deadline_mono_ms)
{
    while (lock->held) {
        int64_t left_ms = deadline_mono_ms - clock_mono_ms();
        struct timespec until;

        if (left_ms <= 0)
            return false;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(left_ms / 1000);
        until.tv_nsec += (long)(left_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&l->released, &l->mutex, &until);
    }
    return true;
}

static int
claim(struct guest_locks *l, const char *guest_id, bool ending, int64_t deadline_mono_ms,
      struct guest_hold *ret, struct fault *f)
{
    struct guest_lock *lock;
    bool ours;

    pthread_mutex_lock(&l->mutex);
    lock = use(l, guest_id);
    lock->enders += ending;
    ours = wait_for(l, lock, deadline_mono_ms);
    lock->enders -= ending;
    if (ours)
        lock->held = true;
    else
        unuse(l, lock);
    pthread_mutex_unlock(&l->mutex);
    if (!ours)
        return fault_raise(f, FAULT_UNAVAILABLE,
                           "The server is busy with another operation on its host.");
    *ret = (struct guest_hold){ l, lock };
    return 0;
}

int
guest_lock_claim(struct guest_locks *l, const char *guest_id, int64_t deadline_mono_ms,
                 struct guest_hold *ret, struct fault *f)
{
    return claim(l, guest_id, false, deadline_mono_ms, ret, f);
}

int
guest_lock_claim_for_end(struct guest_locks *l, const char *guest_id, int64_t deadline_mono_ms,
                         struct guest_hold *ret, struct fault *f)
{
    return claim(l, guest_id, true, deadline_mono_ms, ret, f);
}

void
guest_lock_release(struct guest_hold *hold)
{
    struct guest_locks *l = hold->locks;

    if (hold->lock == NULL)
        return;
    pthread_mutex_lock(&l->mutex);
    hold->lock->held = false;
    unuse(l, hold->lock);
    pthread_cond_broadcast(&l->released);
    pthread_mutex_unlock(&l->mutex);
    *hold = (struct guest_hold){ 0 };
}

bool
guest_hold_unwanted(const struct guest_hold *hold)
{
    bool unwanted;

    if (hold == NULL || hold->lock == NULL)
        return false;
    pthread_mutex_lock(&hold->locks->mutex);
    unwanted = hold->lock->enders > 0;
    pthread_mutex_unlock(&hold->locks->mutex);
    return unwanted;
}
