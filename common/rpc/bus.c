/* The connection as other threads see it: hand over, be told. */
#include "bus.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/memory.h"
#include "../base/str.h"
#include "bus_state.h"

#define DECLARE_WAIT_MS 5000

struct message *
message_new(const char *exchange, const char *key, const char *correlation, const char *body,
            size_t size)
{
    struct message *m = memory_calloc(1, sizeof(*m));

    list_init(&m->link);
    m->exchange = memory_strdup(exchange);
    m->key = memory_strdup(key);
    m->correlation = correlation != NULL ? memory_strdup(correlation) : NULL;
    m->body = memory_alloc(size + 1);
    memcpy(m->body, body, size);
    m->body[size] = '\0';
    m->size = size;
    return m;
}

void
message_finish(struct message *m, enum message_result result)
{
    list_remove(&m->link);
    if (m->done != NULL)
        m->done(m, result, m->owner);
    free(m->exchange);
    free(m->key);
    free(m->correlation);
    free(m->body);
    free(m);
}

static void
wake(struct bus *c)
{
    const uint64_t one = 1;

    while (write(c->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

int
bus_open(struct bus **ret, const char *url, const char *name, uint16_t prefetch,
         const struct bus_hooks *hooks, void *owner, struct fault *f)
{
    struct bus *c = memory_calloc(1, sizeof(*c));
    pthread_condattr_t attributes;
    sigset_t all, before;
    int r;

    c->url = memory_strdup(url);
    c->name = memory_strdup(name);
    c->prefetch = prefetch;
    c->hooks = *hooks;
    c->owner = owner;
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->declared, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&c->outgoing);
    list_init(&c->acks);
    list_init(&c->unconfirmed);
    c->consumers[REPLY_CONSUMER] = (struct consumer){ .kind = WIRE_QUEUE_REPLY };
    c->consumers_count = 1;
    reconnect_init(&c->reconnect, clock_mono_ms());

    sigfillset(&all); /* Signals are the main thread's. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = c->wake_fd < 0 ? errno : pthread_create(&c->thread, NULL, bus_run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    c->started = r == 0;
    if (!c->started)
        bus_close(c);
    else
        *ret = c;
    return r == 0 ? 0 : fault_raise_cause(f, "no thread for the message bus: %s", strerror(r));
}

void
bus_close(struct bus *c)
{
    const struct fault why = { .cause = "closed" };
    struct message *m;
    struct fault f;

    pthread_mutex_lock(&c->mutex);
    c->closing = true;
    pthread_mutex_unlock(&c->mutex);
    wake(c);
    if (c->started)
        pthread_join(c->thread, NULL);
    atomic_store(&c->up, false); /* Not a loss worth a warning. */
    bus_break(c, &why);
    LIST_EACH (m, &c->outgoing, struct message, link)
        message_finish(m, MESSAGE_UNSENT);
    bus_send_acks(c, &f); /* Without a wire: only frees them. */
    for (unsigned i = 0; i < c->consumers_count; i++) {
        free(c->consumers[i].name);
        free(c->consumers[i].exchange);
    }
    close(c->wake_fd);
    pthread_mutex_destroy(&c->mutex);
    pthread_cond_destroy(&c->declared);
    explicit_bzero(c->url, strlen(c->url));
    free(c->url);
    free(c->name);
    free(c->reply_queue);
    free(c);
}

bool
bus_up(struct bus *c)
{
    return atomic_load(&c->up);
}

uint64_t
bus_generation(struct bus *c)
{
    return atomic_load(&c->generation);
}

void
bus_send(struct bus *c, struct message *m)
{
    pthread_mutex_lock(&c->mutex);
    list_append(&c->outgoing, &m->link);
    pthread_mutex_unlock(&c->mutex);
    wake(c);
}

void
bus_ack(struct bus *c, uint64_t generation, uint64_t tag)
{
    struct ack *ack = memory_calloc(1, sizeof(*ack));

    ack->generation = generation;
    ack->tag = tag;
    pthread_mutex_lock(&c->mutex);
    list_append(&c->acks, &ack->link);
    pthread_mutex_unlock(&c->mutex);
    wake(c);
}

static int
add_consumer(struct bus *c, const struct consumer *wanted, unsigned *ret, struct fault *f)
{
    for (unsigned i = 1; i < c->consumers_count; i++) {
        struct consumer *at = &c->consumers[i];

        if (at->kind == wanted->kind && str_equal(at->name, wanted->name) &&
            str_equal(at->exchange, wanted->exchange)) {
            *ret = i;
            return 0;
        }
    }
    if (c->consumers_count == CONSUMERS_MAX)
        return fault_raise_cause(f, "more than %d queues", CONSUMERS_MAX);
    *ret = c->consumers_count;
    c->consumers[c->consumers_count++] = (struct consumer){
        .kind = wanted->kind,
        .name = wanted->name != NULL ? memory_strdup(wanted->name) : NULL,
        .exchange = wanted->exchange != NULL ? memory_strdup(wanted->exchange) : NULL,
        .context = wanted->context,
    };
    return 0;
}

int
bus_consume(struct bus *c, enum wire_queue kind, const char *name, const char *exchange,
            void *context, struct fault *f)
{
    struct consumer wanted = { .kind = kind,
                               .name = (char *)(uintptr_t)name,
                               .exchange = (char *)(uintptr_t)exchange,
                               .context = context };
    struct timespec until;
    unsigned i = 0;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DECLARE_WAIT_MS / 1000;
    pthread_mutex_lock(&c->mutex);
    r = add_consumer(c, &wanted, &i, f);
    if (r >= 0) {
        wake(c);
        while (atomic_load(&c->up) && c->consumers[i].declared != atomic_load(&c->generation)) {
            if (pthread_cond_timedwait(&c->declared, &c->mutex, &until) != 0)
                break;
        }
    }
    pthread_mutex_unlock(&c->mutex);
    return r;
}
