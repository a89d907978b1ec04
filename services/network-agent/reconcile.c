#include "reconcile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "network_rpc.h"

#define TICK_MS 1000
#define FIRST_DELAY_MS 500
#define LONGEST_DELAY_MS 30000

/* Something to be done at a time, later and later as it fails. */
struct errand {
    int64_t due_ms;   /* -1: nothing to do */
    int64_t delay_ms; /* Of the next repetition. */
};

struct reconcile {
    struct reconcile_options options;
    struct retry *retry;
    struct arena *arena; /* Of 'wanted'; NULL: nothing is known. */
    struct wanted wanted;
    struct errand fetch, status, heartbeat;
    int64_t resync_ms;           /* When */
    struct arena *outcome_arena; /* Of 'outcome'; NULL: nothing was applied. */
    struct outcome outcome;      /* Of the last application. */
    char *reported;              /* What the service was told last. */
    atomic_bool rung;
    _Atomic int64_t generation, last_apply_us;
    _Atomic uint64_t applied, fetch_failures, failing, ports_up;
};

static void
errand_done(struct errand *e, int64_t next_ms)
{
    *e = (struct errand){ .due_ms = next_ms };
}

static void
errand_failed(struct errand *e, int64_t now_ms)
{
    e->delay_ms = e->delay_ms == 0 ? FIRST_DELAY_MS : MIN(e->delay_ms * 2, LONGEST_DELAY_MS);
    e->due_ms = now_ms + e->delay_ms;
}

static bool
is_due(int64_t due_ms, int64_t now_ms)
{
    return due_ms >= 0 && due_ms <= now_ms;
}

/* --- the file --------------------------------------------------------------------------------- */

static void
save(const struct reconcile *r, struct arena *a, const struct host_state_out *state)
{
    const char *path = r->options.state_file;
    json_t *json;
    char *next;

    if (path == NULL)
        return;
    json = schema_json(&host_state_out_schema, state, a);
    next = arena_printf(a, "%s.new", path);
    if (json_dump_file(json, next, JSON_COMPACT) < 0 || chmod(next, 0600) < 0 ||
        rename(next, path) < 0)
        log_warn("state.not_saved path=%s error=%s", path, strerror(errno));
}

static bool
load(const struct reconcile *r, struct arena *a, struct host_state_out *ret)
{
    struct fault f = { 0 };
    json_t *json;

    if (r->options.state_file == NULL || access(r->options.state_file, R_OK) < 0)
        return false;
    json = json_load_file(r->options.state_file, JSON_REJECT_DUPLICATES, NULL);
    if (json == NULL || schema_parse(&host_state_out_schema, json_own(a, json), SCHEMA_TRUSTED, 0,
                                     "state", a, ret, &f) < 0) {
        log_warn("state.not_readable path=%s error=%s", r->options.state_file, f.message);
        return false;
    }
    return true;
}

/* --- applying --------------------------------------------------------------------------------- */

/* What of an outcome the service wants to know, as text: to tell whether there is news. */
static char *
describe(const struct reconcile *r)
{
    struct str out = { 0 };
    const struct outcome *o = &r->outcome;

    str_addf(&out, "%lld", (long long)r->wanted.generation);
    for (size_t i = 0; i < o->up_count; i++)
        str_addf(&out, "\nup %s", o->up[i]);
    for (size_t i = 0; i < o->down_count; i++)
        str_addf(&out, "\ndown %s", o->down[i]);
    for (size_t i = 0; i < o->failures_count; i++)
        str_addf(&out, "\nfailed %s %s %s", o->failures[i].kind, o->failures[i].id,
                 o->failures[i].reason);
    return str_take(&out);
}

static void
apply(struct reconcile *r, int64_t now_ms)
{
    int64_t began_us = clock_mono_us();
    char *news;

    arena_free(r->outcome_arena);
    r->outcome_arena = arena_new();
    outcome_init(&r->outcome, r->outcome_arena, r->retry, now_ms);
    r->options.driver->apply(r->options.state, &r->wanted, &r->outcome);
    r->resync_ms = now_ms + r->options.resync_ms;
    r->applied++;
    r->failing = r->outcome.failures_count;
    r->ports_up = r->outcome.up_count;
    r->last_apply_us = clock_mono_us() - began_us;
    for (size_t i = 0; i < r->outcome.failures_count; i++)
        log_warn("object.failed kind=%s id=%s reason=%s", r->outcome.failures[i].kind,
                 r->outcome.failures[i].id, r->outcome.failures[i].reason);
    news = describe(r);
    if (r->reported == NULL || strcmp(news, r->reported) != 0)
        r->status.due_ms = now_ms;
    free(news);
}

