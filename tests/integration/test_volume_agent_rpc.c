/* virga-volume-agent as a process, on a real broker: this program is the block storage service, the
 * image service and the guest. Argument: the agent's program. It uses 127.0.0.1:23001 for exports.
 */
#include "tests/unit/asserts.h"

#include <libnbd.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "tests/lib/broker.h"
#include "volume_agent_rpc.h"
#include "volume_rpc.h"

#define HOST "hosta"
#define PORT "23001"
#define GIB ((int64_t)1 << 30)
#define IMAGE_BYTES (1 << 20)

static const char *program;
static char folder[] = "/tmp/test-volume-agent-rpc-XXXXXX";
static struct broker *broker;
static struct rpc *rpc;
static struct arena *arena;
static pid_t agent;

/* --- The service's side: reports come in. */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static int reports GUARDED_BY(mutex);
static struct backend_report_in last GUARDED_BY(mutex);

int
backend_report(struct rpc_request *request, const struct backend_report_in *in, struct fault *f)
{
    (void)f;
    assert_string_equal(HOST, in->host);
    assert_string_equal(HOST, request->from_host);
    assert_string_equal("file", in->backend_name);
    pthread_mutex_lock(&mutex);
    last = *in;
    reports++;
    pthread_cond_broadcast(&came);
    pthread_mutex_unlock(&mutex);
    return 0;
}

/* Until more than 'count' reports have come. */
static void
await_report(int count)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&mutex);
    while (reports <= count && r == 0)
        r = pthread_cond_timedwait(&came, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    assert_int_equal(0, r);
}

static int
reports_now(void)
{
    int count;

    pthread_mutex_lock(&mutex);
    count = reports;
    pthread_mutex_unlock(&mutex);
    return count;
}

/* --- The image service: one answer to whoever asks. */

static char image[IMAGE_BYTES];
static int image_listener;
static pthread_t image_thread;

static void *
serve_image(void *unused)
{
    char request[4096], head[128];
    int fd;

    (void)unused;
    while ((fd = accept(image_listener, NULL, NULL)) >= 0) {
        ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
        bool found;

        request[MAX(n, 0)] = '\0';
        found = str_starts(request, "GET /image ");
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
                 found ? "200 OK" : "404 Not Found", found ? IMAGE_BYTES : 0);
        send(fd, head, strlen(head), MSG_NOSIGNAL);
        for (size_t at = 0; found && at < IMAGE_BYTES;) {
            n = send(fd, image + at, IMAGE_BYTES - at, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            at += (size_t)n;
        }
        close(fd);
    }
    return NULL;
}

static int
start_images(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    memset(image, 'i', sizeof(image));
    image_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(image_listener, (struct sockaddr *)&address, size));
    assert_int_equal(0, listen(image_listener, 8));
    assert_int_equal(0, getsockname(image_listener, (struct sockaddr *)&address, &size));
    assert_int_equal(0, pthread_create(&image_thread, NULL, serve_image, NULL));
    return ntohs(address.sin_port);
}

/* --- The agent. */

static void
start_agent(void)
{
    const char *path = arena_printf(arena, "%s/agent.conf", folder);
    const char *const argv[] = { program, "--config", path, NULL };
    int before = reports_now();
    struct fault f = { 0 };
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file,
            "[daemon]\nstate_dir = %s\nhost = " HOST "\n[rpc]\nurl = %s\n"
            "[file]\nnbd_address = 127.0.0.1\nnbd_port = " PORT
            "\n[volume]\nreport_interval = 3600\n",
            folder, broker_url(broker, arena, "agent@" HOST));
    fclose(file);
    if (process_start(argv, NULL, arena_printf(arena, "%s/agent.log", folder), &agent, &f) < 0)
        fail_msg("%s", f.cause);
    await_report(before);
}

static void
kill_agent(void)
{
    assert_int_equal(0, kill(agent, SIGKILL));
    process_stop(agent, 0, 5000); /* Reaps it. */
}

static void
end_storage_daemon(void)
{
    json_t *state =
        json_load_file(arena_printf(arena, "%s/volumes/storage-daemon.json", folder), 0, NULL);

    process_stop((pid_t)json_integer_value(json_object_get(state, "pid")),
                 (uint64_t)json_integer_value(json_object_get(state, "start_time")), 5000);
    json_decref(state);
}

/* SIGTERM: it ends by itself, with 0 (a sanitizer's report would be something else). */
static void
stop_agent(void)
{
    int status = -1;

    assert_int_equal(0, kill(agent, SIGTERM));
    assert_int_equal(agent, waitpid(agent, &status, 0));
    assert_int_equal(0, status);
}

static int
setup(void **state)
{
    struct rpc_options options = { .name = "volume", .host = "" };
    struct fault f = { 0 };

    (void)state;
    arena = arena_new();
    assert_non_null(mkdtemp(folder));
    broker = broker_open();
    options.url = broker_url(broker, arena, "virga");
    assert_ok(rpc_open(&rpc, &options, &f));
    assert_ok(rpc_serve(rpc, "volume", volume_methods, volume_methods_count, NULL, &f));
    start_agent();
    return 0;
}

static int
teardown(void **state)
{
    struct process_run run = { .argv = (const char *const[]){ "rm", "-rf", folder, NULL } };
    struct fault f = { 0 };

    (void)state;
    stop_agent();
    end_storage_daemon();
    rpc_close(rpc);
    broker_close(broker);
    process_run(arena, &run, &f);
    arena_free(arena);
    return 0;
}

