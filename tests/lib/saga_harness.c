#include "saga_harness.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/saga/inject.h"
#include "tests/unit/asserts.h"

#define WAIT_MS 20000
#define TABLE_MAX 16
#define NOT_KILLED 3

struct injection {
    const char *step;
    enum inject_point point;
    enum inject_effect effect;
};

struct scenario {
    const char *name;
    struct injection first, second; /* Effect INJECT_NOTHING: none. */
    bool fails;
};

struct check {
    const struct saga_harness *h;
    struct pg *pg;
    struct str *report;
    size_t wrong;
    bool
        killing; /* The pass over what kills; the other pass comes before it, and needs one runner only. */
    struct db_pool *pool; /* Of that runner; NULL: closed. */
    struct saga_runner *runner;
    char *before, *plain, *failed; /* Worlds. */
};

void *
saga_harness_shared(size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (data == MAP_FAILED)
        memory_exhausted(size);
    return data;
}

static void
complain(struct check *c, const struct scenario *s, const char *what, const char *expected,
         const char *found)
{
    c->wrong++;
    str_addf(c->report, "%s, step %s: %s\n", s->name,
             s->second.effect != INJECT_NOTHING ? s->second.step : s->first.step, what);
    if (expected != NULL)
        str_addf(c->report, "--- expected\n%s\n--- found\n%s\n", expected, found);
}

static char *
take_snapshot(struct check *c)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();

    return memory_strdup(c->h->snapshot(a, c->pg, c->h->service));
}

static int
open_runner(const struct saga_harness *h, struct db_pool *pool, struct saga_runner **ret,
            struct fault *f)
{
    static const struct saga *table[TABLE_MAX];

    table[0] = h->saga;
    for (size_t i = 0; i < h->others_count && i + 1 < TABLE_MAX; i++)
        table[i + 1] = h->others[i];
    return saga_runner_open(ret, pool, table, h->others_count + 1, 2, h->service, f);
}

static int
start(const struct saga_harness *h, struct db_pool *pool, struct saga_runner *r, struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int status;

    status = db_pool_get(pool, a, &db, f);
    if (status >= 0)
        status = db_tx_begin(&tx, &db, f);
    if (status >= 0)
        status = h->start(r, &tx, h->service, f);
    if (status >= 0)
        status = db_tx_commit(&tx, f);
    return status;
}

static int
open_all(struct check *c, struct fault *f)
{
    int status = 0;

    if (c->runner != NULL)
        return 0;
    if (c->pool == NULL)
        status = db_pool_open(&c->pool, pg_url(c->pg), 4, f);
    return status < 0 ? status : open_runner(c->h, c->pool, &c->runner, f);
}

static void
close_all(struct check *c)
{
    saga_runner_close(c->runner);
    db_pool_close(c->pool);
    c->runner = NULL;
    c->pool = NULL;
}

/* Starts the saga if 'wish', and waits for its end. Negative: no end. */
static int
run_once(struct check *c, bool wish, struct fault *f)
{
    const struct saga_harness *h = c->h;
    int status;

    status = open_all(c, f);
    if (status >= 0 && wish)
        status = start(h, c->pool, c->runner, f);
    if (status >= 0 && !saga_wait(c->runner, h->object_id, h->wait_ms > 0 ? h->wait_ms : WAIT_MS))
        status = fault_raise(f, FAULT_TIMEOUT, "the saga did not end");
    return status;
}

static void
arm(const struct saga_harness *h, const struct scenario *s)
{
    inject_clear();
    if (s->first.effect != INJECT_NOTHING)
        inject_arm(h->saga->name, s->first.step, s->first.point, s->first.effect, 1);
    if (s->second.effect != INJECT_NOTHING)
        inject_arm(h->saga->name, s->second.step, s->second.point, s->second.effect, 1);
}

static bool
kills(const struct scenario *s)
{
    return s->first.effect == INJECT_KILL || s->second.effect == INJECT_KILL;
}

/* The server notices a moment later that a client is dead; a runner that looked before that would look again only after a
 * second. */
static void
wait_for_locks(struct pg *pg)
{
    bool held = true;

    while (held) {
        char *count =
            pg_ask(pg,
                   "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
                   " WHERE l.locktype = 'advisory' AND d.datname = current_database()");

        held = !str_equal(count, "0");
        free(count);
    }
}

/* In a child that dies at the point. False: it did not. */
static bool
run_and_die(struct check *c, const struct scenario *s)
{
    int status = 0;
    pid_t child;

    close_all(c); /* No threads, no sockets that two would use. */
    child = fork();
    if (child == 0) {
        struct fault f = { 0 };

        arm(c->h, s);
        run_once(c, true, &f);
        fprintf(stderr, "saga_harness: not killed: %s %s\n", f.message, f.cause);
        _exit(NOT_KILLED);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGKILL)
        return false;
    wait_for_locks(c->pg);
    return true;
}

static void
check_end(struct check *c, const struct scenario *s)
{
    char *status = pg_ask(c->pg, "SELECT status FROM saga ORDER BY seq LIMIT 1");
    char *world = take_snapshot(c);
    const char *expected = s->fails ? c->failed : c->plain;

    if (!str_equal(status, s->fails ? "failed" : "done"))
        complain(c, s, "ended otherwise", s->fails ? "failed" : "done", status);
    else if (expected != NULL && !str_equal(world, expected))
        complain(c, s, "left another world", expected, world);
    free(status);
    free(world);
}

