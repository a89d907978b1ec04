#include "kept_text.h"

#include "watch.h"

int
kept_text(struct call *call, struct catalog_cache *cache, const char *key, kept_text_fn render,
          const void *object, const char **ret, size_t *ret_size, struct fault *f)
{
    bool current = watch_is_current(identity_of(call)->watch);
    _cleanup_(str_done) struct str made = { 0 };
    const char *text = NULL;
    uint64_t generation;
    struct jsonw w;
    int alone;

    if (current)
        text = catalog_cache_get(cache, key, call->arena, ret_size);
    if (text != NULL) {
        *ret = text;
        return 0;
    }
    if (call->at_once)
        return call_decline(call);
    generation = catalog_cache_generation(cache);
    jsonw_init(&w, &made);
    alone = render(call, object, &w, f);
    if (alone < 0)
        return -1;
    if (current && alone == 0)
        catalog_cache_put(cache, key, generation, made.data, made.size);
    *ret = arena_strndup(call->arena, made.data, made.size);
    *ret_size = made.size;
    return 0;
}
