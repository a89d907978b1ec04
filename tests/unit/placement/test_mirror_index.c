/* The index of trees, against what it must be: trees come, go and change at random. */
#include "services/placement/mirror_index.h"

#include "services/placement/mirror.h"
#include "tests/unit/asserts.h"

#define TREES 300

/* A tree of one provider with room 'give' of class 0, and traits by 'kind'. */
struct fake {
    struct mirror_tree tree;
    struct mirror_provider provider, *members[1];
    struct mirror_stock stock;
    int32_t traits[2];
};

static struct fake fakes[TREES], *order[TREES];

static unsigned seed = 7;

static unsigned
pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return seed / 65536 % below;
}

static void
change(struct fake *f)
{
    f->stock =
        (struct mirror_stock){ .total = pick(1000), .max_unit = 1000, .allocation_ratio = 1 };
    f->traits[0] = (int32_t)pick(3);
    f->traits[1] = 3 + (int32_t)pick(3);
    f->provider = (struct mirror_provider){
        .stocks = &f->stock, .stocks_count = pick(10) > 0, .traits = f->traits, .traits_count = 2
    };
    f->members[0] = &f->provider;
    f->tree = (struct mirror_tree){ .members = f->members, .count = 1 };
}

static void
check(const struct mirror_index *x, size_t count)
{
    size_t users = 0;

    assert_int_equal(x->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct fake *f = order[i];
        const struct mirror_kind *k = &x->traits.items[x->trait_kinds[i]];

        assert_int_equal(x->classes[0].give[i],
                         f->provider.stocks_count == 0 ? -1 : f->stock.total);
        assert_true(mirror_kind_has(k, f->traits[0]) && mirror_kind_has(k, f->traits[1]));
        assert_int_equal(mirror_kind_has(k, MIRROR_KIND_CLASS(0)), f->provider.stocks_count);
        assert_int_equal(k->count, 2 + f->provider.stocks_count);
    }
    for (size_t b = 0; b * MIRROR_INDEX_BLOCK < count; b++) {
        int32_t most = -1;

        for (size_t i = b * MIRROR_INDEX_BLOCK; i < count && i < (b + 1) * MIRROR_INDEX_BLOCK; i++)
            most = x->classes[0].give[i] > most ? x->classes[0].give[i] : most;
        assert_int_equal(x->classes[0].most[b], most);
    }
    for (size_t i = 0; i < x->traits.count; i++)
        users += x->traits.items[i].users;
    assert_int_equal(users, count);
    assert_true(x->traits.count <= 19); /* Numbers of kinds that nobody has are used again. */
}

static void
test_random(void **state)
{
    struct mirror_index x = { 0 };
    size_t count = 0;

    (void)state;
    for (unsigned n = 0; n < 4000; n++) {
        unsigned what = pick(10);

        if ((what < 4 && count < TREES) || count == 0) {
            size_t at = pick(2) == 0 ? count : pick((unsigned)count + 1);
            struct fake *f = &fakes[count];

            for (size_t i = 0; i < TREES; i++) { /* One that is not in use. */
                size_t used = 0;

                for (size_t k = 0; k < count; k++)
                    used += order[k] == &fakes[i];
                if (used == 0)
                    f = &fakes[i];
            }
            memmove(&order[at + 1], &order[at], (count - at) * sizeof(order[0]));
            order[at] = f;
            count++;
            change(f);
            mirror_index_open(&x, at);
            mirror_index_put(&x, at, &f->tree);
        } else if (what < 6) {
            size_t at = pick((unsigned)count);

            memmove(&order[at], &order[at + 1], (count - at - 1) * sizeof(order[0]));
            count--;
            mirror_index_close(&x, at);
        } else {
            size_t at = pick((unsigned)count);

            change(order[at]);
            mirror_index_put(&x, at, &order[at]->tree);
        }
        check(&x, count);
    }
    mirror_index_done(&x);
}

/* What one provider could still give: whole units, of max_unit at most, never less than nothing. */
static void
test_give(void **state)
{
    static const struct {
        struct mirror_stock stock;
        int32_t give;
    } cases[] = {
        { { .total = 8, .max_unit = 100, .allocation_ratio = 16 }, 100 },
        { { .total = 8, .max_unit = 1000, .allocation_ratio = 16 }, 128 },
        { { .total = 8, .reserved = 2, .max_unit = 1000, .allocation_ratio = 1.5, .used = 3 }, 6 },
        { { .total = 3, .max_unit = 1000, .allocation_ratio = 1.5, .used = 4 }, 0 },
        { { .total = 8, .max_unit = 1000, .allocation_ratio = 1, .used = 20 }, 0 },
        { { .total = 8, .max_unit = INT64_MAX, .allocation_ratio = 1e38 }, INT32_MAX },
        { { .total = 1, .reserved = 1, .max_unit = 5, .allocation_ratio = 1 }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mirror_stock stock = cases[i].stock;
        struct mirror_provider p = { .stocks = &stock, .stocks_count = 1 }, *members[] = { &p };
        struct mirror_tree t = { .members = members, .count = 1 };
        struct mirror_index x = { 0 };

        mirror_index_open(&x, 0);
        mirror_index_put(&x, 0, &t);
        assert_int_equal(x.classes[0].give[0], cases[i].give);
        mirror_index_done(&x);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random),
                                        cmocka_unit_test(test_give) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
