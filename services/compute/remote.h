/* Calls to the other services: one small function per call that compute makes, with the paths and bodies in one place.
 *
 * Idempotent where a saga step makes them: made again after a crash they find what the first left. */
#pragma once

#include "service.h"

struct remote {
    struct compute *compute;
    struct http_client *http;
    struct arena *arena;
    const char *request_id;
    const char *user_token; /* To act for a user and see only what is his; NULL: as ourselves. */
};

/* In a handler, for its user; in a saga step or an RPC, as ourselves. */
struct remote remote_for_call(struct call *call);
struct remote remote_for_run(struct saga_run *run);
struct remote remote_for_service(struct compute *compute, struct arena *a);

/* The plain call: 'body' may be NULL, 'ret' may be NULL. */
int remote_send(struct remote *r, enum http_method method, const char *service, const char *path,
                const json_t *body, json_t **ret, struct fault *f);

/* --- Image */
int remote_image(struct remote *r, const char *image_id, json_t **ret, struct fault *f);
char *remote_image_url(struct remote *r, const char *image_id,
                       struct fault *f); /* Of its bytes; NULL with a fault. */

/* --- Network */
int remote_network(struct remote *r, const char *network_id, json_t **ret, struct fault *f);
int remote_networks_of(struct remote *r, const char *project_id, json_t **ret,
                       struct fault *f); /* Own and shared ones, not external: an array. */
int remote_port(struct remote *r, const char *port_id, json_t **ret, struct fault *f);
int remote_ports_of(struct remote *r, const char *device_id, json_t **ret,
                    struct fault *f); /* An array. */
int remote_port_create(struct remote *r, const json_t *port, json_t **ret, struct fault *f);
int remote_port_update(struct remote *r, const char *port_id, const json_t *changes, json_t **ret,
                       struct fault *f);
int remote_port_delete(struct remote *r, const char *port_id,
                       struct fault *f); /* One that is gone is success. */
/* Ids of security groups by name or id, of the project: an array of texts. */
int remote_security_groups(struct remote *r, const char *project_id, const struct texts *names,
                           json_t **ret, struct fault *f);

/* --- Placement */
int remote_candidates(struct remote *r, const char *query, json_t **ret, struct fault *f);
int
remote_claim(struct remote *r, const char *consumer_id, const char *provider_id,
             const json_t *resources, const char *project_id, const char *user_id,
             struct fault *f); /* FAULT_CONFLICT: somebody was quicker, or the consumer changed. */
int remote_release(struct remote *r, const char *consumer_id, struct fault *f);
/* Why these candidates are not there: "host: what is missing" for people, of ten hosts, and how many each rule refuses where there are
 * more; "" when placement cannot explain. 'query' as for candidates, without a limit. */
const char *remote_explain(struct remote *r, const char *query);

/* --- Block storage. 'project_id' is the volume's. */
int remote_volume(struct remote *r, const char *project_id, const char *volume_id, json_t **ret,
                  struct fault *f);
/* 'key': sent again with the same, it answers with the volume that the first made. */
int remote_volume_create(struct remote *r, const char *project_id, const char *key,
                         const json_t *volume, json_t **ret, struct fault *f);
int remote_volume_delete(struct remote *r, const char *project_id, const char *volume_id,
                         struct fault *f);
int remote_attach(struct remote *r, const char *project_id, const char *volume_id,
                  const char *server_id, const json_t *connector, json_t **ret,
                  struct fault *f); /* The attachment with its connection_info. */
int remote_attach_complete(struct remote *r, const char *project_id, const char *attachment_id,
                           struct fault *f);
int remote_detach(struct remote *r, const char *project_id, const char *attachment_id,
                  struct fault *f);
