/* Two threads. One, of the process, runs libvirt's event loop and nothing else, so that no callback may block. The
 * keeper, one a connection, does what blocks: connects (again and again while libvirt is away), registers callbacks, and
 * lets guests go on whose volumes' servers were away. */
#include "libvirt_connection.h"

#include <libvirt/virterror.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "driver_libvirt.h"
#include "io_resume.h"

enum { RETRY_MS = 1000, KEEPALIVE_S = 5, KEEPALIVE_COUNT = 3, CALLBACKS_MAX = 3, CLOSE_S = 5 };

struct libvirt_connection {
    struct libvirt_hypervisor *owner;
    char *uri;
    pthread_t keeper;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    virConnectPtr connection GUARDED_BY(mutex); /* NULL: away. */
    bool broken GUARDED_BY(mutex);              /* libvirt closed it; the keeper makes another. */
    bool ending GUARDED_BY(mutex);
    struct io_resume *paused GUARDED_BY(mutex);
    int callbacks[CALLBACKS_MAX]; /* The keeper's; -1: none. */
};

static pthread_once_t events_once = PTHREAD_ONCE_INIT;

static void *
run_events(void *unused)
{
    (void)unused;
    for (;;) {
        if (virEventRunDefaultImpl() < 0)
            log_warn("libvirt.event_loop error=%s", virGetLastErrorMessage());
    }
    return NULL;
}

/* libvirt would print errors itself; ours are told where they are handled. */
static void
ignore_error(void *owner, virErrorPtr error)
{
    (void)owner;
    (void)error;
}

static void
start_events(void)
{
    pthread_t thread;

    virSetErrorFunc(NULL, ignore_error);
    virInitialize();
    virEventRegisterDefaultImpl();
    if (pthread_create(&thread, NULL, run_events, NULL) == 0)
        pthread_detach(thread);
}

/* --- Callbacks: in the event thread. */

static bool
domain_id(virDomainPtr domain, char ret[VIR_UUID_STRING_BUFLEN])
{
    return virDomainGetUUIDString(domain, ret) == 0;
}

