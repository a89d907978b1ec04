#include "saga_toy.h"

#include <unistd.h>

#include "common/base/json.h"
#include "common/base/str.h"

static int
run_sql(struct saga_run *run, const char *sql, struct fault *f)
{
    const struct db_param params[] = { db_text(run->id), db_text(run->object_id) };
    struct db_result result;

    return db_run(run->db, NULL, sql, params, ARRAY_SIZE(params), &result, f);
}

static struct toy *
toy_of(struct saga_run *run)
{
    struct toy *toy = run->service;

    if (run->reason != NULL)
        atomic_fetch_add(&toy->undos, 1);
    else
        atomic_fetch_add(&toy->acts, 1);
    return toy;
}

static int
reserve(struct saga_run *run, struct fault *f)
{
    toy_of(run);
    json_object_set_new(run->state, "reserved", json_true());
    return run_sql(run,
                   "INSERT INTO thing (id, object_id, what) VALUES ($1, $2, 'reservation') ON "
                   "CONFLICT DO NOTHING",
                   f);
}

static int
reserve_undo(struct saga_run *run, struct fault *f)
{
    toy_of(run);
    return run_sql(run, "DELETE FROM thing WHERE id = $1 AND object_id = $2", f);
}

static int
light(struct saga_run *run, struct fault *f)
{
    struct toy *toy = toy_of(run);

    if (!json_get_bool(run->state, "reserved"))
        return fault_raise_cause(f, "the state of the first step was lost");
    if (atomic_load(&toy->transient) > 0) {
        atomic_fetch_sub(&toy->transient, 1);
        return fault_raise(f, FAULT_UNAVAILABLE, "no current");
    }
    atomic_store(&toy->lights, 1);
    return 0;
}

static int
light_undo(struct saga_run *run, _unused_ struct fault *f)
{
    atomic_store(&toy_of(run)->lights, 0);
    return 0;
}

static int
publish(struct saga_run *run, struct fault *f)
{
    toy_of(run);
    return run_sql(run,
                   "UPDATE object SET status = 'active' WHERE id = $2 AND $1::text IS NOT NULL", f);
}

static int
mark_failed(struct saga_run *run, struct fault *f)
{
    atomic_fetch_add(&toy_of(run)->failures, 1);
    return run_sql(run, "UPDATE object SET status = 'error' WHERE id = $2 AND $1::text IS NOT NULL",
                   f);
}

static const struct saga_step steps[] = {
    { .name = "reserve", .act = reserve, .undo = reserve_undo },
    { .name = "light", .act = light, .undo = light_undo, .deadline_ms = 1500 },
    { .name = "publish", .act = publish },
};
const struct saga toy_saga = { .name = "toy.create",
                               .version = 1,
                               .steps = steps,
                               .steps_count = ARRAY_SIZE(steps),
                               .failed = mark_failed };

static int
hold(struct saga_run *run, struct fault *f)
{
    struct toy *toy = toy_of(run);
    int r = 0;

    atomic_store(&toy->holding, 1);
    while (atomic_load(&toy->blocked) != 0 && r == 0) {
        usleep(1000);
        if (saga_cancelled(run)) {
            atomic_store(&toy->seen_cancel, 1);
            r = fault_raise(f, FAULT_CONFLICT, "stopped");
        }
    }
    atomic_store(&toy->holding, 0);
    return r;
}

static const struct saga_step hold_steps[] = {
    { .name = "hold", .act = hold, .undo = light_undo }
};
const struct saga toy_hold_saga = SAGA("toy.hold", 2, hold_steps);

static int
reserve_anew(struct saga_run *run, struct fault *f)
{
    return run_sql(
        run,
        "INSERT INTO thing (id, object_id, what) VALUES ($1 || clock_timestamp(), $2, 'another')",
        f);
}

static int
reserve_forget(_unused_ struct saga_run *run, _unused_ struct fault *f)
{
    return 0;
}

static const struct saga_step broken_steps[] = {
    { .name = "reserve", .act = reserve_anew, .undo = reserve_forget },
    { .name = "publish", .act = publish },
};
const struct saga toy_broken_saga = SAGA("toy.broken", 1, broken_steps);

const struct saga *const toy_table[3] = { &toy_saga, &toy_hold_saga, &toy_broken_saga };

void
toy_create_tables(struct pg *pg)
{
    pg_exec(
        pg,
        "CREATE TABLE object (id text PRIMARY KEY, status text NOT NULL);"
        "CREATE TABLE thing (id text PRIMARY KEY, object_id text NOT NULL, what text NOT NULL)");
}

void
toy_reset(struct pg *pg, void *service)
{
    struct toy *toy = service;

    *toy = (struct toy){ 0 };
    pg_exec(pg, "DELETE FROM thing; DELETE FROM object; DELETE FROM saga");
}

char *
toy_snapshot(struct arena *a, struct pg *pg, void *service)
{
    struct toy *toy = service;
    char *things = pg_ask(
        pg,
        "SELECT string_agg(object_id || ' ' || what, E'\\n' ORDER BY object_id, what) FROM thing");
    char *objects =
        pg_ask(pg, "SELECT string_agg(id || ' ' || status, E'\\n' ORDER BY id) FROM object");
    char *text = arena_printf(a, "lights %d\nthings %s\nobjects %s", atomic_load(&toy->lights),
                              things != NULL ? things : "-", objects != NULL ? objects : "-");

    free(things);
    free(objects);
    return text;
}
