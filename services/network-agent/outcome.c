#include "outcome.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"

#define FIRST_DELAY_MS 1000
#define LONGEST_DELAY_MS 60000

struct retry {
    struct map *objects; /* "kind id" to struct memory */
    uint64_t round;
};

struct memory {
    int64_t due_ms;
    int64_t delay_ms;
    uint64_t round; /* The last one in which it was asked for. */
    char reason[512];
};

struct retry *
retry_new(void)
{
    struct retry *r = memory_calloc(1, sizeof(*r));

    r->objects = map_new(free);
    return r;
}

void
retry_free(struct retry *r)
{
    if (r == NULL)
        return;
    map_free(r->objects);
    free(r);
}

void
retry_release(struct retry *r)
{
    struct map_at at = { 0 };

    while (map_next(r->objects, &at))
        ((struct memory *)at.value)->due_ms = 0;
}

int64_t
retry_next_ms(const struct retry *r)
{
    struct map_at at = { 0 };
    int64_t next = -1;

    while (map_next(r->objects, &at)) {
        const struct memory *m = at.value;

        if (next < 0 || m->due_ms < next)
            next = m->due_ms;
    }
    return next;
}

size_t
retry_count(const struct retry *r)
{
    return map_count(r->objects);
}

void
outcome_init(struct outcome *o, struct arena *a, struct retry *retry, int64_t now_ms)
{
    *o = (struct outcome){ .arena = a, .retry = retry, .now_ms = now_ms };
    if (retry != NULL)
        retry->round++;
}

static char *
object_key(struct outcome *o, const char *kind, const char *id)
{
    return arena_printf(o->arena, "%s %s", kind, id);
}

static void
note(struct outcome *o, const char *kind, const char *id, const char *reason)
{
    *ARRAY_PUSH(o->arena, o->failures, o->failures_count, o->failures_capacity) =
        (struct wanted_failure){ arena_strdup(o->arena, kind), arena_strdup(o->arena, id),
                                 arena_strdup(o->arena, reason) };
}

bool
outcome_due(struct outcome *o, const char *kind, const char *id)
{
    struct memory *m =
        o->retry != NULL ? map_get(o->retry->objects, object_key(o, kind, id)) : NULL;

    if (m == NULL)
        return true;
    m->round = o->retry->round;
    if (m->due_ms <= o->now_ms)
        return true;
    note(o, kind, id, m->reason);
    return false;
}

void
outcome_fail(struct outcome *o, const char *kind, const char *id, const struct fault *f)
{
    const char *reason = f->cause[0] != '\0' ? f->cause : f->message;
    struct memory *m;

    note(o, kind, id, reason);
    if (o->retry == NULL)
        return;
    m = map_get(o->retry->objects, object_key(o, kind, id));
    if (m == NULL) {
        m = memory_calloc(1, sizeof(*m));
        map_set(o->retry->objects, object_key(o, kind, id), m);
    }
    m->delay_ms = m->delay_ms == 0 ? FIRST_DELAY_MS : MIN(m->delay_ms * 2, LONGEST_DELAY_MS);
    m->due_ms = o->now_ms + m->delay_ms;
    m->round = o->retry->round;
    snprintf(m->reason, sizeof(m->reason), "%.500s", reason);
}

void
outcome_done(struct outcome *o, const char *kind, const char *id)
{
    if (o->retry != NULL)
        map_remove(o->retry->objects, object_key(o, kind, id));
}

void
outcome_up(struct outcome *o, const char *port_id)
{
    *ARRAY_PUSH(o->arena, o->up, o->up_count, o->up_capacity) = arena_strdup(o->arena, port_id);
}

void
outcome_down(struct outcome *o, const char *port_id)
{
    *ARRAY_PUSH(o->arena, o->down, o->down_count, o->down_capacity) =
        arena_strdup(o->arena, port_id);
}

void
outcome_finish(struct outcome *o)
{
    struct map_at at = { 0 };

    while (o->retry != NULL && map_next(o->retry->objects, &at))
        if (((struct memory *)at.value)->round != o->retry->round)
            map_remove(o->retry->objects, at.key);
}

bool
outcome_failed(const struct outcome *o, const char *kind, const char *id)
{
    for (size_t i = 0; i < o->failures_count; i++)
        if (str_equal(o->failures[i].kind, kind) && str_equal(o->failures[i].id, id))
            return true;
    return false;
}