static void
note_paused(struct libvirt_connection *c, const char *guest_id, bool paused)
{
    pthread_mutex_lock(&c->mutex);
    if (paused)
        io_resume_paused(c->paused, guest_id, clock_mono_ms());
    else
        io_resume_settled(c->paused, guest_id, clock_mono_ms());
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static const char *
stop_reason(int detail, enum guest_power_state *ret)
{
    *ret = GUEST_POWER_STATE_SHUTDOWN;
    switch ((virDomainEventStoppedDetailType)detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return "shutdown";
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return "destroyed";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
    case VIR_DOMAIN_EVENT_STOPPED_FAILED: /* QEMU itself died. */
        *ret = GUEST_POWER_STATE_CRASHED;
        return "crashed";
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return "migrated";
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
    case VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT:
        break;
    }
    return "shutdown";
}

/* The reason, or NULL for an event that changes no power state. */
static const char *
lifecycle_reason(int event, int detail, enum guest_power_state *ret)
{
    switch ((virDomainEventType)event) {
    case VIR_DOMAIN_EVENT_STARTED:
        *ret = GUEST_POWER_STATE_RUNNING;
        return detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED ? "migrated" : "started";
    case VIR_DOMAIN_EVENT_RESUMED:
        *ret = GUEST_POWER_STATE_RUNNING;
        return "resumed";
    case VIR_DOMAIN_EVENT_SUSPENDED:
        *ret = GUEST_POWER_STATE_PAUSED;
        return detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR ? "io-error" : "paused";
    case VIR_DOMAIN_EVENT_STOPPED:
        return stop_reason(detail, ret);
    case VIR_DOMAIN_EVENT_CRASHED:
        *ret = GUEST_POWER_STATE_CRASHED;
        return "crashed";
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
        *ret = GUEST_POWER_STATE_SUSPENDED;
        return "paused";
    case VIR_DOMAIN_EVENT_UNDEFINED:
        *ret = GUEST_POWER_STATE_NOSTATE;
        return "gone";
    case VIR_DOMAIN_EVENT_DEFINED:
    case VIR_DOMAIN_EVENT_SHUTDOWN:
        break;
    }
    return NULL;
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *owner)
{
    struct libvirt_connection *c = owner;
    enum guest_power_state state;
    const char *reason = lifecycle_reason(event, detail, &state);
    char id[VIR_UUID_STRING_BUFLEN];

    (void)connection;
    if (reason == NULL || !domain_id(domain, id))
        return 0;
    note_paused(c, id, str_equal(reason, "io-error"));
    event_board_tell(c->owner->board, id, NULL, EVENT_STATE);
    c->owner->events.guest_changed(c->owner->events.owner, id, state, reason);
    return 0;
}

static void
on_device_removed(virConnectPtr connection, virDomainPtr domain, const char *alias, void *owner)
{
    struct libvirt_connection *c = owner;
    char id[VIR_UUID_STRING_BUFLEN];

    (void)connection;
    if (domain_id(domain, id))
        event_board_tell(c->owner->board, id, alias, EVENT_REMOVED);
}

static void
on_device_refused(virConnectPtr connection, virDomainPtr domain, const char *alias, void *owner)
{
    struct libvirt_connection *c = owner;
    char id[VIR_UUID_STRING_BUFLEN];

    (void)connection;
    if (domain_id(domain, id))
        event_board_tell(c->owner->board, id, alias, EVENT_REFUSED);
}

static void
on_close(virConnectPtr connection, int reason, void *owner)
{
    struct libvirt_connection *c = owner;

    (void)connection;
    log_warn("libvirt.closed reason=%d", reason);
    pthread_mutex_lock(&c->mutex);
    c->broken = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

/* --- The keeper. */

static void
register_callbacks(struct libvirt_connection *c, virConnectPtr connection)
{
    const struct {
        int id;
        virConnectDomainEventGenericCallback fn;
    } wanted[] = {
        { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
        { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed) },
        { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_device_refused) },
    };

    for (size_t i = 0; i < CALLBACKS_MAX; i++) {
        c->callbacks[i] =
            virConnectDomainEventRegisterAny(connection, NULL, wanted[i].id, wanted[i].fn, c, NULL);
    }
    virConnectRegisterCloseCallback(connection, on_close, c, NULL);
}

/* Guests that were paused before anybody listened. */
static void
find_paused(struct libvirt_connection *c, virConnectPtr connection)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_PAUSED);

    for (int i = 0; i < count; i++) {
        char id[VIR_UUID_STRING_BUFLEN];
        int state, reason;

        if (virDomainGetState(domains[i], &state, &reason, 0) == 0 && state == VIR_DOMAIN_PAUSED &&
            reason == VIR_DOMAIN_PAUSED_IOERROR && domain_id(domains[i], id))
            note_paused(c, id, true);
        virDomainFree(domains[i]);
    }
    free(domains);
}

static void
try_connect(struct libvirt_connection *c)
{
    virConnectPtr connection = virConnectOpen(c->uri);

    if (connection == NULL) {
        log_debug("libvirt.away uri=%s error=%s", c->uri, virGetLastErrorMessage());
        return;
    }
    virConnectSetKeepAlive(connection, KEEPALIVE_S, KEEPALIVE_COUNT);
    register_callbacks(c, connection);
    find_paused(c, connection);
    pthread_mutex_lock(&c->mutex);
    c->connection = connection;
    c->broken = false;
    pthread_mutex_unlock(&c->mutex);
    log_info("libvirt.connected uri=%s", c->uri);
    c->owner->events.resync(c->owner->events.owner);
}

static void
drop_connection(struct libvirt_connection *c)
{
    virConnectPtr connection;

    pthread_mutex_lock(&c->mutex);
    connection = c->connection;
    c->connection = NULL;
    pthread_mutex_unlock(&c->mutex);
    if (connection == NULL)
        return;
    virConnectUnregisterCloseCallback(connection, on_close);
    for (size_t i = 0; i < CALLBACKS_MAX; i++) {
        if (c->callbacks[i] >= 0)
            virConnectDomainEventDeregisterAny(connection, c->callbacks[i]);
    }
    virConnectClose(connection);
}

