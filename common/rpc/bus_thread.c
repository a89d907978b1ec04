/* The thread that owns the connection. Four lists: what is to be sent, what was sent and is not confirmed, what is to be
 * acknowledged, what is to be declared. All but the second are shared with other threads, under one mutex that is never
 * held while the broker is talked to. */
#include <poll.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/random.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "bus_state.h"
#include "envelope.h"

#define UNCONFIRMED_MAX 4096 /* Then wait for confirms; bounds what a loss throws into doubt. */
#define TICK_MS 500 /* At least so often: heartbeats and messages that have waited too long. */
#define FLUSH_MS 500

static void
take_list(struct list *from, struct list *to)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

/* ---- Sending, in the thread ---- */

static void
finish_unconfirmed(struct bus *c, struct message *m, enum message_result result)
{
    c->unconfirmed_count--;
    message_finish(m, m->returned ? MESSAGE_RETURNED : result);
}

static int
send_one(struct bus *c, struct message *m, int64_t now_ms, struct fault *f)
{
    struct wire_publish p = {
        .exchange = m->exchange,
        .key = m->key,
        .message_id = m->id,
        .correlation = m->correlation,
        .reply_to = m->wants_reply ? c->reply_queue : NULL,
        .body = m->body,
        .size = m->size,
        .expire_ms = m->expire_ms == 0 ? 0 : MAX(m->expire_ms - now_ms, (int64_t)1),
        .mandatory = m->mandatory,
        .persistent = m->persistent,
    };

    snprintf(m->id, sizeof(m->id), "%llu", (unsigned long long)++c->next_id);
    return wire_publish(c->wire, &p, &m->tag, f);
}

static int
send_outgoing(struct bus *c, struct fault *f)
{
    while (!c->blocked && c->unconfirmed_count < UNCONFIRMED_MAX) {
        int64_t now_ms = clock_mono_ms();
        struct message *m;
        int r;

        pthread_mutex_lock(&c->mutex);
        m = LIST_FIRST(&c->outgoing, struct message, link);
        if (m != NULL)
            list_remove(&m->link);
        pthread_mutex_unlock(&c->mutex);
        if (m == NULL)
            return 0;
        if (m->send_by_ms < now_ms) {
            message_finish(m, MESSAGE_UNSENT);
            continue;
        }
        r = send_one(c, m, now_ms, f);
        list_append(&c->unconfirmed, &m->link);
        c->unconfirmed_count++;
        if (r < 0)
            return r; /* Half of it may have gone out: it is among those that get lost. */
    }
    return 0;
}

/* Those that waited too long for a broker that is away. */
static void
expire_outgoing(struct bus *c)
{
    int64_t now_ms = clock_mono_ms();
    struct list expired;
    struct message *m;

    list_init(&expired);
    pthread_mutex_lock(&c->mutex);
    LIST_EACH (m, &c->outgoing, struct message, link) {
        if (m->send_by_ms < now_ms) {
            list_remove(&m->link);
            list_append(&expired, &m->link);
        }
    }
    pthread_mutex_unlock(&c->mutex);
    LIST_EACH (m, &expired, struct message, link)
        message_finish(m, MESSAGE_UNSENT);
}

int
bus_send_acks(struct bus *c, struct fault *f)
{
    uint64_t generation = atomic_load(&c->generation);
    struct list acks;
    struct ack *ack;
    int r = 0;

    pthread_mutex_lock(&c->mutex);
    take_list(&c->acks, &acks);
    pthread_mutex_unlock(&c->mutex);
    LIST_EACH (ack, &acks, struct ack, link) {
        if (r >= 0 && c->wire != NULL && ack->generation == generation)
            r = wire_ack(c->wire, ack->tag, f);
        free(ack);
    }
    return r;
}

/* ---- What arrives, in the thread ---- */

static void
settle(struct bus *c, const struct wire_event *event, enum message_result result)
{
    struct message *m;

    LIST_EACH (m, &c->unconfirmed, struct message, link) {
        if (m->tag > event->tag)
            return;
        if (m->tag == event->tag || event->multiple)
            finish_unconfirmed(c, m, result);
    }
}

static void
mark_returned(struct bus *c, const struct delivery *d)
{
    struct message *m;

    LIST_EACH (m, &c->unconfirmed, struct message, link) {
        if (str_equal(m->id, d->message_id)) {
            m->returned = true;
            return;
        }
    }
}

static void
deliver(struct bus *c, struct delivery *d)
{
    void *context = NULL;

    pthread_mutex_lock(&c->mutex);
    if (d->consumer < c->consumers_count)
        context = c->consumers[d->consumer].context;
    pthread_mutex_unlock(&c->mutex);
    c->hooks.delivered(d, context, atomic_load(&c->generation), c->owner);
}

static int
receive(struct bus *c, struct fault *f)
{
    for (;;) {
        struct wire_event event;
        int r = wire_next(c->wire, &event, f);

        if (r < 0)
            return r;
        switch (event.kind) {
        case WIRE_NOTHING:
            return 0;
        case WIRE_MORE:
            break;
        case WIRE_CONFIRM:
            settle(c, &event, MESSAGE_CONFIRMED);
            break;
        case WIRE_REFUSE:
            settle(c, &event, MESSAGE_REFUSED);
            break;
        case WIRE_RETURN:
            mark_returned(c, event.delivery);
            delivery_free(event.delivery);
            break;
        case WIRE_DELIVERY:
            deliver(c, event.delivery);
            break;
        case WIRE_BLOCKED:
        case WIRE_UNBLOCKED:
            c->blocked = event.kind == WIRE_BLOCKED;
            log_warn("rpc.%s", c->blocked ? "blocked" : "unblocked");
            break;
        }
    }
}

