#include "reaper.h"

#include <pthread.h>

#include "base/log.h"
#include "base/memory.h"

struct reaper {
    struct image_service *service;
    pthread_t thread;
    pthread_mutex_t mutex; /* Guards 'stopping'. */
    pthread_cond_t wake;
    bool stopping;
};

/* Rows first: afterwards their files are nobody's. */
static int
reap_rows(struct image_service *service, struct db *db, struct fault *f)
{
    struct image_coming_row *rows;
    size_t count;

    if (image_coming(db, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int r;

        if (store_is_held(service->store, rows[i].data_id))
            continue;
        r = image_drop_data(db, rows[i].id, rows[i].data_id, f);
        if (r < 0)
            return r;
        if (r > 0)
            log_warn("image.reap image=%s data=%s: its upload broke off, it is queued again",
                     rows[i].id, rows[i].data_id);
    }
    return 0;
}

struct sweep {
    struct image_service *service;
    struct db *db;
    struct fault *f;
    int r;
};

static void
sweep_file(void *owner, const char *id, bool complete)
{
    struct sweep *s = owner;
    struct image_of_data_row row;
    int found;

    if (s->r < 0)
        return;
    found = complete ? image_of_data(s->db, id, &row, s->f) : 0;
    if (found < 0)
        s->r = found;
    if (found != 0)
        return;
    log_warn("image.reap data=%s: a file without an image is removed", id);
    store_remove(s->service->store, id);
}

int
reaper_run(struct image_service *service, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    struct sweep sweep = { .service = service, .db = &db, .f = f };

    if (db_pool_get(service->daemon->pool, a, &db, f) < 0 || reap_rows(service, &db, f) < 0 ||
        store_each(service->store, sweep_file, &sweep, f) < 0)
        return -1;
    return sweep.r;
}

static bool
wait_for_next(struct reaper *r)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += r->service->config->reap_interval_s;
    pthread_mutex_lock(&r->mutex);
    while (!r->stopping && pthread_cond_timedwait(&r->wake, &r->mutex, &until) == 0)
        continue;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->mutex);
    return !stopping;
}

static void *
loop(void *object)
{
    struct reaper *r = object;

    do {
        struct fault f = { 0 };

        if (reaper_run(r->service, &f) < 0)
            log_error("image.reap failed fault=\"%s\" cause=\"%s\"", f.message, f.cause);
    } while (wait_for_next(r));
    return NULL;
}

int
reaper_start(struct reaper **ret, struct image_service *service, struct fault *f)
{
    struct reaper *r = memory_calloc(1, sizeof(*r));
    pthread_condattr_t attributes;

    r->service = service;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&r->thread, NULL, loop, r) != 0) {
        free(r);
        return fault_raise_cause(f, "no thread for the reaper");
    }
    *ret = r;
    return 0;
}

void
reaper_stop(struct reaper *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}
