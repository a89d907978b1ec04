#include "io_resume.h"

#include "base/compiler.h"
#include "base/map.h"
#include "base/memory.h"

enum { FIRST_MS = 1000, LONGEST_MS = 30000, MEMORY_MS = 10000 };

struct turn {
    bool waiting;
    int64_t delay_ms; /* Before the next try. */
    int64_t at_ms;    /* While waiting: of the next try; else of the settlement. */
};

struct io_resume {
    struct map *turns;
};

struct io_resume *
io_resume_new(void)
{
    struct io_resume *r = memory_calloc(1, sizeof(*r));

    r->turns = map_new(free);
    return r;
}

void
io_resume_free(struct io_resume *r)
{
    if (r == NULL)
        return;
    map_free(r->turns);
    free(r);
}

void
io_resume_paused(struct io_resume *r, const char *guest_id, int64_t now_ms)
{
    struct turn *t = map_get(r->turns, guest_id);

    if (t != NULL && t->waiting)
        return;
    if (t == NULL || now_ms - t->at_ms > MEMORY_MS) {
        t = memory_calloc(1, sizeof(*t));
        t->delay_ms = FIRST_MS;
        map_set(r->turns, guest_id, t);
    }
    t->waiting = true;
    t->at_ms = now_ms + t->delay_ms;
}

void
io_resume_settled(struct io_resume *r, const char *guest_id, int64_t now_ms)
{
    struct turn *t = map_get(r->turns, guest_id);
    struct map_at at = { 0 };

    if (t != NULL && t->waiting) {
        t->waiting = false;
        t->at_ms = now_ms;
    }
    while (map_next(r->turns, &at)) {
        const struct turn *old = at.value;

        if (!old->waiting && now_ms - old->at_ms > MEMORY_MS)
            map_remove(r->turns, at.key);
    }
}

bool
io_resume_due(struct io_resume *r, int64_t now_ms, char ret_guest_id[UUID_TEXT])
{
    struct map_at at = { 0 };

    while (map_next(r->turns, &at)) {
        struct turn *t = at.value;

        if (!t->waiting || t->at_ms > now_ms)
            continue;
        t->delay_ms = MIN(t->delay_ms * 2, LONGEST_MS);
        t->at_ms = now_ms + t->delay_ms;
        snprintf(ret_guest_id, UUID_TEXT, "%s", at.key);
        return true;
    }
    return false;
}

int64_t
io_resume_wait_ms(const struct io_resume *r, int64_t now_ms)
{
    struct map_at at = { 0 };
    int64_t wait_ms = -1;

    while (map_next(r->turns, &at)) {
        const struct turn *t = at.value;
        int64_t left_ms = MAX(t->at_ms - now_ms, 0);

        if (t->waiting && (wait_ms < 0 || left_ms < wait_ms))
            wait_ms = left_ms;
    }
    return wait_ms;
}