/* ---- Connecting, in the thread ---- */

/* Declares what the connection of this generation doesn't have yet. */
static int
declare_all(struct bus *c, struct fault *f)
{
    uint64_t generation = atomic_load(&c->generation);

    for (unsigned i = 0;; i++) {
        struct consumer *at = &c->consumers[i]; /* Never moves, and only grows. */
        bool wanted;
        int r;

        pthread_mutex_lock(&c->mutex);
        wanted = i < c->consumers_count;
        pthread_mutex_unlock(&c->mutex);
        if (!wanted)
            return 0;
        if (at->declared == generation)
            continue;
        r = wire_declare(c->wire, at->kind, i == REPLY_CONSUMER ? c->reply_queue : at->name,
                         at->exchange, i, c->prefetch, f);
        if (r < 0)
            return fault_add_cause(f, "queue %s", at->name != NULL ? at->name : at->exchange);
        pthread_mutex_lock(&c->mutex);
        at->declared = generation;
        pthread_cond_broadcast(&c->declared);
        pthread_mutex_unlock(&c->mutex);
    }
}

void
bus_break(struct bus *c, const struct fault *why)
{
    struct message *m;

    if (atomic_exchange(&c->up, false))
        log_warn("rpc.disconnected unconfirmed=%u cause=%s", c->unconfirmed_count, why->cause);
    wire_close(c->wire);
    c->wire = NULL;
    c->blocked = false;
    LIST_EACH (m, &c->unconfirmed, struct message, link)
        finish_unconfirmed(c, m, MESSAGE_LOST);
    pthread_mutex_lock(&c->mutex);
    pthread_cond_broadcast(&c->declared);
    pthread_mutex_unlock(&c->mutex);
}

static int
connect_once(struct bus *c, struct fault *f)
{
    struct str reply = { 0 };
    char id[UUID_TEXT];
    int r;

    r = wire_open(&c->wire, c->url, c->name, f);
    if (r < 0)
        return r;
    atomic_fetch_add(&c->generation, 1);
    uuid_new(id);
    str_addf(&reply, ENVELOPE_REPLY_PREFIX "%s.%s", c->name, id);
    free(c->reply_queue);
    c->reply_queue = str_take(&reply);
    r = declare_all(c, f);
    if (r < 0)
        return r;
    atomic_store(&c->up, true);
    return 0;
}

static void
try_to_connect(struct bus *c)
{
    struct fault f = { 0 };

    if (connect_once(c, &f) < 0) {
        unsigned before = c->reconnect.backoff_ms;

        bus_break(c, &f);
        reconnect_failed(&c->reconnect, clock_mono_ms(), random_uint64());
        /* Once it is as slow as it gets, it has been said; unless the reason is another one. */
        if (c->reconnect.backoff_ms != before || !str_equal(f.cause, c->last_failure))
            log_warn("rpc.connect-failed next_ms=%u cause=%s", c->reconnect.backoff_ms, f.cause);
        snprintf(c->last_failure, sizeof(c->last_failure), "%s", f.cause);
        return;
    }
    reconnect_connected(&c->reconnect, clock_mono_ms());
    log_info("rpc.connected count=%llu", (unsigned long long)c->reconnect.connects);
    c->hooks.connected(c->owner);
}

static void
wait_for_work(struct bus *c, int timeout_ms)
{
    struct pollfd fds[] = {
        { .fd = c->wake_fd, .events = POLLIN },
        { .fd = c->wire != NULL ? wire_fd(c->wire) : -1, .events = POLLIN },
    };
    uint64_t count;

    if (poll(fds, ARRAY_SIZE(fds), timeout_ms) > 0 && fds[0].revents != 0 &&
        read(c->wake_fd, &count, sizeof(count)) < 0)
        return; /* Somebody else's wake-up can't be: we are the only reader. */
}

static int
serve(struct bus *c, struct fault *f)
{
    int r = declare_all(c, f);

    if (r >= 0)
        r = bus_send_acks(c, f);
    if (r >= 0)
        r = send_outgoing(c, f);
    if (r >= 0)
        r = receive(c, f);
    return r;
}

static bool
is_closing(struct bus *c, bool *ret_idle)
{
    bool closing;

    pthread_mutex_lock(&c->mutex);
    closing = c->closing;
    *ret_idle = list_empty(&c->outgoing) && list_empty(&c->acks);
    pthread_mutex_unlock(&c->mutex);
    *ret_idle = *ret_idle && c->unconfirmed_count == 0;
    return closing;
}

void *
bus_run(void *object)
{
    struct bus *c = object;
    int64_t flush_until_ms = 0;
    bool idle;

    for (;;) {
        int64_t now_ms = clock_mono_ms();
        struct fault f = { 0 };
        int timeout_ms = TICK_MS;

        if (is_closing(c, &idle)) {
            if (flush_until_ms == 0)
                flush_until_ms = now_ms + FLUSH_MS;
            if (idle || c->wire == NULL || now_ms >= flush_until_ms)
                return NULL;
            timeout_ms = 20;
        }
        if (reconnect_due(&c->reconnect, now_ms))
            try_to_connect(c);
        if (c->wire != NULL && serve(c, &f) < 0) {
            bus_break(c, &f);
            reconnect_failed(&c->reconnect, clock_mono_ms(), random_uint64());
        }
        if (c->wire == NULL) {
            expire_outgoing(c);
            timeout_ms = MIN(timeout_ms, MAX(reconnect_wait_ms(&c->reconnect, clock_mono_ms()), 0));
        } else if (c->blocked) {
            expire_outgoing(c);
        }
        wait_for_work(c, timeout_ms);
    }
}
