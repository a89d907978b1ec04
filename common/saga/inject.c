#include "inject.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/log.h"
#include "../base/str.h"

#define POINTS_MAX 16

struct armed {
    char saga[128], step[128]; /* step "": any */
    enum inject_point point;
    enum inject_effect effect;
    int left; /* The how-manieth time from now. */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct armed points[POINTS_MAX] GUARDED_BY(mutex);
static _Atomic size_t count; /* 0: the whole cost of having this in every build. */

static const char *const point_names[] = {
    [INJECT_BEFORE_ACT] = "before-act",
    [INJECT_AFTER_ACT] = "after-act",
    [INJECT_BEFORE_UNDO] = "before-undo",
    [INJECT_AFTER_UNDO] = "after-undo",
};

static const char *const effect_names[] = {
    [INJECT_NOTHING] = "nothing",
    [INJECT_FAIL] = "fail",
    [INJECT_FAIL_TRANSIENT] = "fail-transient",
    [INJECT_REPEAT] = "repeat",
    [INJECT_KILL] = "kill",
};

void
inject_arm(const char *saga, const char *step, enum inject_point point, enum inject_effect effect,
           int nth)
{
    struct armed armed = { .point = point, .effect = effect, .left = nth };
    size_t at;

    snprintf(armed.saga, sizeof(armed.saga), "%s", saga);
    snprintf(armed.step, sizeof(armed.step), "%s", step != NULL ? step : "");
    pthread_mutex_lock(&mutex);
    at = atomic_load(&count);
    if (at < POINTS_MAX) {
        points[at] = armed;
        atomic_store(&count, at + 1);
    }
    pthread_mutex_unlock(&mutex);
}

void
inject_clear(void)
{
    pthread_mutex_lock(&mutex);
    atomic_store(&count, 0);
    pthread_mutex_unlock(&mutex);
}

static int
find_name(const char *const *names, size_t names_count, const char *name)
{
    for (size_t i = 0; i < names_count; i++) {
        if (str_equal(names[i], name))
            return (int)i;
    }
    return -1;
}

void
inject_from_environment(void)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *text = getenv("VIRGA_INJECT");
    int point, effect;
    size_t parts_count;
    int64_t nth;
    char **parts;

    if (str_empty(text))
        return;
    parts = str_split(a, text, '/', &parts_count);
    if (parts_count == 5) {
        point = find_name(point_names, ARRAY_SIZE(point_names), parts[2]);
        effect = find_name(effect_names, ARRAY_SIZE(effect_names), parts[3]);
        if (point >= 0 && effect >= 0 && str_to_int64(parts[4], 1, 1000000, &nth) == 0) {
            inject_arm(parts[0], parts[1], (enum inject_point)point, (enum inject_effect)effect,
                       (int)nth);
            log_warn("inject.armed %s", text);
            return;
        }
    }
    log_error("inject.malformed VIRGA_INJECT=\"%s\"", text);
}

enum inject_effect
inject_check(const char *saga, const char *step, enum inject_point point)
{
    enum inject_effect effect = INJECT_NOTHING;

    if (atomic_load_explicit(&count, memory_order_relaxed) == 0)
        return INJECT_NOTHING;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < atomic_load(&count); i++) {
        struct armed *at = &points[i];

        if (at->point != point || !str_equal(at->saga, saga) ||
            (at->step[0] != '\0' && !str_equal(at->step, step)))
            continue;
        if (at->left > 0 && --at->left == 0)
            effect = at->effect;
    }
    pthread_mutex_unlock(&mutex);
    if (effect == INJECT_KILL) {
        kill(getpid(), SIGKILL);
        pause(); /* It may take effect a moment later. */
    }
    return effect;
}
