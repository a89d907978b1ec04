/* Volumes that exist in memory only: for tests of the service above, and for measuring it.
 *
 * Behaves as the file driver does where the service can see it: the same refusals, the same
 * idempotence. Failures are ordered by configuration, "method:first:count:KIND": from its 'first'
 * call on, 'count' calls of the method fail. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/uuid.h"
#include "driver.h"
#include "service.h"

#define FAILURES_MAX 32
#define GIB ((int64_t)1 << 30)

struct sim_volume {
    int64_t size_gb;
    struct map *exports; /* By attachment id; no values. */
};

struct sim_snapshot {
    char volume_id[UUID_TEXT];
    int64_t size_gb;
};

struct sim_failure {
    char method[48];
    int64_t first, count, calls;
    enum fault_kind kind;
};

struct sim {
    struct volume_backend base;
    const struct volume_agent_config *config;
    pthread_mutex_t mutex;
    pthread_cond_t never; /* What delays wait for. */
    struct map *volumes GUARDED_BY(mutex);
    struct map *snapshots GUARDED_BY(mutex);
    struct sim_failure failures[FAILURES_MAX] GUARDED_BY(mutex);
    size_t failures_count;
};

static struct sim *
sim_of(struct volume_backend *b)
{
    return CONTAINER_OF(b, struct sim, base);
}

static void
free_volume(void *value)
{
    struct sim_volume *v = value;

    map_free(v->exports);
    free(v);
}

static int
read_failure(struct sim *s, const char *text, struct fault *f)
{
    struct arena *a = arena_new();
    struct sim_failure *rule = &s->failures[s->failures_count];
    size_t count;
    char **part = str_split(a, text, ':', &count);
    bool good = count == 4 && s->failures_count < FAILURES_MAX &&
                strlen(part[0]) < sizeof(rule->method) &&
                str_to_int64(part[1], 1, 1000000, &rule->first) == 0 &&
                str_to_int64(part[2], 1, 1000000, &rule->count) == 0;

    if (good) {
        memcpy(rule->method, part[0], strlen(part[0]) + 1);
        rule->kind = fault_kind_from_name(part[3]);
        s->failures_count++;
    }
    arena_free(a);
    return good ? 0
                : fault_raise_field(f, "sim.failures", "is not a list of method:first:count:KIND");
}

/* Lets the configured time pass, then fails if this call is to fail. On success the mutex is held.
 */
static int
enter(struct sim *s, const char *method, struct fault *f)
{
    int64_t until = clock_mono_ms() + s->config->sim_delay_ms;
    struct timespec at = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

    pthread_mutex_lock(&s->mutex);
    while (clock_mono_ms() < until && pthread_cond_timedwait(&s->never, &s->mutex, &at) == 0)
        ;
    for (size_t n = 0; n < s->failures_count; n++) {
        struct sim_failure *rule = &s->failures[n];

        if (!str_equal(rule->method, method) || ++rule->calls < rule->first ||
            rule->calls >= rule->first + rule->count)
            continue;
        pthread_mutex_unlock(&s->mutex);
        return fault_raise(f, rule->kind, "%s fails because it is told to.", method);
    }
    return 0;
}

static int
leave(struct sim *s, int r)
{
    pthread_mutex_unlock(&s->mutex);
    return r;
}

static int
add_volume(struct sim *s, const char *id, int64_t size_gb)
{
    struct sim_volume *v = memory_calloc(1, sizeof(*v));

    v->size_gb = size_gb;
    v->exports = map_new(NULL);
    map_set(s->volumes, id, v);
    return 0;
}

static int
need_volume(struct sim *s, const char *id, struct sim_volume **ret, struct fault *f)
{
    *ret = map_get(s->volumes, id);
    return *ret != NULL ? 0 : fault_raise(f, FAULT_NOT_FOUND, "Volume %s could not be found.", id);
}

static int
check_larger(int64_t size_gb, int64_t source_gb, struct fault *f)
{
    if (size_gb >= source_gb)
        return 0;
    return fault_raise_field(
        f, "size_gb", "Volume size %lld GB cannot be smaller than its source's size %lld GB.",
        (long long)size_gb, (long long)source_gb);
}

static int
sim_create(struct volume_backend *b, const struct volume_create_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    int r = enter(s, "volume_create", f);

    if (r < 0)
        return r;
    return leave(s, map_has(s->volumes, in->volume_id) ? 0
                                                       : add_volume(s, in->volume_id, in->size_gb));
}

/* The image is taken to be as large as its file. */
static int
sim_create_from_image(struct volume_backend *b, struct arena *a,
                      const struct volume_create_from_image_in *in, int64_t *ret_virtual_bytes,
                      struct fault *f)
{
    struct sim *s = sim_of(b);
    int r = enter(s, "volume_create_from_image", f);

