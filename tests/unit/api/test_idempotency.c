/* Idempotency-Key over a real database: what a repeat gets, and when there is nothing to repeat. */
#include "api/idempotency.h"

#include "api/idempotency_answer.h"
#include "base/str.h"
#include "db/tx.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

static const struct migration none[1];
static const struct api api = { .service = "toy" };
static const struct operation make_thing = {
    .method = HTTP_POST, .path = "/things", .id = "create_thing", .success = 202
};
static const struct operation make_other = {
    .method = HTTP_POST, .path = "/others", .id = "create_other", .success = 202
};
static const struct operation make_public = {
    .method = HTTP_POST, .path = "/tokens", .id = "create_token", .flags = OP_PUBLIC
};

/* A request on its way, as the dispatcher would have it before the handler. */
struct request {
    struct http_pair headers[1];
    struct http_request http;
    struct http_response response;
    struct db db;
    struct call call;
};

static int
setup(void **state)
{
    *state = pg_open_migrated(none, 0);
    pg_exec(*state, "CREATE TABLE thing (id text)");
    return 0;
}

static int
teardown(void **state)
{
    pg_close(*state);
    return 0;
}

static int
empty(void **state)
{
    pg_exec(*state, "TRUNCATE thing, idempotency");
    return 0;
}

static void
request_begin(struct pg *pg, struct request *r, const struct operation *o, const char *user,
              const char *key, const char *body)
{
    struct fault f = { 0 };

    *r = (struct request){ .headers = { { "Idempotency-Key", key } } };
    r->http = (struct http_request){ .arena = arena_new(),
                                     .method = HTTP_POST,
                                     .path = o->path,
                                     .query_text = "",
                                     .headers = r->headers,
                                     .headers_count = key != NULL,
                                     .body = body,
                                     .body_size = strlen(body) };
    r->response =
        (struct http_response){ .arena = r->http.arena, .status = o->success, .file = -1 };
    assert_ok(db_pool_get(pg_pool(pg), r->http.arena, &r->db, &f));
    r->call = (struct call){ .arena = r->http.arena,
                             .request = &r->http,
                             .response = &r->response,
                             .operation = o,
                             .api = &api,
                             .db = &r->db,
                             .dialect = dialect_get(DIALECT_NOVA),
                             .auth = { .user_id = user, .project_id = "p1" } };
    http_response_header(&r->response, "x-openstack-request-id", "req-1");
}

static void
request_end(struct request *r)
{
    idempotency_end(&r->call);
    db_release(&r->db);
    str_done(&r->response.body);
    arena_free(r->http.arena);
}

static void
make(struct request *r, const char *id, bool commit)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const struct db_param params[] = { db_text(id) };
    struct db_result ignored;
    struct fault f = { 0 };

    assert_ok(db_tx_begin(&tx, &r->db, &f));
    assert_ok(db_run(&r->db, NULL, "INSERT INTO thing VALUES ($1)", params, 1, &ignored, &f));
    r->call.object_id = id;
    if (!commit)
        return;
    assert_ok(db_tx_commit(&tx, &f));
}

static void
answer(struct request *r, const char *body)
{
    call_header(&r->call, "Location", "/things/1");
    call_header(&r->call, "X-Subject-Token", "secret");
    str_add(&r->response.body, body);
}

/* The whole of a first request. */
static void
run_once(struct pg *pg, const char *user, const char *key, const char *body)
{
    struct fault f = { 0 };
    struct request r;

    request_begin(pg, &r, &make_thing, user, key, body);
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    make(&r, "1", true);
    answer(&r, "{\"id\": \"1\"}");
    request_end(&r);
}

static void
assert_count(struct pg *pg, const char *sql, const char *want)
{
    char *got = pg_ask(pg, sql);

    assert_string_equal(got, want);
    free(got);
}

static const char *
header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->response.headers_count; i++) {
        if (str_equal_nocase(r->response.headers[i].name, name))
            return r->response.headers[i].value;
    }
    return NULL;
}

static void
test_repeat_gets_same_answer(void **state)
{
    struct fault f = { 0 };
    struct request r;

    run_once(*state, "u1", "k1", "{\"a\": 1}");
    request_begin(*state, &r, &make_thing, "u1", "k1", "{\"a\": 1}");
    r.response.status = 200;
    assert_int_equal(idempotency_begin(&r.call, &f), 1);
    assert_int_equal(r.response.status, 202);
    assert_string_equal(str_text(&r.response.body), "{\"id\": \"1\"}");
    assert_string_equal(header(&r, "Location"), "/things/1");
    assert_string_equal(header(&r, "Idempotency-Replayed"), "true");
    assert_string_equal(header(&r, "x-openstack-request-id"), "req-1");
    assert_null(header(&r, "X-Subject-Token"));
    request_end(&r);
    assert_count(*state, "SELECT count(*) FROM idempotency", "1");
}

