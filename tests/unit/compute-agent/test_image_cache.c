#include "services/compute-agent/image_cache.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "services/compute-agent/folder.h"
#include "tests/unit/asserts.h"

#define IMAGE_ID "c0ffee00-0000-4000-8000-0000000000cc"

enum { SIZE = 8192 };

struct fixture {
    struct arena *a;
    char folder[64];
    struct image_cache *cache;
    struct guest_image image;
    char bytes[SIZE];
    size_t sent; /* Of 'bytes', by the source. */
    unsigned downloads;
    pthread_mutex_t mutex;
};

static int
send_bytes(void *owner, const struct guest_image *image,
           int (*sink)(void *o, const char *data, size_t size, struct fault *f), void *sink_owner,
           struct fault *f)
{
    struct fixture *x = owner;
    int r = 0;

    (void)image;
    pthread_mutex_lock(&x->mutex);
    x->downloads++;
    pthread_mutex_unlock(&x->mutex);
    for (size_t at = 0; r == 0 && at < x->sent; at += 1000)
        r = sink(sink_owner, x->bytes + at, MIN((size_t)1000, x->sent - at), f);
    return r;
}

static void
seal(struct fixture *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;

    EVP_Digest(x->bytes, SIZE, digest, &size, EVP_sha512(), NULL);
    x->image = (struct guest_image){ .image_id = IMAGE_ID,
                                     .size = SIZE,
                                     .disk_format = x->image.disk_format };
    x->image.hash_value = str_hex(x->a, digest, size);
    x->sent = SIZE;
}

static void
open_cache(struct fixture *x, int64_t max_bytes, int64_t max_s)
{
    struct image_source source = { send_bytes, x };
    struct fault f = { 0 };

    assert_ok(image_cache_open(&x->cache, arena_printf(x->a, "%s/images", x->folder), &source,
                               max_bytes, max_s, &f));
}

static int
setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .a = arena_new(),
                                .folder = "/tmp/virga-image-cache-XXXXXX",
                                .mutex = PTHREAD_MUTEX_INITIALIZER };
    if (mkdtemp(fixture.folder) == NULL)
        return -1;
    for (size_t i = 0; i < SIZE; i++)
        fixture.bytes[i] = (char)(i * 7 % 251);
    seal(&fixture);
    open_cache(&fixture, 0, 1000000);
    *state = &fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    image_cache_close(x->cache);
    arena_free(x->a);
    return folder_remove(x->folder);
}

static const char *
path(const struct fixture *x, const char *name)
{
    return arena_printf(x->a, "%s/%s", x->folder, name);
}

static const char *
cached(const struct fixture *x, const char *format)
{
    return arena_printf(x->a, "%s/images/" IMAGE_ID "-%.32s-%s.base", x->folder,
                        x->image.hash_value, format);
}

static int
take(struct fixture *x, const char *name, struct image_base *ret, struct fault *f)
{
    return image_cache_link(x->cache, x->a, &x->image, 0, path(x, name), ret, f);
}

static void
test_once(void **state)
{
    struct fixture *x = *state;
    struct image_base base;
    struct fault f = { 0 };
    struct stat st;

    assert_ok(take(x, "one", &base, &f));
    assert_string_equal(base.driver, "raw");
    assert_int_equal(base.virtual_bytes, SIZE);
    assert_ok(take(x, "two", &base, &f));
    assert_int_equal(x->downloads, 1);
    assert_int_equal(stat(path(x, "two"), &st), 0);
    assert_int_equal(st.st_nlink, 3);
    assert_int_equal(st.st_mode & 0777, 0600);
}

struct taker {
    struct fixture *x;
    const char *path;
    int result;
};

static void *
take_in_thread(void *argument)
{
    struct taker *t = argument;
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct image_base base;
    struct fault f = { 0 };

    t->result = image_cache_link(t->x->cache, a, &t->x->image, 0, t->path, &base, &f);
    return NULL;
}

