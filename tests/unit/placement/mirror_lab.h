/* A mirror of a database that a test has filled, and plans of queries to it. */
#pragma once

#include "http/url.h"
#include "services/placement/candidates_plan.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration placement_migrations[];
extern const size_t placement_migrations_count;

static struct pg *pg;
static struct mirror *mirror; /* Nothing is read into it yet. */
static struct db db;
static struct arena *db_arena;

static void
lab_open(const char *sql)
{
    struct fault f = { 0 };

    pg = pg_open_migrated(placement_migrations, placement_migrations_count);
    pg_exec(pg, sql);
    mirror = mirror_new();
    db_arena = arena_new();
    assert_ok(db_pool_get(pg_pool(pg), db_arena, &db, &f));
}

static void
lab_close(void)
{
    db_release(&db);
    arena_free(db_arena);
    mirror_free(mirror);
    pg_close(pg);
}

static struct candidates_plan *
plan_of(struct arena *a, const char *query)
{
    struct http_request *http = ARENA_NEW(a, struct http_request);
    struct request *request = ARENA_NEW(a, struct request);
    struct call call = { .arena = a, .request = http, .version = 1039 };
    struct candidates_plan *plan = NULL;
    struct fault f = { 0 };

    *http = (struct http_request){ .arena = a, .query_text = query };
    if (url_parse_query(a, query, &http->query, &http->query_count, &f) < 0 ||
        request_parse(&call, request, &f) < 0 || candidates_plan(mirror, request, a, &plan, &f) < 0)
        fail_msg("%s: %s", query, f.message);
    return plan;
}