/* Neither the key nor the answer can be read in the table. */
static void
test_table_tells_nothing(void **state)
{
    run_once(*state, "u1", "key-to-guess", "{\"adminPass\": \"open sesame\"}");
    assert_count(*state,
                 "SELECT count(*) FROM idempotency WHERE idempotency::text ~ "
                 "'key-to-guess|sesame|Location|things'",
                 "0");
    assert_count(*state,
                 "SELECT count(*) FROM idempotency WHERE answer IS NOT NULL AND status = 202", "1");
}

static void
test_another_body(void **state)
{
    struct fault f = { 0 };
    struct request r;

    run_once(*state, "u1", "k1", "{\"a\": 1}");
    request_begin(*state, &r, &make_thing, "u1", "k1", "{\"a\": 2}");
    assert_fault(idempotency_begin(&r.call, &f), f, FAULT_UNPROCESSABLE, "another request");
    request_end(&r);
}

static void
test_key_belongs_to_caller_and_operation(void **state)
{
    static const struct {
        const struct operation *operation;
        const char *user, *key;
    } cases[] = { { &make_thing, "u2", "k1" },
                  { &make_other, "u1", "k1" },
                  { &make_thing, "u1", "k2" },
                  { &make_thing, "u1k", "1" } };

    run_once(*state, "u1", "k1", "{}");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault f = { 0 };
        struct request r;

        request_begin(*state, &r, cases[i].operation, cases[i].user, cases[i].key, "{}");
        assert_int_equal(idempotency_begin(&r.call, &f), 0);
        assert_non_null(r.call.idempotency);
        request_end(&r);
    }
}

/* What was rolled back, or failed before it began, is tried anew. */
static void
test_failure_leaves_nothing(void **state)
{
    for (int pass = 0; pass < 2; pass++) {
        struct fault f = { 0 };
        struct request r;

        request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
        assert_int_equal(idempotency_begin(&r.call, &f), 0);
        make(&r, "1", false);
        r.response.status = 409;
        request_end(&r);
        assert_count(*state, "SELECT count(*) FROM idempotency", "0");
    }
    run_once(*state, "u1", "k1", "{}");
    assert_count(*state, "SELECT count(*) FROM thing", "1");
}

/* The process died between commit and answer: nothing is done twice, and the repeat says what was made. */
static void
test_answer_lost(void **state)
{
    struct fault f = { 0 };
    struct request r;

    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    make(&r, "thing-7", true);
    r.call.idempotency = NULL; /* Its end never comes ... */
    request_end(&r);
    assert_count(*state,
                 "SELECT count(*) FROM idempotency WHERE status IS NULL AND object_id = 'thing-7'",
                 "1");
    pg_exec(*state, "SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l WHERE locktype = "
                    "'advisory' AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM "
                    "pg_database WHERE datname = current_database())");

    for (int pass = 0; pass < 2; pass++) { /* ... and its session is gone. */
        fault_clear(&f);
        request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
        assert_fault(idempotency_begin(&r.call, &f), f, FAULT_CONFLICT, "It made thing-7");
        request_end(&r);
    }
}

static void
test_in_work(void **state)
{
    struct request first, second;
    struct fault f = { 0 };

    request_begin(*state, &first, &make_thing, "u1", "k1", "{}");
    request_begin(*state, &second, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&first.call, &f), 0);
    assert_fault(idempotency_begin(&second.call, &f), f, FAULT_CONFLICT, "being worked on");
    assert_string_equal(header(&second, "Retry-After"), "1");
    request_end(&second);
    first.response.status = 400;
    request_end(&first);
    run_once(*state, "u1", "k1", "{}"); /* The lock is free again. */
}

/* The lock went with a session that broke, and somebody else was through: the row decides. */
static void
test_overtaken(void **state)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct fault f = { 0 };
    struct request r;

    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    pg_exec(*state, "SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l WHERE locktype = "
                    "'advisory' AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM "
                    "pg_database WHERE datname = current_database())");
    run_once(*state, "u1", "k1", "{}");
    assert_ok(db_tx_begin(&tx, &r.db, &f));
    assert_fault(db_tx_commit(&tx, &f), f, FAULT_CONFLICT, NULL);
    assert_int_equal(idempotency_retry(&r.call, &f), 1);
    assert_string_equal(str_text(&r.response.body), "{\"id\": \"1\"}");
    request_end(&r);
    assert_count(*state, "SELECT count(*) FROM thing", "1");
}

static void
test_expires(void **state)
{
    struct fault f = { 0 };
    struct request r;

    run_once(*state, "u1", "k1", "{\"a\": 1}");
    pg_exec(*state, "UPDATE idempotency SET created_at = created_at - interval '25 hours'");
    run_once(*state, "u1", "k1", "{\"a\": 2}"); /* As if it had never been used. */
    assert_count(*state, "SELECT count(*) FROM thing", "2");
    request_begin(*state, &r, &make_thing, "u1", "k1", "{\"a\": 2}");
    assert_int_equal(idempotency_begin(&r.call, &f), 1);
    request_end(&r);
}

