#include "base/arena.h"

#include "../asserts.h"
#include "base/array.h"

static void
test_alloc(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 4000, 8191, 8192, 8193, 70000, 1000000, 3 };

    (void)state;
    for (int round = 0; round < 3; round++) {
        size_t sum = 0;

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            unsigned char *piece = arena_alloc(a, sizes[i]);

            assert_int_equal((uintptr_t)piece % 16, 0);
            for (size_t j = 0; j < sizes[i]; j++)
                assert_int_equal(piece[j], 0);
            memset(piece, 0xaa, sizes[i]);
            sum += sizes[i];
        }
        assert_int_equal(arena_used(a), sum);
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
}

static void
test_pieces_do_not_overlap(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    unsigned char *pieces[2000];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        pieces[i] = arena_alloc(a, i);
        memset(pieces[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i & 0xff);
    }
}

static void
test_text(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    char large[5000];

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_null(arena_strdup(a, NULL));
    assert_null(arena_strndup(a, NULL, 0));
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
    assert_string_equal(arena_printf(a, "%d-%s", 7, "seven"), "7-seven");
    assert_string_equal(arena_printf(a, "%s", large), large);
    assert_memory_equal(arena_memdup(a, "a\0b", 3), "a\0b", 3);
    assert_non_null(arena_memdup(a, NULL, 0));
}

static char order[8];

static void
note(void *object)
{
    strncat(order, object, sizeof(order) - strlen(order) - 1);
}

static void
test_defer(void **state)
{
    static char one[] = "1", two[] = "2", three[] = "3";
    struct arena *a = arena_new();

    (void)state;
    order[0] = '\0';
    arena_defer(a, note, one);
    arena_defer(a, note, two);
    arena_reset(a);
    assert_string_equal(order, "21");
    arena_defer(a, note, three);
    arena_free(a);
    assert_string_equal(order, "213");
    arena_free(NULL);
}

struct item {
    int number;
    char text[20];
};

static void
test_array(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct item *items = NULL;
    size_t count = 0, capacity = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct item *item = ARRAY_PUSH(a, items, count, capacity);

        assert_int_equal(item->number, 0);
        assert_string_equal(item->text, "");
        item->number = i;
        snprintf(item->text, sizeof(item->text), "%d", i);
    }
    assert_int_equal(count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i].number, i);

    /* What was taken off the end does not shine through. */
    count = 500;
    assert_int_equal(ARRAY_PUSH(a, items, count, capacity)->number, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc), cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_text),  cmocka_unit_test(test_defer),
        cmocka_unit_test(test_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
