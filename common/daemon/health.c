/* Readiness, told as it is. A daemon is ready when it has started, isn't draining, can reach
 * its database, and can verify tokens: it has read identity's list of revocations once. That the broker is away is shown, but doesn't make it unready: the APIs accept
 * work, and it runs when the broker is back. */
#include "../base/jsonw.h"
#include "running.h"

static const char *
state_name(enum daemon_state state)
{
    switch (state) {
    case STATE_STARTING:
        return "starting";
    case STATE_SERVING:
        return "serving";
    case STATE_DRAINING:
        break;
    }
    return "draining";
}

static void
write_check(struct jsonw *w, const char *name, bool up, bool needed, const char *reason)
{
    jsonw_object(w, name);
    jsonw_bool(w, "up", up);
    jsonw_bool(w, "needed", needed);
    if (reason != NULL)
        jsonw_text(w, "reason", reason);
    jsonw_end(w);
}

int
health_check(struct running *r, struct str *out)
{
    enum daemon_state state = (enum daemon_state)atomic_load(&r->state);
    bool ready = state == STATE_SERVING;
    bool started =
        state !=
        STATE_STARTING; /* Until then the main thread is still making what is looked at here. */
    bool verifies =
        started && (r->d.authenticator == NULL || authenticator_ready(r->d.authenticator));
    struct fault f = { 0 };
    struct jsonw w;

    if (ready && r->d.pool != NULL)
        ready = db_pool_check(r->d.pool, &f) >= 0;
    ready = ready && verifies;

    jsonw_init(&w, out);
    jsonw_object(&w, NULL);
    jsonw_text(&w, "daemon", r->d.spec->name);
    jsonw_bool(&w, "ready", ready);
    jsonw_text(&w, "state", state_name(state));
    jsonw_object(&w, "checks");
    if (started && r->d.pool != NULL)
        write_check(&w, "database", f.kind == FAULT_NONE, true,
                    f.kind != FAULT_NONE ? f.message : NULL);
    if (started && r->d.authenticator != NULL)
        write_check(&w, "tokens", verifies, true,
                    verifies ? NULL : "identity has not been reached yet");
    if (started && r->d.rpc != NULL)
        write_check(&w, "broker", rpc_connected(r->d.rpc), false, NULL);
    jsonw_end(&w);
    jsonw_end(&w);
    return ready ? 200 : 503;
}