static void
test_together(void **state)
{
    struct fixture *x = *state;
    struct taker takers[8];
    pthread_t threads[ARRAY_SIZE(takers)];

    for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
        takers[i] = (struct taker){ .x = x, .path = path(x, arena_printf(x->a, "guest-%zu", i)) };
        assert_int_equal(pthread_create(&threads[i], NULL, take_in_thread, &takers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
        pthread_join(threads[i], NULL);
        assert_ok(takers[i].result);
    }
    assert_int_equal(x->downloads, 1);
}

/* Whatever is wrong with it: refused, nothing kept, and the next try starts anew. */
static void
test_refused(void **state)
{
    static const struct {
        const char *what, *says;
        enum fault_kind kind;
    } cases[] = {
        { "short", "completely", FAULT_UNAVAILABLE },
        { "long", "larger than its record", FAULT_INVALID },
        { "hash", "checksum", FAULT_INVALID },
        { "qcow2 in raw", "not acceptable", FAULT_INVALID },
        { "raw in qcow2", "not acceptable", FAULT_INVALID },
        { "backing", "not acceptable", FAULT_INVALID },
        { "id", "malformed", FAULT_INVALID },
    };
    static const unsigned char qcow2[] = { 'Q', 'F', 'I', 0xfb, 0, 0,    0, 2, 0, 0,
                                           0,   0,   0,   0,    0, 0x70, 0, 0, 0, 11 };
    struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *what = cases[i].what;
        struct image_base base;
        struct fault f = { 0 };
        struct stat st;
        int r;

        x->image.disk_format = GUEST_IMAGE_DISK_FORMAT_RAW;
        memset(x->bytes, 0, SIZE);
        if (str_equal(what, "qcow2 in raw") || str_equal(what, "backing"))
            memcpy(x->bytes, qcow2, sizeof(qcow2));
        if (str_equal(what, "raw in qcow2") || str_equal(what, "backing"))
            x->image.disk_format = GUEST_IMAGE_DISK_FORMAT_QCOW2;
        seal(x);
        if (str_equal(what, "short"))
            x->sent = SIZE - 1;
        if (str_equal(what, "long"))
            x->image.size = SIZE - 1;
        if (str_equal(what, "hash"))
            x->bytes[100] = 1;
        if (str_equal(what, "id"))
            x->image.image_id = "../../../../etc/cron.d/x";
        r = take(x, "guest", &base, &f);
        assert_fault(r, f, cases[i].kind, cases[i].says);
        assert_int_equal(stat(path(x, "guest"), &st), -1);
        assert_int_equal(stat(cached(x, "raw"), &st), -1);
        assert_int_equal(stat(cached(x, "qcow2"), &st), -1);
    }
}

/* A14: a file of the cache that changed is not booted. */
static void
test_changed_on_disk(void **state)
{
    struct fixture *x = *state;
    struct image_base base;
    struct fault f = { 0 };
    FILE *file;
    char first;

    assert_ok(take(x, "one", &base, &f));
    unlink(path(x, "one"));
    file = fopen(cached(x, "raw"), "r+e");
    assert_non_null(file);
    fputs("evil", file);
    fclose(file);
    assert_ok(take(x, "two", &base, &f));
    assert_int_equal(x->downloads, 2);
    file = fopen(path(x, "two"), "re");
    assert_int_equal(fread(&first, 1, 1, file), 1);
    fclose(file);
    assert_int_equal(first, x->bytes[0]);
}

static void
test_touched_but_same(void **state)
{
    struct fixture *x = *state;
    struct image_base base;
    struct fault f = { 0 };
    const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

    assert_ok(take(x, "one", &base, &f));
    assert_int_equal(utimensat(-1, cached(x, "raw"), old, 0), 0);
    assert_ok(take(x, "two", &base, &f));
    assert_int_equal(x->downloads, 1);
}

static void
test_flavor_too_small(void **state)
{
    struct fixture *x = *state;
    struct image_base base;
    struct fault f = { 0 };
    int r = image_cache_link(x->cache, x->a, &x->image, SIZE - 512, path(x, "one"), &base, &f);

    assert_fault(r, f, FAULT_INVALID, "too small");
}

static void
test_eviction(void **state)
{
    struct fixture *x = *state;
    struct image_base base;
    struct fault f = { 0 };
    struct stat st;

    assert_ok(take(x, "one", &base, &f));
    image_cache_tend(x->cache); /* No room for unused ones, but this is used. */
    assert_int_equal(stat(cached(x, "raw"), &st), 0);
    unlink(path(x, "one"));
    image_cache_tend(x->cache);
    assert_int_equal(stat(cached(x, "raw"), &st), -1);

    image_cache_close(x->cache);
    open_cache(x, 1 << 20, 3600);
    assert_ok(take(x, "one", &base, &f));
    unlink(path(x, "one"));
    image_cache_tend(x->cache);
    assert_int_equal(stat(cached(x, "raw"), &st), 0);
    clock_set_us(clock_now_us() + INT64_C(7200) * 1000000);
    image_cache_tend(x->cache);
    clock_set_us(0);
    assert_int_equal(stat(cached(x, "raw"), &st), -1);
}

static void
test_crash_leaves_nothing(void **state)
{
    struct fixture *x = *state;
    struct fault f = { 0 };
    struct stat st;

    image_cache_close(x->cache);
    assert_ok(folder_write_file(path(x, "images/a.base.in"), "x", 1, &f));
    assert_ok(folder_write_file(path(x, "images/b.base"), "x", 1, &f));
    open_cache(x, 0, 0);
    assert_int_equal(stat(path(x, "images/a.base.in"), &st), -1);
    assert_int_equal(stat(path(x, "images/b.base"), &st), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_once),
        T(test_together),
        T(test_refused),
        T(test_changed_on_disk),
        T(test_touched_but_same),
        T(test_flavor_too_small),
        T(test_eviction),
        T(test_crash_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
