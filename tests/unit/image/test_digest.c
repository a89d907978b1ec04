/* Checksums by two threads: known answers for sizes around the buffers' borders, and an end at any moment. */
#include "services/image/digest.h"
#include "tests/unit/asserts.h"

static void
feed(struct digest *d, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t part = MIN(size - done, (size_t)DIGEST_BUFFER);

        memset(digest_buffer(d), 'a', part);
        digest_submit(d, part);
        done += part;
    }
}

static void
test_known(void **state)
{
    /* Of so many letters 'a': md5sum and the start of sha512sum. */
    static const struct {
        size_t size;
        const char *md5, *sha512;
    } cases[] = {
        { 0, "d41d8cd98f00b204e9800998ecf8427e", "cf83e1357eefb8bd" },
        { 1, "0cc175b9c0f1b6a831c399e269772661", "1f40fc92da241694" },
        { 1048576, "7202826a7791073fe2787f0c94603278", "f083039442f4a8ce" },
        { 1048577, "6f0555ac53cecbf068d354c08863805a", "bd7932b8b969a26c" },
        { 10485767, "fffd820ce77059bddb5912e96ca64d23", "e5596b2e16bfdfed" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(digest_freep) struct digest *d = digest_new();
        struct digests sums;

        feed(d, cases[i].size);
        digest_finish(d, &sums);
        assert_string_equal(sums.md5, cases[i].md5);
        assert_memory_equal(sums.sha512, cases[i].sha512, 16);
        assert_int_equal(strlen(sums.sha512), 128);
    }
}

static void
test_given_up(void **state)
{
    (void)state;
    for (size_t buffers = 0; buffers < 12; buffers++) {
        _cleanup_(digest_freep) struct digest *d = digest_new();

        feed(d, buffers * DIGEST_BUFFER);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
