/* One request for metadata: who asks, may it, and with what it is answered. See
 * metadata_internal.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "guest/metadata.h"
#include "metadata_internal.h"

#define MAX_PATH 1024

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type, const void *data,
       size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result r;

    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    r = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return r;
}

static enum MHD_Result
answer_status(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, "text/plain; charset=UTF-8", text, strlen(text));
}

static enum MHD_Result
answer_not_found(struct MHD_Connection *connection)
{
    return answer_status(connection, MHD_HTTP_NOT_FOUND, "404 Not Found\n");
}

static enum MHD_Result
answer_document(struct MHD_Connection *connection, const json_t *facts, const char *path)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    const char *type, *data;
    size_t size;

    if (metadata_get(facts, path, a, &type, &data, &size, &f) < 0)
        return f.kind == FAULT_NOT_FOUND
                   ? answer_not_found(connection)
                   : answer_status(connection,
                                   fault_status(f.kind) > 0 ? (unsigned)fault_status(f.kind) : 500,
                                   "error\n");
    return answer(connection, MHD_HTTP_OK, type, data, size);
}

static const struct metadata_identity *
identify(struct metadata_server *m, const struct metadata_request *q)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *peer;
    char ip[INET_ADDRSTRLEN];

    if (info == NULL || info->client_addr == NULL || info->client_addr->sa_family != AF_INET)
        return NULL;
    peer = (const struct sockaddr_in *)(const void *)info->client_addr;
    inet_ntop(AF_INET, &peer->sin_addr, ip, sizeof(ip));
    return metadata_clients_find(m->clients, q->listener->netns, ip);
}

static const json_t *
find_facts(struct metadata_server *m, const char *instance_id)
{
    const struct metadata_facts *x = map_get(m->cache, instance_id);

    return x != NULL && clock_mono_ms() - x->at_ms <= m->source.cache_ms ? x->json : NULL;
}

static enum MHD_Result
begin(struct metadata_server *m, struct metadata_request *q, const char *method, const char *path)
{
    const struct metadata_identity *who = identify(m, q);
    const json_t *facts;

    m->requests++;
    if (who == NULL) {
        m->unknown++;
        return answer_not_found(q->connection);
    }
    if (!metadata_clients_take(m->clients, who->port_id, clock_mono_ms())) {
        m->limited++;
        return answer_status(q->connection, MHD_HTTP_TOO_MANY_REQUESTS, "429 Too Many Requests\n");
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_status(q->connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                             "405 Method Not Allowed\n");
    if (strlen(path) > MAX_PATH || path[0] != '/')
        return answer_not_found(q->connection);

    facts = find_facts(m, who->instance_id);
    if (facts != NULL)
        return answer_document(q->connection, facts, path);
    q->instance_id = memory_strdup(who->instance_id);
    q->progress = WAITING;
    list_append(&m->waiting, &q->link);
    MHD_suspend_connection(q->connection);
    pthread_cond_signal(&m->work);
    return MHD_YES;
}

enum MHD_Result
metadata_on_request(void *arg, struct MHD_Connection *connection, const char *path,
                    const char *method, const char *version, const char *upload,
                    size_t *upload_size, void **state)
{
    struct metadata_listener *l = arg;
    struct metadata_request *q = *state;

    (void)version;
    (void)upload;
    if (q == NULL) {
        q = memory_calloc(1, sizeof(*q));
        list_init(&q->link);
        q->listener = l;
        q->connection = connection;
        *state = q;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0; /* Nobody uploads anything here. */
        return MHD_YES;
    }
    switch (q->progress) {
    case NEW:
        return begin(l->server, q, method, path);
    case FETCHED: {
        const struct metadata_facts *x = map_get(l->server->cache, q->instance_id);

        if (x != NULL)
            return answer_document(connection, x->json, path);
        return answer_not_found(connection);
    }
    case ABSENT:
        return answer_not_found(connection);
    case WAITING:
    case FAILED:
        break;
    }
    return answer_status(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "503 Service Unavailable\n");
}

void
metadata_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct metadata_request *q = *state;

    (void)arg;
    (void)connection;
    (void)code;
    if (q == NULL)
        return;
    list_remove(&q->link);
    free(q->instance_id);
    free(q);
    *state = NULL;
}
