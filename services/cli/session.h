/* The caller's token and the services it opens. A token is taken from the cache or asked for when it is first needed. */
#pragma once

#include <jansson.h>

#include "base/fault.h"
#include "cli.h"
#include "transport.h"

struct session {
    struct transport *transport; /* Made when first needed. */
    const char *token;           /* NULL: not yet. */
    json_t *body;                /* {"token": {...}}, as identity answered. */
    bool from_cache;
};

void session_done(struct session *s);

/* What requests go through. */
struct transport *session_transport(struct cli *cli);

/* A token is there afterwards. 'fresh': a new one, whatever the cache has. */
int session_open(struct cli *cli, bool fresh, struct fault *f);

/* Who the token is for; NULL where it has no such part. Needs session_open(). */
const char *session_project_id(const struct cli *cli);
const char *session_user_id(const struct cli *cli);

/* The service's base URL with its version ("http://.../v2.1"), from the catalogue. */
int session_url(struct cli *cli, enum service service, char **ret, struct fault *f);

const char *service_name(enum service service); /* "compute" */
