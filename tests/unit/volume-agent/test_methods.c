/* The RPC methods over the simulated driver: what is refused before a driver sees it, and that each
 * may be repeated. */
#include "tests/unit/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/volume-agent/driver.h"
#include "services/volume-agent/service.h"

#define VOLUME "11111111-2222-4333-8444-000000000001"
#define CLONE "11111111-2222-4333-8444-000000000002"
#define SNAPSHOT "11111111-2222-4333-8444-000000000003"
#define ATTACHMENT "11111111-2222-4333-8444-000000000004"

struct fixture {
    struct volume_agent_config config;
    struct volume_agent agent;
    struct rpc_request request;
};

static void
open_sim(struct fixture *t)
{
    struct fault f = { 0 };

    assert_ok(volume_driver_find("sim")->open(&t->config, NULL, &t->agent.backend, &f));
}

static void
close_sim(struct fixture *t)
{
    t->agent.backend->driver->close(t->agent.backend);
}

static int
setup(void **state)
{
    struct fixture *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    t->config.nbd_address = "127.0.0.1";
    t->config.nbd_port = 10809;
    t->config.sim_capacity_gb = 100;
    t->agent.config = &t->config;
    t->request.arena = arena_new();
    t->request.owner = &t->agent;
    open_sim(t);
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *t = *state;

    close_sim(t);
    arena_free(t->request.arena);
    free(t);
    return 0;
}

#define IN(type, ...) (&(const struct type){ __VA_ARGS__ })
#define OK(method, ...)                                                                            \
    do {                                                                                           \
        struct fault _f = { 0 };                                                                   \
        if (method(&t->request, __VA_ARGS__, &_f) < 0)                                             \
            fail_msg("%s: %s", #method, _f.message);                                               \
    } while (0)
#define REFUSED(kind, part, method, ...)                                                           \
    do {                                                                                           \
        struct fault _f = { 0 };                                                                   \
        int _r = method(&t->request, __VA_ARGS__, &_f);                                            \
        assert_fault(_r, _f, kind, part);                                                          \
    } while (0)

static void
test_ids(void **state)
{
    static const char *const bad[] = { NULL,
                                       "",
                                       "x",
                                       "../../../../../../../../../etc/passwd",
                                       "11111111-2222-4333-8444-00000000000/",
                                       "11111111-2222-4333-8444-0000000000001",
                                       "11111111-2222-4333-8444-00000000000A" };
    struct fixture *t = *state;
    struct volume_export_out out = { 0 };

    for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
        REFUSED(FAULT_INVALID, "volume_id", volume_create,
                IN(volume_create_in, .volume_id = bad[n], .size_gb = 1));
        REFUSED(FAULT_INVALID, "volume_id", volume_delete,
                IN(volume_delete_in, .volume_id = bad[n]));
        REFUSED(FAULT_INVALID, "volume_id", volume_extend,
                IN(volume_extend_in, .volume_id = bad[n], .size_gb = 1));
        REFUSED(FAULT_INVALID, "attachment_id", volume_export,
                IN(volume_export_in, .volume_id = VOLUME, .attachment_id = bad[n]), &out);
        REFUSED(FAULT_INVALID, "attachment_id", volume_unexport,
                IN(volume_unexport_in, .volume_id = VOLUME, .attachment_id = bad[n]));
        REFUSED(FAULT_INVALID, "snapshot_id", snapshot_create,
                IN(snapshot_create_in, .snapshot_id = bad[n], .volume_id = VOLUME));
        REFUSED(FAULT_INVALID, "snapshot_id", snapshot_delete,
                IN(snapshot_delete_in, .snapshot_id = bad[n]));
        REFUSED(FAULT_INVALID, "source_volume_id", volume_clone,
                IN(volume_clone_in, .volume_id = VOLUME, .size_gb = 1, .source_volume_id = bad[n]));
    }
}

static void
test_sizes(void **state)
{
    static const int64_t bad[] = { 0, -1, INT64_MIN, INT64_MAX, 1048577 };
    struct fixture *t = *state;

    for (size_t n = 0; n < ARRAY_SIZE(bad); n++)
        REFUSED(FAULT_INVALID, "between", volume_create,
                IN(volume_create_in, .volume_id = VOLUME, .size_gb = bad[n]));
    OK(volume_create, IN(volume_create_in, .volume_id = VOLUME, .size_gb = 1048576));
}

