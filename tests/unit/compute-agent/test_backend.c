#include "services/compute-agent/backend.h"

#include <pthread.h>

#include "base/str.h"
#include "tests/unit/asserts.h"

/* A backend that hangs until the test lets it go. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
};

static int
pass_gate(struct backend_call *call)
{
    struct gate *gate = call->owner;

    pthread_mutex_lock(&gate->mutex);
    while (!gate->open)
        pthread_cond_wait(&gate->opened, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
    call->ret = arena_printf(call->arena, "passed by %s", call->guest_id);
    return 0;
}

static int
refuse(struct backend_call *call)
{
    return fault_raise(&call->fault, FAULT_CONFLICT, "not now");
}

static void
test_result_and_fault(void **state)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true };
    struct backend *b = backend_new();
    struct backend_call *call = backend_call_new(b, pass_gate, &gate);
    struct fault f = { 0 };
    int r;

    (void)state;
    call->guest_id = "x";
    assert_ok(backend_call_run(call, 10000, &f));
    assert_string_equal(call->ret, "passed by x");
    backend_call_freep(&call);
    call = backend_call_new(b, refuse, &gate);
    r = backend_call_run(call, 10000, &f);
    assert_fault(r, f, FAULT_CONFLICT, "not now");
    backend_call_freep(&call);
    assert_true(backend_close(b, 1000));
}

static void
test_hanging(void **state)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct backend *b = backend_new();
    struct backend_call *call = backend_call_new(b, pass_gate, &gate);
    struct fault f = { 0 };
    int r;

    (void)state;
    call->guest_id = arena_strdup(call->arena, "late");
    r = backend_call_run(call, 10, &f);
    assert_fault(r, f, FAULT_TIMEOUT, "in time");
    backend_call_freep(&call); /* The thread has its own share. */
    assert_false(backend_close(b, 10));
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
    assert_true(backend_close(b, 10000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_result_and_fault),
                                        cmocka_unit_test(test_hanging) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