    (void)a;
    if (r < 0)
        return r;
    if (!map_has(s->volumes, in->volume_id))
        r = check_larger(in->size_gb, (in->image->size + GIB - 1) / GIB, f);
    if (r == 0 && !map_has(s->volumes, in->volume_id))
        r = add_volume(s, in->volume_id, in->size_gb);
    *ret_virtual_bytes = in->image->size;
    return leave(s, r);
}

static int
sim_create_from_snapshot(struct volume_backend *b, const struct volume_create_from_snapshot_in *in,
                         struct fault *f)
{
    struct sim *s = sim_of(b);
    const struct sim_snapshot *snapshot;
    int r = enter(s, "volume_create_from_snapshot", f);

    if (r < 0)
        return r;
    if (map_has(s->volumes, in->volume_id))
        return leave(s, 0);
    snapshot = map_get(s->snapshots, in->snapshot_id);
    if (snapshot == NULL)
        return leave(s, fault_raise(f, FAULT_NOT_FOUND, "Snapshot %s could not be found.",
                                    in->snapshot_id));
    r = check_larger(in->size_gb, snapshot->size_gb, f);
    return leave(s, r < 0 ? r : add_volume(s, in->volume_id, in->size_gb));
}

static int
sim_clone(struct volume_backend *b, const struct volume_clone_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct sim_volume *source;
    int r = enter(s, "volume_clone", f);

    if (r < 0)
        return r;
    if (map_has(s->volumes, in->volume_id))
        return leave(s, 0);
    r = need_volume(s, in->source_volume_id, &source, f);
    if (r == 0)
        r = check_larger(in->size_gb, source->size_gb, f);
    return leave(s, r < 0 ? r : add_volume(s, in->volume_id, in->size_gb));
}

static int
sim_extend(struct volume_backend *b, const struct volume_extend_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct sim_volume *v;
    int r = enter(s, "volume_extend", f);

    if (r < 0)
        return r;
    r = need_volume(s, in->volume_id, &v, f);
    if (r == 0)
        r = check_larger(in->size_gb, v->size_gb, f);
    if (r == 0 && in->size_gb > v->size_gb && map_count(v->exports) > 0)
        r = fault_raise(f, FAULT_CONFLICT,
                        "Volume %s is attached; it can be extended after it is detached.",
                        in->volume_id);
    if (r == 0)
        v->size_gb = in->size_gb;
    return leave(s, r);
}

static int
sim_delete(struct volume_backend *b, const struct volume_delete_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    const struct sim_volume *v;
    int r = enter(s, "volume_delete", f);

    if (r < 0)
        return r;
    v = map_get(s->volumes, in->volume_id);
    if (v != NULL && map_count(v->exports) > 0)
        return leave(s, fault_raise(f, FAULT_CONFLICT, "Volume %s is attached.", in->volume_id));
    map_remove(s->volumes, in->volume_id);
    return leave(s, 0);
}

static int
sim_export(struct volume_backend *b, struct arena *a, const struct volume_export_in *in,
           struct volume_connection *ret, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct sim_volume *v;
    int r = enter(s, "volume_export", f);

    if (r < 0)
        return r;
    r = need_volume(s, in->volume_id, &v, f);
    if (r < 0)
        return leave(s, r);
    map_set(v->exports, in->attachment_id, v);
    ret->driver_volume_type = VOLUME_CONNECTION_DRIVER_VOLUME_TYPE_NBD;
    ret->host = s->config->nbd_address;
    ret->port = s->config->nbd_port;
    ret->export_name = arena_printf(a, "volume-%s.%s", in->volume_id, in->attachment_id);
    ret->read_only = in->read_only;
    return leave(s, 0);
}

static int
sim_unexport(struct volume_backend *b, const struct volume_unexport_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct sim_volume *v;
    int r = enter(s, "volume_unexport", f);

    if (r < 0)
        return r;
    v = map_get(s->volumes, in->volume_id);
    if (v != NULL)
        map_remove(v->exports, in->attachment_id);
    return leave(s, 0);
}

