#include "remote.h"

#include <pthread.h>

#include "base/json.h"
#include "base/str.h"
#include "http/url.h"

/* Threads of sagas and RPCs keep a client each, for its kept-alive connections. */
static pthread_key_t client_key;
static pthread_once_t client_once = PTHREAD_ONCE_INIT;

static void
free_client(void *client)
{
    http_client_free(client);
}

static void
make_key(void)
{
    pthread_key_create(&client_key, free_client);
}

static struct http_client *
thread_client(void)
{
    struct http_client *client;

    pthread_once(&client_once, make_key);
    client = pthread_getspecific(client_key);
    if (client == NULL) {
        client = http_client_new(NULL);
        pthread_setspecific(client_key, client);
    }
    return client;
}

struct remote
remote_for_call(struct call *call)
{
    return (struct remote){ .compute = compute_of(call),
                            .http = call->client,
                            .arena = call->arena,
                            .request_id = call->request_id,
                            .user_token = http_header(call->request, "X-Auth-Token") };
}

struct remote
remote_for_run(struct saga_run *run)
{
    return (struct remote){ .compute = run->service,
                            .http = thread_client(),
                            .arena = run->arena,
                            .request_id = run->request_id };
}

struct remote
remote_for_service(struct compute *compute, struct arena *a)
{
    return (struct remote){ .compute = compute, .http = thread_client(), .arena = a };
}

static int
send_version(struct remote *r, enum http_method method, const char *service, const char *path,
             const json_t *body, const char *version, json_t **ret, struct fault *f)
{
    struct service_call x = { .service_type = service,
                              .method = method,
                              .path = path,
                              .body = body,
                              .microversion = version,
                              .request_id = r->request_id,
                              .token = r->user_token };

    if (service_call_run(r->compute->services, r->http, r->arena, &x, f) < 0)
        return -1;
    if (ret != NULL)
        *ret = x.answer;
    return 0;
}

int
remote_send(struct remote *r, enum http_method method, const char *service, const char *path,
            const json_t *body, json_t **ret, struct fault *f)
{
    return send_version(r, method, service, path, body, NULL, ret, f);
}

/* GET, and of the answer one member. */
static int
get_member(struct remote *r, const char *service, const char *path, const char *member,
           json_t **ret, struct fault *f)
{
    json_t *answer;

    if (remote_send(r, HTTP_GET, service, path, NULL, &answer, f) < 0)
        return -1;
    *ret = json_object_get(answer, member);
    return *ret == NULL ? fault_raise_cause(f, "%s answered without %s", service, member) : 0;
}

/* What is gone already is success. */
static int
gone_is_fine(int r, struct fault *f)
{
    if (r == 0 || f->kind != FAULT_NOT_FOUND)
        return r;
    fault_clear(f);
    return 0;
}

/* --- Image */

int
remote_image(struct remote *r, const char *image_id, json_t **ret, struct fault *f)
{
    return remote_send(r, HTTP_GET, "image",
                       arena_printf(r->arena, "/v2/images/%s", url_encode(r->arena, image_id)),
                       NULL, ret, f);
}

char *
remote_image_url(struct remote *r, const char *image_id, struct fault *f)
{
    char *endpoint;

    if (service_endpoint(r->compute->services, r->http, r->arena, "image", &endpoint, f) < 0)
        return NULL;
    return arena_printf(r->arena, "%s/v2/images/%s/file", endpoint, image_id);
}

/* --- Network */

int
remote_network(struct remote *r, const char *network_id, json_t **ret, struct fault *f)
{
    return get_member(r, "network",
                      arena_printf(r->arena, "/v2.0/networks/%s", url_encode(r->arena, network_id)),
                      "network", ret, f);
}

int
remote_networks_of(struct remote *r, const char *project_id, json_t **ret, struct fault *f)
{
    json_t *own, *shared, *network;
    json_t *all = json_own(r->arena, json_array());
    size_t i;

    if (get_member(r, "network",
                   arena_printf(r->arena, "/v2.0/networks?project_id=%s&admin_state_up=true",
                                url_encode(r->arena, project_id)),
                   "networks", &own, f) < 0 ||
        get_member(r, "network", "/v2.0/networks?shared=true&admin_state_up=true", "networks",
                   &shared, f) < 0)
        return -1;
    json_array_foreach(own, i, network)
    {
        if (!json_get_bool(network, "router:external") &&
            json_array_size(json_object_get(network, "subnets")) > 0)
            json_array_append(all, network);
    }
    json_array_foreach(shared, i, network)
    {
        if (!json_get_bool(network, "router:external") &&
            !str_equal(json_get_text(network, "project_id"), project_id))
            json_array_append(all, network);
    }
    *ret = all;
    return 0;
}

