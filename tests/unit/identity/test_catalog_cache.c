#include "services/identity/catalog_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/asserts.h"

static void
put(struct catalog_cache *c, const char *key, const char *text)
{
    catalog_cache_put(c, key, catalog_cache_generation(c), text, strlen(text));
}

static void
test_generations(void **state)
{
    struct catalog_cache *c = catalog_cache_new();
    struct arena *a = arena_new();
    const char *kept;
    uint64_t before;
    size_t size = 0;

    (void)state;
    assert_null(catalog_cache_get(c, "p", a, &size));
    put(c, "p", "[1]");
    put(c, "", "[]");
    kept = catalog_cache_get(c, "p", a, &size);
    assert_string_equal(kept, "[1]");
    assert_int_equal(size, 3);
    assert_string_equal(catalog_cache_get(c, "", a, &size), "[]");
    assert_null(catalog_cache_get(c, "q", a, &size));

    before = catalog_cache_generation(c);
    catalog_cache_invalidate(c);
    assert_null(catalog_cache_get(c, "p", a, &size));
    catalog_cache_put(c, "p", before, "[old]", 5); /* Read before the change. */
    assert_null(catalog_cache_get(c, "p", a, &size));
    put(c, "p", "[2]");
    assert_string_equal(catalog_cache_get(c, "p", a, &size), "[2]");
    assert_null(catalog_cache_get(c, "", a, &size));

    catalog_cache_free(c);
    assert_string_equal(kept, "[1]"); /* As long as the arena. */
    arena_free(a);
    catalog_cache_free(NULL);
}

static void
test_bounds(void **state)
{
    struct catalog_cache *c = catalog_cache_new();
    struct arena *a = arena_new();
    char *huge = arena_alloc(a, 1 << 20);
    size_t size, found = 0;
    char key[16];

    (void)state;
    memset(huge, 'x', (1 << 20) - 1);
    put(c, "huge", huge);
    assert_null(catalog_cache_get(c, "huge", a, &size));
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        put(c, key, key);
        assert_string_equal(catalog_cache_get(c, key, a, &size), key);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof(key), "%d", i);
        found += catalog_cache_get(c, key, a, &size) != NULL;
    }
    assert_in_range(found, 1, 512);
    catalog_cache_free(c);
    arena_free(a);
}

enum { READERS = 4, CHANGES = 2000 };

struct race {
    struct catalog_cache *c;
    atomic_int truth;     /* What a reading of the database would say. */
    atomic_int committed; /* The newest change that has been answered. */
    atomic_int stale;
};

/* What is got after a change was answered says at least that change. */
static void *
read_on(void *object)
{
    struct race *r = object;
    struct arena *a = arena_new();

    while (atomic_load(&r->committed) < CHANGES) {
        int least = atomic_load(&r->committed);
        uint64_t generation = catalog_cache_generation(r->c);
        size_t size;
        const char *text = catalog_cache_get(r->c, "p", a, &size);
        char made[16];

        if (text == NULL) {
            snprintf(made, sizeof(made), "%d", atomic_load(&r->truth));
            catalog_cache_put(r->c, "p", generation, made, strlen(made));
        } else if (strtol(text, NULL, 10) < least) {
            atomic_fetch_add(&r->stale, 1);
        }
        arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

static void
test_race(void **state)
{
    struct race r = { .c = catalog_cache_new() };
    pthread_t threads[READERS];

    (void)state;
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, read_on, &r);
    for (int i = 1; i <= CHANGES; i++) {
        atomic_store(&r.truth, i);
        catalog_cache_invalidate(r.c);
        atomic_store(&r.committed, i);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&r.stale), 0);
    catalog_cache_free(r.c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_race),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