static void
run_scenario(struct check *c, const struct scenario *s)
{
    const struct saga_harness *h = c->h;
    bool killed = kills(s);
    struct fault f = { 0 };
    int r;

    if (killed != c->killing)
        return;
    inject_clear();
    pg_exec(c->pg, "DELETE FROM saga");
    h->reset(c->pg, h->service);
    if (killed && !run_and_die(c, s)) {
        complain(c, s, "was not killed: the point was not reached", NULL, NULL);
        return;
    }
    if (!killed)
        arm(h, s);
    r = run_once(c, !killed, &f);
    inject_clear();
    if (r < 0) {
        complain(c, s, f.message, "an end", f.cause);
        return;
    }
    check_end(c, s);
}

/* The worlds that all others are compared with. */
static void
run_references(struct check *c)
{
    const struct saga_harness *h = c->h;
    const struct scenario plain = { .name = "plain", .first = { .step = "" } };
    const struct scenario failed = {
        .name = "fails at once",
        .first = { h->saga->steps[0].name, INJECT_BEFORE_ACT, INJECT_FAIL },
        .fails = true,
    };

    h->reset(c->pg, h->service);
    c->before = take_snapshot(c);
    run_scenario(c, &plain);
    c->plain = take_snapshot(c);
    if (!h->failure_shows)
        c->failed = memory_strdup(c->before);
    run_scenario(c, &failed);
    if (c->failed == NULL)
        c->failed = take_snapshot(c);
    if (str_equal(c->plain, c->failed))
        complain(c, &plain, "success and failure look the same: the snapshot shows too little",
                 NULL, NULL);
}

static void
run_acts(struct check *c, const struct saga_step *step)
{
    const struct scenario scenarios[] = {
        { "fails before the act", { step->name, INJECT_BEFORE_ACT, INJECT_FAIL }, { 0 }, true },
        { "fails after the act", { step->name, INJECT_AFTER_ACT, INJECT_FAIL }, { 0 }, true },
        { "fails for a moment before the act",
          { step->name, INJECT_BEFORE_ACT, INJECT_FAIL_TRANSIENT },
          { 0 },
          false },
        { "fails for a moment after the act",
          { step->name, INJECT_AFTER_ACT, INJECT_FAIL_TRANSIENT },
          { 0 },
          false },
        { "acts twice", { step->name, INJECT_AFTER_ACT, INJECT_REPEAT }, { 0 }, false },
        { "killed before the act", { step->name, INJECT_BEFORE_ACT, INJECT_KILL }, { 0 }, false },
        { "killed after the act", { step->name, INJECT_AFTER_ACT, INJECT_KILL }, { 0 }, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        /* A step without undo is one that nothing can fail after. */
        if (step->undo == NULL && scenarios[i].first.point == INJECT_AFTER_ACT &&
            scenarios[i].first.effect == INJECT_FAIL)
            continue;
        if (c->h->forward_only && step != &c->h->saga->steps[0] && scenarios[i].fails)
            continue;
        run_scenario(c, &scenarios[i]);
    }
}

/* The undo of 'step' while the saga goes back from its last one. */
static void
run_undos(struct check *c, const char *step)
{
    const struct saga *saga = c->h->saga;
    const struct injection last = { saga->steps[saga->steps_count - 1].name, INJECT_BEFORE_ACT,
                                    INJECT_FAIL };
    const struct scenario scenarios[] = {
        { "undoes twice", last, { step, INJECT_AFTER_UNDO, INJECT_REPEAT }, true },
        { "undo fails once before", last, { step, INJECT_BEFORE_UNDO, INJECT_FAIL }, true },
        { "undo fails once after", last, { step, INJECT_AFTER_UNDO, INJECT_FAIL }, true },
        { "killed before the undo", last, { step, INJECT_BEFORE_UNDO, INJECT_KILL }, true },
        { "killed after the undo", last, { step, INJECT_AFTER_UNDO, INJECT_KILL }, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
        run_scenario(c, &scenarios[i]);
}

size_t
saga_harness_check(const struct saga_harness *h, struct pg *pg, struct str *report)
{
    struct check c = { .h = h, .pg = pg, .report = report };

    run_references(&c);
    for (int pass = 0; pass < 2; pass++) {
        c.killing = pass == 1;
        for (size_t i = 0; i < h->saga->steps_count; i++)
            run_acts(&c, &h->saga->steps[i]);
        for (size_t i = 0; i < h->saga->steps_count && !h->forward_only; i++)
            run_undos(&c, h->saga->steps[i].name);
        if (h->saga->failed != NULL && !h->forward_only)
            run_undos(&c, "failed");
    }
    close_all(&c);
    free(c.before);
    free(c.plain);
    free(c.failed);
    return c.wrong;
}

void
saga_harness_run(const struct saga_harness *h, struct pg *pg)
{
    struct str report = { 0 };
    size_t wrong = saga_harness_check(h, pg, &report);

    if (wrong > 0) {
        print_error("%s", str_text(&report));
        str_done(&report);
        fail_msg("%s: %zu runs went wrong", h->saga->name, wrong);
    }
    str_done(&report);
}
