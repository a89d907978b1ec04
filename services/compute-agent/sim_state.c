/* The state of the simulated hypervisor, its injected failures and delays, and what tests do to it. */
#include "sim_state.h"

#include "base/clock.h"

/* --- Failures and delays. All of it under the mutex. */

static enum fault_kind
due_failure(struct sim *s, const char *method)
{
    enum fault_kind kind = FAULT_NONE;

    for (size_t i = 0; i < s->rules_count; i++) {
        struct rule *rule = &s->rules[i];

        if (!str_equal(rule->method, method))
            continue;
        rule->seen++;
        if (rule->seen >= rule->first && rule->seen - rule->first < rule->count)
            kind = rule->kind;
    }
    return kind;
}

static void
wait_delay(struct sim *s)
{
    int64_t due_ms = clock_mono_ms() + s->delay_ms;

    s->waiting++;
    for (int64_t left_ms; (left_ms = due_ms - clock_mono_ms()) > 0;) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(left_ms / 1000);
        until.tv_nsec += (long)(left_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&s->moved, &s->mutex, &until);
    }
    s->waiting--;
}

int
sim_begin(struct hypervisor *h, const char *method, struct sim_work *w, struct fault *f)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    *w = (struct sim_work){ s, due_failure(s, method) };
    wait_delay(s);
    if (w->failure != FAULT_NONE && w->failure != FAULT_TIMEOUT)
        return fault_raise(f, w->failure, "The simulated host was told to fail %s.", method);
    return 0;
}

int
sim_finish(struct sim_work *w, struct fault *f)
{
    if (w->failure != FAULT_TIMEOUT)
        return 0;
    return fault_raise(f, FAULT_TIMEOUT, "The hypervisor did not answer in time.");
}

void
sim_work_done(struct sim_work *w)
{
    if (w->sim != NULL)
        pthread_mutex_unlock(&w->sim->mutex);
}

struct sim_guest *
sim_find(struct sim_work *w, const char *guest_id, struct fault *f)
{
    struct sim_guest *g = map_get(w->sim->guests, guest_id);

    if (g == NULL)
        fault_raise(f, FAULT_NOT_FOUND, "The instance could not be found on its host.");
    return g;
}

void
sim_set_state(struct sim_work *w, const char *guest_id, struct sim_guest *g,
              enum guest_power_state state, const char *reason)
{
    if (g->state == state)
        return;
    g->state = state;
    w->sim->events.guest_changed(w->sim->events.owner, guest_id, state, reason);
}

/* --- What tests do. */

void
sim_fail(struct hypervisor *h, const char *method, unsigned first, unsigned count,
         enum fault_kind kind)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    if (s->rules_count < RULES_MAX) {
        struct rule *rule = &s->rules[s->rules_count++];

        *rule = (struct rule){ .first = first, .count = count, .kind = kind };
        snprintf(rule->method, sizeof(rule->method), "%s", method);
    }
    pthread_mutex_unlock(&s->mutex);
}

void
sim_set_delay(struct hypervisor *h, int64_t delay_ms)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    s->delay_ms = delay_ms;
    pthread_mutex_unlock(&s->mutex);
}

void
sim_wake(struct hypervisor *h)
{
    struct sim *s = sim_of(h);

    pthread_mutex_lock(&s->mutex);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->mutex);
}

unsigned
sim_waiting(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    unsigned waiting;

    pthread_mutex_lock(&s->mutex);
    waiting = s->waiting;
    pthread_mutex_unlock(&s->mutex);
    return waiting;
}

bool
sim_crash(struct hypervisor *h, const char *guest_id)
{
    struct sim_work w = { .sim = sim_of(h) };
    struct sim_guest *g;

    pthread_mutex_lock(&w.sim->mutex);
    g = map_get(w.sim->guests, guest_id);
    if (g != NULL)
        sim_set_state(&w, guest_id, g, GUEST_POWER_STATE_CRASHED, "crashed");
    pthread_mutex_unlock(&w.sim->mutex);
    return g != NULL;
}

bool
sim_make_deaf(struct hypervisor *h, const char *guest_id)
{
    struct sim *s = sim_of(h);
    struct sim_guest *g;

    pthread_mutex_lock(&s->mutex);
    g = map_get(s->guests, guest_id);
    if (g != NULL)
        g->deaf = true;
    pthread_mutex_unlock(&s->mutex);
    return g != NULL;
}

size_t
sim_guests(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    size_t count;

    pthread_mutex_lock(&s->mutex);
    count = map_count(s->guests);
    pthread_mutex_unlock(&s->mutex);
    return count;
}

size_t
sim_devices(struct hypervisor *h)
{
    struct sim *s = sim_of(h);
    struct map_at at = { 0 };
    size_t count = 0;

    pthread_mutex_lock(&s->mutex);
    while (map_next(s->guests, &at)) {
        const struct sim_guest *g = at.value;

        count += map_count(g->volumes) + map_count(g->nics);
    }
    pthread_mutex_unlock(&s->mutex);
    return count;
}