int
remote_port(struct remote *r, const char *port_id, json_t **ret, struct fault *f)
{
    return get_member(r, "network",
                      arena_printf(r->arena, "/v2.0/ports/%s", url_encode(r->arena, port_id)),
                      "port", ret, f);
}

int
remote_ports_of(struct remote *r, const char *device_id, json_t **ret, struct fault *f)
{
    return get_member(r, "network",
                      arena_printf(r->arena, "/v2.0/ports?device_id=%s",
                                   url_encode(r->arena, device_id)),
                      "ports", ret, f);
}

static int
send_port(struct remote *r, enum http_method method, const char *path, const json_t *port,
          json_t **ret, struct fault *f)
{
    json_t *answer, *body = json_own(r->arena, json_object());

    json_object_set(body, "port", (json_t *)(uintptr_t)port);
    if (remote_send(r, method, "network", path, body, &answer, f) < 0)
        return -1;
    if (ret != NULL)
        *ret = json_object_get(answer, "port");
    return 0;
}

int
remote_port_create(struct remote *r, const json_t *port, json_t **ret, struct fault *f)
{
    return send_port(r, HTTP_POST, "/v2.0/ports", port, ret, f);
}

int
remote_port_update(struct remote *r, const char *port_id, const json_t *changes, json_t **ret,
                   struct fault *f)
{
    return send_port(r, HTTP_PUT, arena_printf(r->arena, "/v2.0/ports/%s", port_id), changes, ret,
                     f);
}

int
remote_port_delete(struct remote *r, const char *port_id, struct fault *f)
{
    return gone_is_fine(remote_send(r, HTTP_DELETE, "network",
                                    arena_printf(r->arena, "/v2.0/ports/%s", port_id), NULL, NULL,
                                    f),
                        f);
}

int
remote_security_groups(struct remote *r, const char *project_id, const struct texts *names,
                       json_t **ret, struct fault *f)
{
    json_t *groups, *group, *ids = json_own(r->arena, json_array());
    size_t i;

    if (get_member(r, "network",
                   arena_printf(r->arena,
                                "/v2.0/security-groups?project_id=%s&fields=id&fields=name",
                                url_encode(r->arena, project_id)),
                   "security_groups", &groups, f) < 0)
        return -1;
    for (size_t n = 0; n < names->count; n++) {
        size_t found = 0;
        json_t *by_name = NULL;

        json_array_foreach(groups, i, group)
        {
            if (str_equal(json_get_text(group, "id"), names->items[n])) {
                by_name = json_object_get(group, "id");
                found = 1;
                break;
            }
            if (str_equal(json_get_text(group, "name"), names->items[n])) {
                by_name = json_object_get(group, "id");
                found++;
            }
        }
        if (found == 0)
            return fault_raise_field(f, "security_groups",
                                     "Security group %.255s not found for project %s.",
                                     names->items[n], project_id);
        if (found > 1)
            return fault_raise(f, FAULT_CONFLICT,
                               "Multiple security_group matches found for name '%.255s', use an ID "
                               "to be more specific.",
                               names->items[n]);
        json_array_append(ids, by_name);
    }
    *ret = ids;
    return 0;
}

/* --- Placement */

int
remote_candidates(struct remote *r, const char *query, json_t **ret, struct fault *f)
{
    return send_version(r, HTTP_GET, "placement",
                        arena_printf(r->arena, "/allocation_candidates?%s", query), NULL,
                        "placement 1.36", ret, f);
}

int
remote_claim(struct remote *r, const char *consumer_id, const char *provider_id,
             const json_t *resources, const char *project_id, const char *user_id, struct fault *f)
{
    json_t *body =
        json_own(r->arena,
                 json_pack("{s:{s:{s:O}}, s:s, s:s, s:n, s:s}", "allocations", provider_id,
                           "resources", (json_t *)(uintptr_t)resources, "project_id", project_id,
                           "user_id", user_id, "consumer_generation", "consumer_type", "INSTANCE"));

    return send_version(r, HTTP_PUT, "placement",
                        arena_printf(r->arena, "/allocations/%s", consumer_id), body,
                        "placement 1.38", NULL, f);
}

int
remote_release(struct remote *r, const char *consumer_id, struct fault *f)
{
    return gone_is_fine(send_version(r, HTTP_DELETE, "placement",
                                     arena_printf(r->arena, "/allocations/%s", consumer_id), NULL,
                                     "placement 1.38", NULL, f),
                        f);
}