static void
test_images(void **state)
{
    struct fixture *t = *state;
    struct volume_image image = { .id = CLONE, .size = 100, .url = "http://x/" };
    struct volume_create_from_image_in in = { .volume_id = VOLUME, .size_gb = 1 };
    struct volume_create_from_image_out out = { 0 };

    REFUSED(FAULT_INVALID, "not described", volume_create_from_image, &in, &out);
    in.image = &image;
    REFUSED(FAULT_INVALID, "not described", volume_create_from_image, &in, &out);
    image.checksum = "short";
    REFUSED(FAULT_INVALID, "not described", volume_create_from_image, &in, &out);
}

static void
test_repeated(void **state)
{
    struct fixture *t = *state;
    struct volume_export_out out = { 0 };
    struct volume_list_out list = { 0 };

    for (int n = 0; n < 2; n++) {
        OK(volume_create, IN(volume_create_in, .volume_id = VOLUME, .size_gb = 2));
        OK(snapshot_create, IN(snapshot_create_in, .snapshot_id = SNAPSHOT, .volume_id = VOLUME));
        OK(volume_create_from_snapshot, IN(volume_create_from_snapshot_in, .volume_id = CLONE,
                                           .size_gb = 2, .snapshot_id = SNAPSHOT));
        OK(volume_clone,
           IN(volume_clone_in, .volume_id = CLONE, .size_gb = 2, .source_volume_id = VOLUME));
        OK(volume_export, IN(volume_export_in, .volume_id = VOLUME, .attachment_id = ATTACHMENT),
           &out);
    }
    assert_string_equal("volume-" VOLUME "." ATTACHMENT, out.connection_info->export_name);
    OK(volume_list, &list);
    assert_int_equal(2, list.volumes_count);
    assert_int_equal(1, list.snapshots_count);
    REFUSED(FAULT_CONFLICT, "attached", volume_delete, IN(volume_delete_in, .volume_id = VOLUME));
    REFUSED(FAULT_CONFLICT, "attached", volume_extend,
            IN(volume_extend_in, .volume_id = VOLUME, .size_gb = 3));
    for (int n = 0; n < 2; n++) {
        OK(volume_unexport,
           IN(volume_unexport_in, .volume_id = VOLUME, .attachment_id = ATTACHMENT));
        OK(volume_extend, IN(volume_extend_in, .volume_id = VOLUME, .size_gb = 3));
        OK(snapshot_delete, IN(snapshot_delete_in, .snapshot_id = SNAPSHOT));
        OK(volume_delete, IN(volume_delete_in, .volume_id = CLONE));
    }
    OK(volume_delete, IN(volume_delete_in, .volume_id = VOLUME));
    memset(&list, 0, sizeof(list));
    OK(volume_list, &list);
    assert_int_equal(0, list.volumes_count + list.snapshots_count);
}

static void
test_ordered_failures(void **state)
{
    const char *failures[] = { "volume_create:2:2:UNAVAILABLE", "volume_delete:1:1:TOO_LARGE",
                               NULL };
    const char *wrong[] = { "volume_create:x:1:TIMEOUT", NULL };
    struct fixture *t = *state;
    struct volume_backend *b;
    struct fault f = { 0 };

    close_sim(t);
    t->config.sim_failures = failures;
    open_sim(t);
    OK(volume_create, IN(volume_create_in, .volume_id = VOLUME, .size_gb = 2));
    REFUSED(FAULT_UNAVAILABLE, "told to", volume_create,
            IN(volume_create_in, .volume_id = CLONE, .size_gb = 2));
    REFUSED(FAULT_UNAVAILABLE, "told to", volume_create,
            IN(volume_create_in, .volume_id = CLONE, .size_gb = 2));
    OK(volume_create, IN(volume_create_in, .volume_id = CLONE, .size_gb = 2));
    REFUSED(FAULT_TOO_LARGE, "told to", volume_delete, IN(volume_delete_in, .volume_id = CLONE));
    OK(volume_delete, IN(volume_delete_in, .volume_id = CLONE));
    t->config.sim_failures = wrong;
    assert_fault(volume_driver_find("sim")->open(&t->config, NULL, &b, &f), f, FAULT_INVALID,
                 "not a list");
}

static void
test_status(void **state)
{
    struct fixture *t = *state;
    struct backend_status status;
    struct fault f = { 0 };

    OK(volume_create, IN(volume_create_in, .volume_id = VOLUME, .size_gb = 30));
    assert_ok(t->agent.backend->driver->status(t->agent.backend, &status, &f));
    assert_int_equal((int64_t)100 << 30, status.capacity_bytes);
    assert_int_equal((int64_t)70 << 30, status.free_bytes);
    assert_int_equal((int64_t)30 << 30, status.provisioned_bytes);
    assert_true(status.up);
    assert_null(volume_driver_find("lvm"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_images, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ordered_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
