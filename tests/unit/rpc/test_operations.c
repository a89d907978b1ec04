#include "common/rpc/operations.h"

#include "common/base/str.h"
#include "tests/unit/asserts.h"

static void
free_operations(struct operations **o)
{
    operations_free(*o);
}

static size_t
count_and_free(struct list *waiters, const char *first)
{
    struct operation_waiter *w;
    size_t count = 0;

    LIST_EACH (w, waiters, struct operation_waiter, link) {
        if (count++ == 0)
            assert_string_equal(w->correlation, first);
        operation_waiter_free(w);
    }
    return count;
}

static void
test_duplicates_wait_then_remember(_unused_ void **state)
{
    _cleanup_(free_operations) struct operations *o = operations_new(10, 10000);
    const char *answer = NULL;
    struct list waiters;

    assert_int_equal(operations_begin(o, "k", "reply.a", "1", 0, &answer), OPERATION_NEW);
    assert_int_equal(operations_begin(o, "k", "reply.b", "2", 0, &answer), OPERATION_IN_WORK);
    assert_int_equal(operations_begin(o, "other", NULL, "3", 0, &answer), OPERATION_NEW);
    operations_finish(o, "k", "yes", true, &waiters);
    assert_int_equal(count_and_free(&waiters, "1"), 2);
    operations_finish(o, "other", "no", true, &waiters);
    assert_true(list_empty(&waiters));
    assert_int_equal(operations_begin(o, "k", "reply.c", "4", 0, &answer), OPERATION_ANSWERED);
    assert_string_equal(answer, "yes");
}

static void
test_what_is_not_kept_is_done_again(_unused_ void **state)
{
    _cleanup_(free_operations) struct operations *o = operations_new(10, 10000);
    const char *answer = NULL;
    struct list waiters;

    operations_begin(o, "k", "reply.a", "1", 0, &answer);
    operations_finish(o, "k", "busy", false, &waiters);
    assert_int_equal(count_and_free(&waiters, "1"), 1);
    assert_int_equal(operations_begin(o, "k", "reply.a", "1", 0, &answer), OPERATION_NEW);
}

static void
test_bounded(_unused_ void **state)
{
    _cleanup_(free_operations) struct operations *o = operations_new(3, 100000);
    const char *answer = NULL;
    struct list waiters;
    char key[16];

    operations_begin(o, "in work", NULL, NULL, 0, &answer);
    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof(key), "%d", i);
        operations_begin(o, key, NULL, NULL, 0, &answer);
        operations_finish(o, key, "x", true, &waiters);
        if (i == 2) /* Asked for again: the youngest now. */
            assert_int_equal(operations_begin(o, "0", NULL, NULL, 0, &answer), OPERATION_ANSWERED);
    }
    assert_int_equal(operations_count(o), 4);
    assert_int_equal(operations_begin(o, "0", NULL, NULL, 0, &answer), OPERATION_ANSWERED);
    assert_int_equal(operations_begin(o, "in work", NULL, NULL, 0, &answer), OPERATION_IN_WORK);
    assert_int_equal(operations_begin(o, "1", NULL, NULL, 0, &answer), OPERATION_NEW);
}

static void
test_bounded_by_bytes(_unused_ void **state)
{
    _cleanup_(free_operations) struct operations *o = operations_new(1000, 1000);
    _cleanup_(str_done) struct str large = { 0 };
    const char *answer = NULL;
    struct list waiters;

    for (int i = 0; i < 600; i++)
        str_add_char(&large, 'x');
    operations_begin(o, "a", NULL, NULL, 0, &answer);
    operations_finish(o, "a", str_text(&large), true, &waiters);
    operations_begin(o, "b", NULL, NULL, 0, &answer);
    operations_finish(o, "b", str_text(&large), true, &waiters);
    assert_int_equal(operations_count(o), 1);
    assert_int_equal(operations_begin(o, "b", NULL, NULL, 0, &answer), OPERATION_ANSWERED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicates_wait_then_remember),
        cmocka_unit_test(test_what_is_not_kept_is_done_again),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_bounded_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