/* "9,980 hosts more: VCPU 9,970, required 10." Those that are told one by one, 'told', are in the counts too. */
static void
add_counts(struct str *text, const json_t *counts, size_t told)
{
    int64_t refused = 0;
    const char *rule, *comma = ": ";
    json_t *count;

    json_object_foreach((json_t *)(uintptr_t)counts, rule, count)
    {
        if (!str_equal(rule, "fits"))
            refused += json_integer_value(count);
    }
    if (refused <= (int64_t)told)
        return;
    str_addf(text, " In all %lld hosts are refused", (long long)refused);
    json_object_foreach((json_t *)(uintptr_t)counts, rule, count)
    {
        if (str_equal(rule, "fits"))
            continue;
        str_addf(text, "%s%s %lld", comma, rule, (long long)json_integer_value(count));
        comma = ", ";
    }
    str_add_char(text, '.');
}

const char *
remote_explain(struct remote *r, const char *query)
{
    struct fault ignored = { 0 };
    json_t *answer, *provider;
    struct str text = { 0 };
    const char *copy;
    size_t i, told = 0;

    if (send_version(r, HTTP_GET, "placement",
                     arena_printf(r->arena, "/OS-VIRGA/explain?%s&limit=10", query), NULL,
                     "placement 1.36", &answer, &ignored) < 0)
        return "";
    json_array_foreach(json_object_get(answer, "providers"), i, provider)
    {
        if (json_get_text(provider, "reason") == NULL)
            continue;
        str_addf(&text, " %s: %s.", json_get_text(provider, "name"),
                 json_get_text(provider, "reason"));
        told++;
    }
    add_counts(&text, json_object_get(answer, "counts"), told);
    copy = arena_strdup(r->arena, str_text(&text));
    str_done(&text);
    return copy;
}

/* --- Block storage */

int
remote_volume(struct remote *r, const char *project_id, const char *volume_id, json_t **ret,
              struct fault *f)
{
    json_t *answer;

    if (send_version(r, HTTP_GET, "volumev3",
                     arena_printf(r->arena, "/v3/%s/volumes/%s", project_id,
                                  url_encode(r->arena, volume_id)),
                     NULL, "volume 3.44", &answer, f) < 0)
        return -1;
    *ret = json_object_get(answer, "volume");
    return 0;
}

int
remote_volume_create(struct remote *r, const char *project_id, const char *key,
                     const json_t *volume, json_t **ret, struct fault *f)
{
    json_t *body = json_own(r->arena, json_object());
    struct service_call x = { .service_type = "volumev3",
                              .method = HTTP_POST,
                              .path = arena_printf(r->arena, "/v3/%s/volumes", project_id),
                              .body = body,
                              .microversion = "volume 3.44",
                              .idempotency_key = key,
                              .request_id = r->request_id,
                              .token = r->user_token };

    json_object_set(body, "volume", (json_t *)(uintptr_t)volume);
    if (service_call_run(r->compute->services, r->http, r->arena, &x, f) < 0)
        return -1;
    *ret = json_object_get(x.answer, "volume");
    return 0;
}

int
remote_volume_delete(struct remote *r, const char *project_id, const char *volume_id,
                     struct fault *f)
{
    return gone_is_fine(remote_send(r, HTTP_DELETE, "volumev3",
                                    arena_printf(r->arena, "/v3/%s/volumes/%s", project_id,
                                                 volume_id),
                                    NULL, NULL, f),
                        f);
}

int
remote_attach(struct remote *r, const char *project_id, const char *volume_id,
              const char *server_id, const json_t *connector, json_t **ret, struct fault *f)
{
    json_t *answer,
        *body = json_own(r->arena, json_pack("{s:{s:s, s:s, s:O}}", "attachment", "volume_uuid",
                                             volume_id, "instance_uuid", server_id, "connector",
                                             (json_t *)(uintptr_t)connector));

    if (send_version(r, HTTP_POST, "volumev3",
                     arena_printf(r->arena, "/v3/%s/attachments", project_id), body, "volume 3.44",
                     &answer, f) < 0)
        return -1;
    *ret = json_object_get(answer, "attachment");
    return 0;
}

int
remote_attach_complete(struct remote *r, const char *project_id, const char *attachment_id,
                       struct fault *f)
{
    json_t *body = json_own(r->arena, json_pack("{s:{}}", "os-complete"));

    return send_version(r, HTTP_POST, "volumev3",
                        arena_printf(r->arena, "/v3/%s/attachments/%s/action", project_id,
                                     attachment_id),
                        body, "volume 3.44", NULL, f);
}

int
remote_detach(struct remote *r, const char *project_id, const char *attachment_id, struct fault *f)
{
    return gone_is_fine(send_version(r, HTTP_DELETE, "volumev3",
                                     arena_printf(r->arena, "/v3/%s/attachments/%s", project_id,
                                                  attachment_id),
                                     NULL, "volume 3.44", NULL, f),
                        f);
}
