/* One saga, from the step its row stands at to its end, to a retry, or to the loss of its session.
 *
 * The row says which step was begun. A step that is done is written together with the beginning of the next; the last one
 * together with the end. So after a crash at most one act or undo is run again. */
#include "../base/clock.h"
#include "../base/fault_json.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/str.h"
#include "inject.h"
#include "saga_state.h"

#define STEP_DEADLINE_MS 300000
#define RETRY_FIRST_MS 200
#define RETRY_LAST_MS 5000
#define UNDO_RETRY_LAST_MS 60000
#define ALL_UNDONE (-1)
#define FINAL_STEP "failed" /* What the 'failed' callback is called where steps have names. */

/* A saga in work. */
struct work {
    struct saga_thread *thread;
    const struct saga *saga;
    struct saga_row *row; /* As last written. */
    struct arena *arena;  /* Of the saga; steps have their own. */
    json_t *state;        /* What the steps change. */
    struct fault reason;  /* Of the undo. */
};

bool
saga_cancelled(struct saga_run *run)
{
    return run->cancel != NULL && atomic_load(run->cancel);
}

static bool
is_forward(const struct work *w)
{
    return str_equal(w->row->direction, "forward");
}

static const char *
step_name(const struct work *w, int64_t step)
{
    return step == ALL_UNDONE ? FINAL_STEP : w->saga->steps[step].name;
}

static int
injected(enum inject_effect effect, struct fault *f)
{
    if (effect == INJECT_FAIL)
        return fault_raise(f, FAULT_CONFLICT, "Injected failure.");
    if (effect == INJECT_FAIL_TRANSIENT)
        return fault_raise(f, FAULT_UNAVAILABLE, "Injected transient failure.");
    return 0;
}

/* An act or undo, with what a test wants to happen before and after it. */
static int
call(const struct work *w, saga_fn fn, struct saga_run *run, const char *step, bool forward,
     struct fault *f)
{
    enum inject_effect effect;
    int r;

    r = injected(inject_check(w->saga->name, step,
                              forward ? INJECT_BEFORE_ACT : INJECT_BEFORE_UNDO),
                 f);
    if (r < 0)
        return r;
    r = fn == NULL ? 0 : fn(run, f);
    if (r < 0)
        return r;
    effect = inject_check(w->saga->name, step, forward ? INJECT_AFTER_ACT : INJECT_AFTER_UNDO);
    if (effect == INJECT_REPEAT && fn != NULL)
        return fn(run, f);
    return injected(effect, f);
}

/* Runs the row's step once. A function that fails without a fault is a mistake of ours, and still ends. */
static int
run_step(struct work *w, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct saga_row *row = w->row;
    bool forward = is_forward(w);
    struct db db = { .connection = w->thread->db.connection,
                     .pool = w->thread->db.pool,
                     .arena = a };
    struct saga_run run = {
        .id = row->id,
        .object_id = row->object_id,
        .request_id = row->request_id,
        .project_id = row->project_id,
        .user_id = row->user_id,
        .params = row->params,
        .state = w->state,
        .db = &db,
        .arena = a,
        .reason = forward ? NULL : &w->reason,
        .service = w->thread->runner->service,
        .attempt = (int)row->attempt + 1,
        .cancel = &w->thread->cancel,
    };
    saga_fn fn = w->saga->failed;
    int r;

    if (row->step != ALL_UNDONE)
        fn = forward ? w->saga->steps[row->step].act : w->saga->steps[row->step].undo;
    r = call(w, fn, &run, step_name(w, row->step), forward, f);
    if (r < 0 && f->kind == FAULT_NONE)
        fault_raise_cause(f, "step %s failed without a fault", step_name(w, row->step));
    return r;
}

static enum saga_result
lost(const struct work *w, const struct fault *f)
{
    log_warn("saga.lost saga=%s name=%s step=%s cause=%s", w->row->id, w->saga->name,
             step_name(w, w->row->step),
             f->kind == FAULT_NONE ? "taken by another runner" : f->cause);
    return SAGA_LOST;
}

/* Writes the beginning of a step; false: the saga isn't ours any more. */
static bool
go_on(struct work *w, const char *direction, int64_t step)
{
    struct saga_row *row = w->row;
    struct saga_go_on_row answer;
    struct fault f = { 0 };
    const json_t *reason =
        w->reason.kind == FAULT_NONE ? NULL : fault_to_json(w->arena, &w->reason);

    if (saga_go_on(&w->thread->db, row->id, row->epoch, direction, step, step_name(w, step),
                   w->state, reason, &answer, &f) <= 0) {
        lost(w, &f);
        return false;
    }
    row->direction = direction;
    row->step = step;
    row->attempt = 0;
    row->spent_ms = 0;
    if (answer.cancel)
        atomic_store(&w->thread->cancel, true);
    return true;
}

