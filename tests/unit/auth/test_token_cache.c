#include "auth/token_cache.h"

#include "../asserts.h"
#include "ring.h"

static void
put(struct token_cache *c, const char *name, uint64_t revocations)
{
    struct auth_context context = ring_context();
    unsigned char digest[TOKEN_DIGEST];

    context.user_id = name;
    token_cache_digest(c, name, strlen(name), digest);
    token_cache_put(c, digest, &(struct token_cached){ &context, 1, revocations });
}

static bool
get(struct token_cache *c, struct arena *a, const char *name, struct token_cached *ret)
{
    unsigned char digest[TOKEN_DIGEST];

    token_cache_digest(c, name, strlen(name), digest);
    return token_cache_get(c, digest, a, ret);
}

static void
test_put_get_remove(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct token_cache *c = token_cache_new(64);
    unsigned char digest[TOKEN_DIGEST];
    struct token_cached out;

    (void)state;
    assert_false(get(c, a, "one", &out));
    put(c, "one", 5);
    put(c, "one", 6);
    assert_int_equal(token_cache_count(c), 1);
    assert_true(get(c, a, "one", &out));
    assert_string_equal(out.context->user_id, "one");
    assert_int_equal(out.revocations, 6);
    token_cache_digest(c, "one", 3, digest);
    token_cache_touch(c, digest, 9);
    token_cache_touch(c, digest, 8); /* A slower thread's older news. */
    assert_true(get(c, a, "one", &out));
    assert_int_equal(out.revocations, 9);
    token_cache_remove(c, digest);
    token_cache_remove(c, digest);
    token_cache_touch(c, digest, 10);
    assert_false(get(c, a, "one", &out));
    assert_int_equal(token_cache_count(c), 0);
    token_cache_free(c);
    token_cache_free(NULL);
    /* Held by the arena still. */
    assert_string_equal(out.context->project_id, "p1");
}

static void
test_bounded_and_keeps_what_is_used(void **state)
{
    struct token_cache *c = token_cache_new(64);
    struct token_cached out;
    char name[20];

    (void)state;
    put(c, "favourite", 0);
    for (int i = 0; i < 5000; i++) {
        _cleanup_(arena_freep) struct arena *a = arena_new();

        snprintf(name, sizeof(name), "token-%d", i);
        put(c, name, 0);
        assert_true(get(c, a, name, &out));
        assert_true(get(c, a, "favourite", &out));
        assert_true(token_cache_count(c) <= 64);
    }
    token_cache_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove),
        cmocka_unit_test(test_bounded_and_keeps_what_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
