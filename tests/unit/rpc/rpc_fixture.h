/* What the RPC tests share: a service with a few methods, and processes that call it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/rpc/rpc.h"
#include "tests/lib/broker.h"
#include "tests/unit/asserts.h"

#define PATIENCE_MS 90000

/* What the methods count and wait for. */
struct echo_service {
    _Atomic int calls, casts, events, begun;
    _Atomic int hold;      /* 'hold' returns when it is 0. */
    _Atomic int transient; /* So many calls of 'fail' fail for a moment. */
};

/* Waits until 'condition'; fails the test after PATIENCE_MS. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t _until = clock_mono_ms() + PATIENCE_MS;                                            \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > _until)                                                          \
                fail_msg("waited for '%s' in vain", #condition);                                   \
            usleep(2000);                                                                          \
        }                                                                                          \
    } while (0)

static int
echo_method(struct rpc_request *request, json_t **ret, _unused_ struct fault *f)
{
    struct echo_service *service = request->owner;

    atomic_fetch_add(&service->calls, 1);
    *ret =
        json_own(request->arena, json_pack("{s:O?, s:s, s:s}", "params", request->params, "from",
                                           request->from_name, "request_id", request->request_id));
    return 0;
}

static int
fail_method(struct rpc_request *request, _unused_ json_t **ret, struct fault *f)
{
    struct echo_service *service = request->owner;

    atomic_fetch_add(&service->calls, 1);
    if (atomic_load(&service->transient) > 0) {
        atomic_fetch_sub(&service->transient, 1);
        return fault_raise(f, FAULT_UNAVAILABLE, "not now");
    }
    return fault_raise_code(f, FAULT_CONFLICT, "SubnetInUse", "The subnet is in use.");
}

static int
hold_method(struct rpc_request *request, json_t **ret, _unused_ struct fault *f)
{
    struct echo_service *service = request->owner;

    atomic_fetch_add(&service->begun, 1);
    while (atomic_load(&service->hold) != 0)
        usleep(1000);
    *ret = json_own(request->arena, json_integer(atomic_fetch_add(&service->calls, 1) + 1));
    return 0;
}

static int
cast_method(struct rpc_request *request, _unused_ json_t **ret, _unused_ struct fault *f)
{
    struct echo_service *service = request->owner;

    atomic_fetch_add(&service->casts, 1);
    return 0;
}

static int
event_method(struct rpc_request *request, _unused_ json_t **ret, _unused_ struct fault *f)
{
    struct echo_service *service = request->owner;

    atomic_fetch_add(&service->events, 1);
    return 0;
}

static const struct rpc_method echo_methods[] = {
    { .name = "echo", .handle = echo_method },
    { .name = "fail", .handle = fail_method },
    { .name = "hold", .handle = hold_method },
    { .name = "cast", .handle = cast_method, .cast = true },
    { .name = "event", .handle = event_method, .cast = true },
};

static inline struct rpc *
open_as(struct broker *broker, const char *user, const char *name, const char *host)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct rpc_options options = {
        .url = broker_url(broker, a, user), .name = name, .host = host, .workers = 4
    };
    struct fault f = { 0 };
    struct rpc *rpc = NULL;

    assert_ok(rpc_open(&rpc, &options, &f));
    wait_until(rpc_connected(rpc));
    return rpc;
}

static inline void
serve(struct rpc *rpc, const char *queue, struct echo_service *service)
{
    struct fault f = { 0 };

    assert_ok(rpc_serve(rpc, queue, echo_methods, ARRAY_SIZE(echo_methods), service, &f));
}