static enum saga_result
end(struct work *w, bool done)
{
    struct saga_runner *r = w->thread->runner;
    struct fault f = { 0 };

    if (saga_end(&w->thread->db, w->row->id, w->row->epoch, done ? "done" : "failed", w->state,
                 &f) <= 0)
        return lost(w, &f);
    atomic_fetch_add(done ? &r->done : &r->failed, 1);
    log_info("saga.%s name=%s object=%s", done ? "done" : "failed", w->saga->name,
             w->row->object_id);
    return SAGA_ENDED;
}

/* 0.2 s, twice as long each time. */
static int64_t
retry_delay_ms(int64_t attempt, int64_t last_ms)
{
    return attempt > 20 ? last_ms : MIN((int64_t)RETRY_FIRST_MS << (attempt - 1), last_ms);
}

static enum saga_result
retry(struct work *w, const struct fault *why, int64_t delay_ms, int64_t took_ms)
{
    struct saga_runner *r = w->thread->runner;
    struct saga_row *row = w->row;
    struct fault f = { 0 };

    log_warn("saga.retry name=%s step=%s direction=%s attempt=%lld after_ms=%lld fault=%s "
             "message=\"%s\" cause=%s",
             w->saga->name, step_name(w, row->step), row->direction, (long long)row->attempt + 1,
             (long long)delay_ms, fault_kind_name(why->kind), why->message, why->cause);
    atomic_fetch_add(&r->retried, 1);
    if (saga_retry(&w->thread->db, row->id, row->epoch, w->state, row->attempt + 1,
                   row->spent_ms + took_ms + delay_ms, delay_ms, &f) <= 0)
        return lost(w, &f);
    return SAGA_LATER;
}

static void
set_cancelled(struct work *w)
{
    fault_raise(&w->reason, FAULT_CONFLICT, "The operation was cancelled.");
}

static bool
turn_back(struct work *w, int64_t step)
{
    log_warn("saga.undo name=%s object=%s step=%s fault=%s message=\"%s\" cause=%s", w->saga->name,
             w->row->object_id, step_name(w, step), fault_kind_name(w->reason.kind),
             w->reason.message, w->reason.cause);
    return go_on(w, "undo", step);
}

/* After an act. SAGA_LATER with 'ret_again': the next step may begin. */
static enum saga_result
after_act(struct work *w, int r, const struct fault *f, int64_t took_ms, bool *ret_again)
{
    struct saga_row *row = w->row;
    const struct saga_step *step = &w->saga->steps[row->step];
    int64_t deadline_ms = step->deadline_ms > 0 ? step->deadline_ms : STEP_DEADLINE_MS;
    int64_t delay_ms = retry_delay_ms(row->attempt + 1, RETRY_LAST_MS);

    if (r >= 0 && (size_t)row->step + 1 == w->saga->steps_count)
        return end(w, true); /* Also when cancelled: all is done, there is nothing to stop. */
    if (r >= 0) {
        *ret_again = go_on(w, "forward", row->step + 1);
        return *ret_again ? SAGA_LATER : SAGA_LOST;
    }
    if (atomic_load(&w->thread->cancel)) {
        set_cancelled(w);
    } else {
        if (fault_is_transient(f) && row->spent_ms + took_ms + delay_ms < deadline_ms)
            return retry(w, f, delay_ms, took_ms);
        w->reason = *f;
    }
    *ret_again = turn_back(w, row->step);
    return *ret_again ? SAGA_LATER : SAGA_LOST;
}

static enum saga_result
after_undo(struct work *w, int r, const struct fault *f, int64_t took_ms, bool *ret_again)
{
    struct saga_row *row = w->row;

    if (r < 0)
        return retry(w, f, retry_delay_ms(row->attempt + 1, UNDO_RETRY_LAST_MS), took_ms);
    if (row->step == ALL_UNDONE)
        return end(w, false);
    *ret_again = go_on(w, "undo", row->step - 1);
    return *ret_again ? SAGA_LATER : SAGA_LOST;
}

enum saga_result
saga_run_steps(struct saga_thread *t, const struct saga *saga, struct saga_row *row,
               struct arena *a)
{
    struct work w = { .thread = t, .saga = saga, .row = row, .arena = a, .state = row->state };
    enum saga_result result = SAGA_LATER;
    bool again = true;

    if (row->reason != NULL)
        fault_from_json(row->reason, &w.reason);
    if (row->epoch == 1)
        log_info("saga.begin name=%s object=%s", saga->name, row->object_id);
    while (again && !saga_runner_closing(t->runner)) {
        bool forward = is_forward(&w);
        struct fault f = { 0 };
        int64_t began_ms;
        int r;

        again = false;
        if (forward && atomic_load(&t->cancel)) {
            set_cancelled(&w);
            again = turn_back(&w, row->epoch == 1 && row->step == 0 ? ALL_UNDONE : row->step);
            if (!again)
                return SAGA_LOST;
            continue;
        }
        log_debug("saga.step name=%s step=%s direction=%s", saga->name, step_name(&w, row->step),
                  row->direction);
        began_ms = clock_mono_ms();
        r = run_step(&w, &f);
        result = forward ? after_act(&w, r, &f, clock_mono_ms() - began_ms, &again)
                         : after_undo(&w, r, &f, clock_mono_ms() - began_ms, &again);
    }
    return result;
}