static void
resume_guest(struct libvirt_connection *c, const char *guest_id)
{
    _cleanup_(libvirt_connection_unref) virConnectPtr connection = NULL;
    _cleanup_(libvirt_domain_unref) virDomainPtr domain = NULL;
    struct fault f = { 0 };
    int state, reason;

    if (libvirt_connection_take(c, &connection, &f) < 0)
        return;
    domain = virDomainLookupByUUIDString(connection, guest_id);
    if (domain == NULL || virDomainGetState(domain, &state, &reason, 0) < 0 ||
        state != VIR_DOMAIN_PAUSED || reason != VIR_DOMAIN_PAUSED_IOERROR) {
        note_paused(c, guest_id, false);
        return;
    }
    log_info("guest.io_resume guest=%s", guest_id);
    if (virDomainResume(domain) < 0)
        log_warn("guest.io_resume guest=%s error=%s", guest_id, virGetLastErrorMessage());
}

/* Under the mutex: how long there is nothing to do. */
static int64_t
idle_ms(const struct libvirt_connection *c)
{
    int64_t wait_ms;

    if (c->broken || c->connection == NULL)
        return RETRY_MS;
    wait_ms = io_resume_wait_ms(c->paused, clock_mono_ms());
    return wait_ms < 0 ? 60000 : wait_ms;
}

static void
wait_for_work(struct libvirt_connection *c)
{
    int64_t ms = idle_ms(c);
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    if (ms > 0)
        pthread_cond_timedwait(&c->changed, &c->mutex, &until);
}

static void *
keep(void *argument)
{
    struct libvirt_connection *c = argument;
    char guest_id[UUID_TEXT];

    pthread_mutex_lock(&c->mutex);
    while (!c->ending) {
        bool broken = c->broken, away = c->connection == NULL;
        bool due = !away && !broken && io_resume_due(c->paused, clock_mono_ms(), guest_id);

        if (!broken && !away && !due) {
            wait_for_work(c);
            continue;
        }
        pthread_mutex_unlock(&c->mutex);
        if (due)
            resume_guest(c, guest_id);
        if (broken)
            drop_connection(c);
        if (broken || away)
            try_connect(c);
        pthread_mutex_lock(&c->mutex);
        if (!c->ending && c->connection == NULL) {
            c->broken = false;
            wait_for_work(c);
        }
    }
    pthread_mutex_unlock(&c->mutex);
    drop_connection(c);
    return NULL;
}

int
libvirt_connection_open(struct libvirt_connection **ret, struct libvirt_hypervisor *owner,
                        const char *uri, struct fault *f)
{
    struct libvirt_connection *c = memory_calloc(1, sizeof(*c));
    pthread_condattr_t attributes;

    pthread_once(&events_once, start_events);
    c->owner = owner;
    c->uri = memory_strdup(uri);
    c->paused = io_resume_new();
    pthread_mutex_init(&c->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&c->keeper, NULL, keep, c) != 0) {
        io_resume_free(c->paused);
        free(c->uri);
        free(c);
        return fault_raise_cause(f, "no thread for the libvirt connection");
    }
    *ret = c;
    return 0;
}

void
libvirt_connection_close(struct libvirt_connection *c)
{
    struct timespec until;

    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->ending = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    /* A libvirt that hangs in the middle of a connect holds the keeper; then all it uses stays, the process ends anyway. */
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_S;
    if (pthread_timedjoin_np(c->keeper, NULL, &until) != 0) {
        log_warn("libvirt.close uri=%s: hangs, left behind", c->uri);
        return;
    }
    io_resume_free(c->paused);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    free(c->uri);
    free(c);
}

int
libvirt_connection_take(struct libvirt_connection *c, virConnectPtr *ret, struct fault *f)
{
    virConnectPtr connection = NULL;

    pthread_mutex_lock(&c->mutex);
    if (c->connection != NULL && !c->broken && virConnectRef(c->connection) == 0)
        connection = c->connection;
    pthread_mutex_unlock(&c->mutex);
    if (connection == NULL)
        return fault_raise(f, FAULT_UNAVAILABLE, "The hypervisor of the host is not reachable.");
    *ret = connection;
    return 0;
}
