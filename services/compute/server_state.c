#include "server_state.h"

#include "base/str.h"

const char *
server_task_state(const struct server_busy *busy)
{
    static const struct {
        const char *saga, *step, *task;
    } table[] = {
        { "compute.server-create", "schedule", "scheduling" },
        { "compute.server-create", "network", "networking" },
        { "compute.server-create", "volumes", "block_device_mapping" },
        { "compute.server-create", NULL, "spawning" },
        { "compute.server-delete", NULL, "deleting" },
        { "compute.server-start", NULL, "powering-on" },
        { "compute.server-stop", NULL, "powering-off" },
        { "compute.server-reboot", NULL, "rebooting" },
        { "compute.server-reboot-hard", NULL, "rebooting_hard" },
    };

    for (size_t i = 0; busy->saga != NULL && i < ARRAY_SIZE(table); i++) {
        if (str_equal(table[i].saga, busy->saga) &&
            (table[i].step == NULL || str_equal(table[i].step, busy->step)))
            return table[i].task;
    }
    return NULL;
}

const char *
server_status(enum server_vm_state vm_state, const char *task_state)
{
    if ((vm_state == SERVER_VM_STATE_ACTIVE || vm_state == SERVER_VM_STATE_STOPPED) &&
        str_equal(task_state, "rebooting"))
        return "REBOOT";
    if (vm_state != SERVER_VM_STATE_BUILDING && str_equal(task_state, "rebooting_hard"))
        return "HARD_REBOOT";
    switch (vm_state) {
    case SERVER_VM_STATE_BUILDING:
        return "BUILD";
    case SERVER_VM_STATE_ACTIVE:
        return "ACTIVE";
    case SERVER_VM_STATE_STOPPED:
        return "SHUTOFF";
    case SERVER_VM_STATE_ERROR:
        return "ERROR";
    case SERVER_VM_STATE_DELETED:
        return "DELETED";
    }
    return "UNKNOWN";
}

int
server_vm_state_of_status(const char *status)
{
    static const struct {
        const char *status;
        enum server_vm_state vm_state;
    } table[] = {
        { "ACTIVE", SERVER_VM_STATE_ACTIVE },      { "REBOOT", SERVER_VM_STATE_ACTIVE },
        { "HARD_REBOOT", SERVER_VM_STATE_ACTIVE }, { "BUILD", SERVER_VM_STATE_BUILDING },
        { "SHUTOFF", SERVER_VM_STATE_STOPPED },    { "ERROR", SERVER_VM_STATE_ERROR },
        { "DELETED", SERVER_VM_STATE_DELETED },
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (str_equal_nocase(table[i].status, status))
            return (int)table[i].vm_state;
    }
    return -1;
}

int
server_power_number(const char *agent_state)
{
    static const struct {
        const char *state;
        int number;
    } table[] = {
        { "running", 1 }, { "paused", 3 }, { "shutdown", 4 }, { "crashed", 6 }, { "suspended", 7 }
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (str_equal(table[i].state, agent_state))
            return table[i].number;
    }
    return 0;
}
