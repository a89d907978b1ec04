#include "services/compute/server_state.h"

#include "base/str.h"
#include "tests/unit/asserts.h"

static void
test_task_states(void **state)
{
    static const struct {
        struct server_busy busy;
        const char *task;
    } cases[] = {
        { { NULL, NULL, NULL }, NULL },
        { { "compute.server-create", "schedule", "act" }, "scheduling" },
        { { "compute.server-create", "network", "act" }, "networking" },
        { { "compute.server-create", "volumes", "act" }, "block_device_mapping" },
        { { "compute.server-create", "wired", "act" }, "spawning" },
        { { "compute.server-create", "spawn", "act" }, "spawning" },
        { { "compute.server-create", "finish", "act" }, "spawning" },
        { { "compute.server-delete", "destroy", "act" }, "deleting" },
        { { "compute.server-start", "start", "act" }, "powering-on" },
        { { "compute.server-stop", "stop", "act" }, "powering-off" },
        { { "compute.server-reboot", "reboot", "act" }, "rebooting" },
        { { "compute.server-reboot-hard", "reboot", "act" }, "rebooting_hard" },
        { { "compute.volume-attach", "plug", "act" },
          NULL }, /* A volume's comings and goings show in its status. */
        { { "compute.interface-detach", "unplug", "act" }, NULL },
        { { "another.saga", "step", "act" }, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *task = server_task_state(&cases[i].busy);

        if (!str_equal(task, cases[i].task))
            fail_msg("case %zu: %s", i, task == NULL ? "(none)" : task);
    }
}

static void
test_statuses(void **state)
{
    static const struct {
        enum server_vm_state vm_state;
        const char *task, *status;
    } cases[] = {
        { SERVER_VM_STATE_BUILDING, NULL, "BUILD" },
        { SERVER_VM_STATE_BUILDING, "spawning", "BUILD" },
        { SERVER_VM_STATE_BUILDING, "deleting", "BUILD" },
        { SERVER_VM_STATE_ACTIVE, NULL, "ACTIVE" },
        { SERVER_VM_STATE_ACTIVE, "powering-off", "ACTIVE" },
        { SERVER_VM_STATE_ACTIVE, "rebooting", "REBOOT" },
        { SERVER_VM_STATE_ACTIVE, "rebooting_hard", "HARD_REBOOT" },
        { SERVER_VM_STATE_STOPPED, "rebooting_hard", "HARD_REBOOT" },
        { SERVER_VM_STATE_ERROR, "rebooting_hard", "HARD_REBOOT" },
        { SERVER_VM_STATE_STOPPED, NULL, "SHUTOFF" },
        { SERVER_VM_STATE_STOPPED, "powering-on", "SHUTOFF" },
        { SERVER_VM_STATE_ERROR, NULL, "ERROR" },
        { SERVER_VM_STATE_ERROR, "deleting", "ERROR" },
        { SERVER_VM_STATE_DELETED, NULL, "DELETED" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(server_status(cases[i].vm_state, cases[i].task), cases[i].status);
}

static void
test_filter_by_status(void **state)
{
    static const struct {
        const char *status;
        int vm_state;
    } cases[] = {
        { "ACTIVE", SERVER_VM_STATE_ACTIVE },
        { "active", SERVER_VM_STATE_ACTIVE },
        { "REBOOT", SERVER_VM_STATE_ACTIVE },
        { "BUILD", SERVER_VM_STATE_BUILDING },
        { "SHUTOFF", SERVER_VM_STATE_STOPPED },
        { "ERROR", SERVER_VM_STATE_ERROR },
        { "DELETED", SERVER_VM_STATE_DELETED },
        { "STOPPED", -1 },
        { "", -1 },
        { "nonsense", -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(server_vm_state_of_status(cases[i].status), cases[i].vm_state);
}

static void
test_power(void **state)
{
    (void)state;
    assert_int_equal(server_power_number("running"), 1);
    assert_int_equal(server_power_number("paused"), 3);
    assert_int_equal(server_power_number("shutdown"), 4);
    assert_int_equal(server_power_number("crashed"), 6);
    assert_int_equal(server_power_number("suspended"), 7);
    assert_int_equal(server_power_number("what"), 0);
    assert_int_equal(server_power_number(NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task_states),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_filter_by_status),
        cmocka_unit_test(test_power),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