static void
test_old_rows_go(void **state)
{
    run_once(*state, "u1", "old", "{}");
    pg_exec(*state, "UPDATE idempotency SET created_at = created_at - interval '25 hours'");
    for (int i = 0; i < 64; i++) {
        char key[16];

        snprintf(key, sizeof(key), "new-%d", i);
        run_once(*state, "u1", key, "{}");
    }
    assert_count(*state,
                 "SELECT count(*) FROM idempotency WHERE created_at < now() - interval '24 hours'",
                 "0");
    assert_count(*state, "SELECT count(*) FROM idempotency", "64");
}

static int64_t
run(struct request *r, const char *sql)
{
    struct db_result result;
    struct fault f = { 0 };

    assert_ok(db_run(&r->db, NULL, sql, NULL, 0, &result, &f));
    return result.touched;
}

/* A single statement is recorded with what it changes, even when nothing comes after it. */
static void
test_without_transaction(void **state)
{
    struct fault f = { 0 };
    struct request r;

    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    assert_int_equal(run(&r, "UPDATE thing SET id = 'x' WHERE id = 'nobody'"), 0);
    run(&r, "SELECT 1");
    assert_count(*state, "SELECT count(*) FROM idempotency", "0");
    assert_int_equal(run(&r, "INSERT INTO thing VALUES ('1')"), 1);
    assert_count(*state, "SELECT count(*) FROM thing", "1");
    assert_count(*state, "SELECT count(*) FROM idempotency WHERE status IS NULL", "1");
    assert_int_equal(run(&r, "INSERT INTO thing VALUES ('2')"), 1); /* Once is enough. */
    answer(&r, "done");
    request_end(&r);
    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 1);
    assert_string_equal(str_text(&r.response.body), "done");
    request_end(&r);
    assert_count(*state, "SELECT count(*) FROM thing", "2");
}

/* What has its effect elsewhere. */
static void
test_without_database(void **state)
{
    struct fault f = { 0 };
    struct request r;

    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    answer(&r, "done");
    request_end(&r);
    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 1);
    assert_string_equal(str_text(&r.response.body), "done");
    request_end(&r);
}

static void
test_ignored(void **state)
{
    struct fault f = { 0 };
    struct request r;

    request_begin(*state, &r, &make_public, "u1", "k1", "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    assert_null(r.call.idempotency);
    request_end(&r);
    request_begin(*state, &r, &make_thing, "u1", NULL, "{}");
    assert_int_equal(idempotency_begin(&r.call, &f), 0);
    assert_null(r.call.idempotency);
    request_end(&r);
}

static void
test_key_check(void **state)
{
    char key[257];

    (void)state;
    memset(key, 'k', sizeof(key));
    key[256] = '\0';
    assert_false(idempotency_key_check(key));
    key[255] = '\0';
    assert_true(idempotency_key_check(key));
    assert_true(idempotency_key_check("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
    assert_false(idempotency_key_check(""));
    assert_false(idempotency_key_check("two words"));
    assert_false(idempotency_key_check("tab\t"));
    assert_false(idempotency_key_check("\xc3\xa9"));
}

/* An answer opens only with the key it was sealed under, and only as it was. */
static void
test_seal(void **state)
{
    struct idempotency_key mine, other;
    struct fault f = { 0 };
    struct request r;
    char *sealed;

    request_begin(*state, &r, &make_thing, "u1", "k1", "{}");
    idempotency_key_make(&r.call, "k1", &mine);
    idempotency_key_make(&r.call, "k2", &other);
    answer(&r, "caf\xc3\xa9");
    sealed = idempotency_answer_seal(&r.call, &mine, 1);
    assert_non_null(sealed);
    assert_ok(idempotency_answer_open(&r.call, &mine, sealed, 201, &f));
    assert_string_equal(str_text(&r.response.body), "caf\xc3\xa9");
    assert_fault(idempotency_answer_open(&r.call, &other, sealed, 201, &f), f, FAULT_INTERNAL,
                 NULL);
    fault_clear(&f);
    sealed[40] = sealed[40] == 'A' ? 'B' : 'A';
    assert_fault(idempotency_answer_open(&r.call, &mine, sealed, 201, &f), f, FAULT_INTERNAL, NULL);
    str_clear(&r.response.body);
    str_add(&r.response.body, "\xff");
    assert_null(idempotency_answer_seal(&r.call, &mine, 1));
    request_end(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_repeat_gets_same_answer, empty),
        cmocka_unit_test_setup(test_table_tells_nothing, empty),
        cmocka_unit_test_setup(test_another_body, empty),
        cmocka_unit_test_setup(test_key_belongs_to_caller_and_operation, empty),
        cmocka_unit_test_setup(test_failure_leaves_nothing, empty),
        cmocka_unit_test_setup(test_answer_lost, empty),
        cmocka_unit_test_setup(test_in_work, empty),
        cmocka_unit_test_setup(test_overtaken, empty),
        cmocka_unit_test_setup(test_expires, empty),
        cmocka_unit_test_setup(test_old_rows_go, empty),
        cmocka_unit_test_setup(test_without_transaction, empty),
        cmocka_unit_test_setup(test_without_database, empty),
        cmocka_unit_test_setup(test_ignored, empty),
        cmocka_unit_test(test_key_check),
        cmocka_unit_test(test_seal),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
