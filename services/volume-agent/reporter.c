/* The heartbeat's thread. */
#include "reporter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "volume_rpc.h"

struct reporter {
    const struct volume_agent_config *config;
    const char *host;
    struct volume_backend *backend;
    struct rpc *rpc;
    pthread_t thread;
    int wake; /* eventfd: 1 a report, more than END_VALUE the end. */
};

#define END_VALUE 1000000

static void
report(const struct reporter *r)
{
    const char *name = r->backend->driver->name;
    struct backend_status status;
    struct fault f = { 0 };
    int result = r->backend->driver->status(r->backend, &status, &f);

    if (result == 0) {
        struct backend_capabilities capabilities = {
            .thin_provisioning = status.thin_provisioning,
            .multiattach = status.multiattach,
            .online_extend = status.online_extend,
            .online_snapshot = status.online_snapshot,
        };
        struct backend_report_in in = {
            .host = r->host,
            .backend_name = str_empty(r->config->backend_name) ? name : r->config->backend_name,
            .driver = name,
            .capacity_bytes = status.capacity_bytes,
            .free_bytes = status.free_bytes,
            .provisioned_bytes = status.provisioned_bytes,
            .volume_count = status.volume_count,
            .state = status.up ? BACKEND_REPORT_IN_STATE_UP : BACKEND_REPORT_IN_STATE_DOWN,
            .interval_s = r->config->report_interval_s,
            .capabilities = &capabilities,
        };

        result = backend_report_cast(r->rpc, NULL, &in, &f);
    }
    if (result < 0)
        log_warn("reporter.failed kind=%s cause=%s", fault_kind_name(f.kind), f.cause);
}

static void *
run(void *object)
{
    struct reporter *r = object;
    eventfd_t value = 0;

    for (;;) {
        struct pollfd p = { .fd = r->wake, .events = POLLIN };

        if (rpc_connected(r->rpc)) /* Otherwise the reconnect wakes us. */
            report(r);
        if (poll(&p, 1, (int)(r->config->report_interval_s * 1000)) <= 0)
            continue;
        if (eventfd_read(r->wake, &value) == 0 && value >= END_VALUE)
            return NULL;
    }
}

static void
on_connect(void *owner)
{
    reporter_wake(owner);
}

int
reporter_open(struct reporter **ret, const struct volume_agent_config *config, const char *host,
              struct volume_backend *backend, struct rpc *rpc, struct fault *f)
{
    struct reporter *r = memory_calloc(1, sizeof(*r));

    *r = (struct reporter){ .config = config, .host = host, .backend = backend, .rpc = rpc };
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->wake < 0 || pthread_create(&r->thread, NULL, run, r) != 0) {
        free(r);
        return fault_raise_cause(f, "reporter: %s", strerror(errno));
    }
    rpc_on_connect(rpc, on_connect, r);
    *ret = r;
    return 0;
}

void
reporter_close(struct reporter *r)
{
    if (r == NULL)
        return;
    eventfd_write(r->wake, END_VALUE);
    pthread_join(r->thread, NULL);
    close(r->wake);
    free(r);
}

void
reporter_wake(struct reporter *r)
{
    eventfd_write(r->wake, 1);
}