#define IN(type, ...) (&(const struct type){ __VA_ARGS__ })
#define CALL(method, ...)                                                                          \
    do {                                                                                           \
        struct fault _f = { 0 };                                                                   \
        if (method##_call(rpc, HOST, uuid_make(arena), arena, __VA_ARGS__, &_f) < 0)               \
            fail_msg("%s: %s %s", #method, _f.message, _f.cause);                                  \
    } while (0)

static struct nbd_handle *
dial(const struct volume_connection *c)
{
    struct nbd_handle *nbd = nbd_create();

    nbd_set_export_name(nbd, c->export_name);
    if (nbd_connect_tcp(nbd, c->host, PORT) < 0)
        fail_msg("%s", nbd_get_error());
    return nbd;
}

static void
test_report(void **state)
{
    (void)state;
    pthread_mutex_lock(&mutex);
    assert_true(last.capacity_bytes > 0 && last.free_bytes > 0 &&
                last.free_bytes <= last.capacity_bytes);
    assert_int_equal(BACKEND_REPORT_IN_STATE_UP, last.state);
    assert_int_equal(3600, last.interval_s);
    pthread_mutex_unlock(&mutex);
}

static void
test_life_through_a_crash(void **state)
{
    const char *volume = uuid_make(arena), *attachment = uuid_make(arena);
    struct volume_export_in export = { .volume_id = volume,
                                       .attachment_id = attachment,
                                       .client_address = "127.0.0.1" };
    struct volume_export_out out = { 0 };
    struct volume_list_out list = { 0 };
    struct nbd_handle *nbd;
    char byte = 'v';
    struct fault f = { 0 };

    (void)state;
    CALL(volume_create, IN(volume_create_in, .volume_id = volume, .size_gb = 1));
    CALL(volume_export, &export, &out);
    nbd = dial(out.connection_info);
    assert_int_equal(0, nbd_pwrite(nbd, &byte, 1, 4096, 0));
    kill_agent();
    assert_int_equal(0, nbd_pread(nbd, &byte, 1, 4096, 0)); /* The guest goes on. */
    start_agent();
    byte = 0;
    assert_int_equal(0, nbd_pread(nbd, &byte, 1, 4096, 0));
    assert_int_equal('v', byte);
    CALL(volume_list, &list);
    assert_int_equal(1, list.volumes_count);
    assert_string_equal(attachment, list.volumes[0].attachment_ids.items[0]);
    nbd_close(nbd);
    assert_fault(volume_delete_call(rpc, HOST, uuid_make(arena), arena,
                                    IN(volume_delete_in, .volume_id = volume), &f),
                 f, FAULT_CONFLICT, "is attached");
    CALL(volume_unexport, IN(volume_unexport_in, .volume_id = volume, .attachment_id = attachment));
    CALL(volume_delete, IN(volume_delete_in, .volume_id = volume));
    CALL(volume_delete, IN(volume_delete_in, .volume_id = volume));
}

static void
test_image_over_http(void **state)
{
    int port = start_images();
    unsigned char hash[64];
    struct volume_image wanted = { .id = uuid_make(arena),
                                   .size = IMAGE_BYTES,
                                   .disk_format = VOLUME_IMAGE_DISK_FORMAT_RAW };
    struct volume_create_from_image_in in = { .volume_id = uuid_make(arena),
                                              .size_gb = 1,
                                              .image = &wanted };
    struct volume_create_from_image_out out = { 0 };
    struct volume_export_out where = { 0 };
    struct nbd_handle *nbd;
    struct fault f = { 0 };
    char byte = 0;

    (void)state;
    assert_int_equal(1, EVP_Digest(image, sizeof(image), hash, NULL, EVP_sha512(), NULL));
    wanted.checksum = str_hex(arena, hash, sizeof(hash));
    wanted.url = arena_printf(arena, "http://127.0.0.1:%d/other", port);
    assert_fault(volume_create_from_image_call(rpc, HOST, uuid_make(arena), arena, &in, &out, &f),
                 f, FAULT_NOT_FOUND, "could not be");
    wanted.url = arena_printf(arena, "http://127.0.0.1:%d/image", port);
    CALL(volume_create_from_image, &in, &out);
    assert_int_equal(IMAGE_BYTES, out.virtual_bytes);
    CALL(volume_export, IN(volume_export_in, .volume_id = in.volume_id, .attachment_id = wanted.id),
         &where);
    nbd = dial(where.connection_info);
    assert_int_equal(0, nbd_pread(nbd, &byte, 1, IMAGE_BYTES - 1, 0));
    assert_int_equal('i', byte);
    assert_int_equal(0, nbd_pread(nbd, &byte, 1, IMAGE_BYTES, 0));
    assert_int_equal(0, byte);
    nbd_close(nbd);
    CALL(volume_unexport,
         IN(volume_unexport_in, .volume_id = in.volume_id, .attachment_id = wanted.id));
    CALL(volume_delete, IN(volume_delete_in, .volume_id = in.volume_id));
    shutdown(image_listener, SHUT_RDWR);
    pthread_join(image_thread, NULL);
    close(image_listener);
}

/* A message with ids that are none goes no further than the method. */
static void
test_forged(void **state)
{
    struct fault f = { 0 };

    (void)state;
    assert_fault(volume_create_call(rpc, HOST, uuid_make(arena), arena,
                                    IN(volume_create_in, .volume_id = "../../etc/x", .size_gb = 1),
                                    &f),
                 f, FAULT_INVALID, "not a UUID");
}

int
main(void)
{
    static char path[4096];
    const char *build = getenv("VIRGA_BUILD");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_life_through_a_crash),
        cmocka_unit_test(test_image_over_http),
        cmocka_unit_test(test_forged),
    };

    if (build == NULL) {
        fprintf(stderr, "VIRGA_BUILD: the folder with bin/virga-volume-agent\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/bin/virga-volume-agent", build);
    program = path;
    return cmocka_run_group_tests(tests, setup, teardown);
}
