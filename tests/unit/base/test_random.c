#include "base/random.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../asserts.h"

static void
test_below(void **state)
{
    static const uint64_t limits[] = { 1, 2, 3, 10, 1000, UINT64_MAX };
    int seen[10] = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        for (int j = 0; j < 1000; j++)
            assert_true(random_below(limits[i]) < limits[i]);
    }
    random_seed(1);
    for (int i = 0; i < 10000; i++)
        seen[random_below(10)]++;
    random_seed(0);
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        assert_in_range(seen[i], 850, 1150);
}

static void
test_bytes(void **state)
{
    unsigned char data[1001] = { 0 }, again[1001] = { 0 };
    size_t zeros = 0;

    (void)state;
    random_bytes(data, 1000);
    for (size_t i = 0; i < 1000; i++)
        zeros += data[i] == 0;
    assert_true(zeros < 50);
    assert_int_equal(data[1000], 0);

    random_seed(99);
    random_bytes(data, 1000);
    random_seed(99);
    random_bytes(again, 1000);
    assert_memory_equal(data, again, sizeof(data));
    random_seed(0);
    assert_true(random_uint64() != random_uint64());
}

/* What a child draws is neither what its parent nor what its sibling draws. */
static void
test_children_differ(void **state)
{
    uint64_t numbers[3] = { 0 };

    (void)state;
    random_uint64(); /* Something is buffered. */
    for (size_t i = 0; i < 2; i++) {
        int fds[2];
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
            uint64_t number = random_uint64();

            _exit(write(fds[1], &number, sizeof(number)) == sizeof(number) ? 0 : 1);
        }
        assert_int_equal(read(fds[0], &numbers[i], sizeof(numbers[i])), sizeof(numbers[i]));
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(fds[0]);
        close(fds[1]);
    }
    numbers[2] = random_uint64();
    assert_true(numbers[0] != numbers[1] && numbers[1] != numbers[2] && numbers[0] != numbers[2]);
}

enum { THREADS = 4, DRAWS = 2000 };

static void *
draw(void *object)
{
    uint64_t *numbers = object;

    for (size_t i = 0; i < DRAWS; i++)
        numbers[i] = random_uint64();
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void
test_threads_differ(void **state)
{
    static uint64_t numbers[THREADS * DRAWS];
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, numbers + i * DRAWS), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(numbers, ARRAY_SIZE(numbers), sizeof(*numbers), compare);
    for (size_t i = 1; i < ARRAY_SIZE(numbers); i++)
        assert_true(numbers[i - 1] != numbers[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_below), cmocka_unit_test(test_bytes),
                                        cmocka_unit_test(test_children_differ),
                                        cmocka_unit_test(test_threads_differ) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