static void
take(struct reconcile *r, struct arena *a, const struct host_state_out *state, int64_t now_ms)
{
    arena_free(r->arena);
    r->arena = a;
    wanted_read(a, state, r->options.mappings, r->options.mappings_count, &r->wanted);
    r->generation = state->generation;
    retry_release(r->retry);
    apply(r, now_ms);
}

/* --- errands ---------------------------------------------------------------------------------- */

static void
fetch(struct reconcile *r, int64_t now_ms)
{
    struct arena *a = arena_new();
    struct host_state_out state = { 0 };
    struct fault f = { 0 };

    if (r->options.link.fetch(r->options.link.owner, r->generation, a, &state, &f) < 0) {
        /* Once is news; that it goes on is told by the metrics. */
        if (r->fetch.delay_ms == 0)
            log_warn("state.not_fetched kind=%s error=%s cause=%s", fault_kind_name(f.kind),
                     f.message, f.cause);
        r->fetch_failures++;
        errand_failed(&r->fetch, now_ms);
        arena_free(a);
        return;
    }
    errand_done(&r->fetch, now_ms + r->options.poll_ms);
    if (state.unchanged) {
        arena_free(a);
        return;
    }
    log_info("state.fetched generation=%lld networks=%zu ports=%zu routers=%zu",
             (long long)state.generation, state.networks_count, state.ports_count,
             state.routers_count);
    save(r, a, &state);
    take(r, a, &state, now_ms);
}

static void
report(struct reconcile *r, int64_t now_ms)
{
    struct fault f = { 0 };

    if (r->options.link.status(r->options.link.owner, r->wanted.generation, &r->outcome, &f) < 0) {
        log_warn("status.not_reported kind=%s error=%s", fault_kind_name(f.kind), f.message);
        errand_failed(&r->status, now_ms);
        return;
    }
    free(r->reported);
    r->reported = describe(r);
    errand_done(&r->status, -1);
}

static void
beat(struct reconcile *r, int64_t now_ms)
{
    struct fault f = { 0 };

    if (r->options.link.heartbeat(r->options.link.owner, r->generation, &f) < 0)
        errand_failed(&r->heartbeat, now_ms);
    else
        errand_done(&r->heartbeat, now_ms + r->options.heartbeat_ms);
}

int64_t
reconcile_step(struct reconcile *r, int64_t now_ms)
{
    if (atomic_exchange(&r->rung, false))
        errand_done(&r->fetch, now_ms);
    if (is_due(r->heartbeat.due_ms, now_ms))
        beat(r, now_ms);
    if (is_due(r->fetch.due_ms, now_ms))
        fetch(r, now_ms);
    if (r->arena != NULL &&
        (is_due(r->resync_ms, now_ms) || is_due(retry_next_ms(r->retry), now_ms) ||
         r->options.driver->check(r->options.state)))
        apply(r, now_ms);
    if (r->outcome_arena != NULL && is_due(r->status.due_ms, now_ms))
        report(r, now_ms);
    return TICK_MS;
}

void
reconcile_ring(struct reconcile *r)
{
    r->rung = true;
}

void
reconcile_stats(const struct reconcile *r, struct reconcile_stats *ret)
{
    *ret = (struct reconcile_stats){ .generation = r->generation,
                                     .applied = r->applied,
                                     .fetch_failures = r->fetch_failures,
                                     .failing = r->failing,
                                     .ports_up = r->ports_up,
                                     .last_apply_us = r->last_apply_us };
}

struct reconcile *
reconcile_new(const struct reconcile_options *options, int64_t now_ms)
{
    struct reconcile *r = memory_calloc(1, sizeof(*r));
    struct arena *a = arena_new();
    struct host_state_out state = { 0 };

    r->options = *options;
    r->retry = retry_new();
    r->status.due_ms = -1;
    r->fetch.due_ms = r->heartbeat.due_ms = now_ms;
    if (load(r, a, &state)) {
        take(r, a, &state, now_ms);
        r->generation = 0; /* An old truth: the service is asked for all of it. */
        errand_done(&r->status, -1);
    } else {
        arena_free(a);
    }
    return r;
}

void
reconcile_free(struct reconcile *r)
{
    if (r == NULL)
        return;
    retry_free(r->retry);
    arena_free(r->arena);
    arena_free(r->outcome_arena);
    free(r->reported);
    free(r);
}
