#include "reconnect.h"

#include "../base/compiler.h"

void
reconnect_init(struct reconnect *r, int64_t now_ms)
{
    *r = (struct reconnect){ .next_try_ms = now_ms };
}

bool
reconnect_due(const struct reconnect *r, int64_t now_ms)
{
    return !r->connected && now_ms >= r->next_try_ms;
}

int
reconnect_wait_ms(const struct reconnect *r, int64_t now_ms)
{
    if (r->connected)
        return -1;
    return (int)MAX(r->next_try_ms - now_ms, (int64_t)0);
}

void
reconnect_connected(struct reconnect *r, int64_t now_ms)
{
    r->connected = true;
    r->connected_ms = now_ms;
    r->connects++;
}

void
reconnect_failed(struct reconnect *r, int64_t now_ms, uint64_t random)
{
    if (r->connected && now_ms - r->connected_ms >= RECONNECT_STABLE_MS)
        r->backoff_ms = 0;
    r->connected = false;
    r->backoff_ms =
        r->backoff_ms == 0 ? RECONNECT_FIRST_MS : MIN(r->backoff_ms * 2, RECONNECT_LAST_MS);
    r->next_try_ms = now_ms + r->backoff_ms - (int64_t)(random % (r->backoff_ms / 4 + 1));
}