static int
sim_snapshot_create(struct volume_backend *b, const struct snapshot_create_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct sim_snapshot *snapshot;
    struct sim_volume *v;
    int r = enter(s, "snapshot_create", f);

    if (r < 0)
        return r;
    snapshot = map_get(s->snapshots, in->snapshot_id);
    if (snapshot != NULL && !str_equal(snapshot->volume_id, in->volume_id))
        return leave(s, fault_raise(f, FAULT_CONFLICT, "Snapshot %s is of another volume.",
                                    in->snapshot_id));
    if (snapshot != NULL)
        return leave(s, 0);
    r = need_volume(s, in->volume_id, &v, f);
    if (r < 0)
        return leave(s, r);
    snapshot = memory_calloc(1, sizeof(*snapshot));
    snprintf(snapshot->volume_id, sizeof(snapshot->volume_id), "%s", in->volume_id);
    snapshot->size_gb = v->size_gb;
    map_set(s->snapshots, in->snapshot_id, snapshot);
    return leave(s, 0);
}

static int
sim_snapshot_delete(struct volume_backend *b, const struct snapshot_delete_in *in, struct fault *f)
{
    struct sim *s = sim_of(b);
    int r = enter(s, "snapshot_delete", f);

    if (r < 0)
        return r;
    map_remove(s->snapshots, in->snapshot_id);
    return leave(s, 0);
}

static void
list_volume(struct arena *a, const char *id, const struct sim_volume *v, struct volume_held *ret)
{
    struct map_at at = { 0 };

    ret->volume_id = arena_strdup(a, id);
    ret->size_gb = v->size_gb;
    ret->attachment_ids.items = ARENA_ARRAY(a, const char *, map_count(v->exports) + 1);
    while (map_next(v->exports, &at))
        ret->attachment_ids.items[ret->attachment_ids.count++] = arena_strdup(a, at.key);
}

static int
sim_list(struct volume_backend *b, struct arena *a, struct volume_list_out *ret, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct map_at at = { 0 };
    int r = enter(s, "volume_list", f);

    if (r < 0)
        return r;
    ret->volumes = ARENA_ARRAY(a, struct volume_held, map_count(s->volumes) + 1);
    while (map_next(s->volumes, &at))
        list_volume(a, at.key, at.value, &ret->volumes[ret->volumes_count++]);
    ret->snapshots = ARENA_ARRAY(a, struct snapshot_held, map_count(s->snapshots) + 1);
    at = (struct map_at){ 0 };
    while (map_next(s->snapshots, &at)) {
        const struct sim_snapshot *snapshot = at.value;

        ret->snapshots[ret->snapshots_count++] = (struct snapshot_held){
            .snapshot_id = arena_strdup(a, at.key),
            .volume_id = arena_strdup(a, snapshot->volume_id),
            .size_gb = snapshot->size_gb,
        };
    }
    return leave(s, 0);
}

static int
sim_status(struct volume_backend *b, struct backend_status *ret, struct fault *f)
{
    struct sim *s = sim_of(b);
    struct map_at at = { 0 };

    (void)f;
    *ret = (struct backend_status){
        .capacity_bytes = s->config->sim_capacity_gb * GIB,
        .up = true,
        .thin_provisioning = true,
        .multiattach = true,
        .online_snapshot = true,
    };
    pthread_mutex_lock(&s->mutex);
    while (map_next(s->volumes, &at))
        ret->provisioned_bytes += ((const struct sim_volume *)at.value)->size_gb * GIB;
    ret->volume_count = (int64_t)map_count(s->volumes);
    pthread_mutex_unlock(&s->mutex);
    ret->free_bytes = MAX(ret->capacity_bytes - ret->provisioned_bytes, 0);
    return 0;
}

static void
sim_close(struct volume_backend *b)
{
    struct sim *s = sim_of(b);

    map_free(s->volumes);
    map_free(s->snapshots);
    pthread_cond_destroy(&s->never);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static int
sim_open(const struct volume_agent_config *config, struct image_source *images,
         struct volume_backend **ret, struct fault *f)
{
    struct sim *s = memory_calloc(1, sizeof(*s));
    pthread_condattr_t attributes;

    (void)images;
    s->base.driver = &volume_driver_sim;
    s->config = config;
    s->volumes = map_new(free_volume);
    s->snapshots = map_new(free);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->never, &attributes);
    pthread_condattr_destroy(&attributes);
    for (const char **rule = config->sim_failures; rule != NULL && *rule != NULL; rule++) {
        int r = read_failure(s, *rule, f);

        if (r < 0) {
            sim_close(&s->base);
            return r;
        }
    }
    *ret = &s->base;
    return 0;
}

const struct volume_driver volume_driver_sim = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .create = sim_create,
    .create_from_image = sim_create_from_image,
    .create_from_snapshot = sim_create_from_snapshot,
    .clone = sim_clone,
    .extend = sim_extend,
    .delete = sim_delete,
    .export = sim_export,
    .unexport = sim_unexport,
    .snapshot_create = sim_snapshot_create,
    .snapshot_delete = sim_snapshot_delete,
    .list = sim_list,
    .status = sim_status,
};
