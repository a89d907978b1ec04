/* A call: one API request on its way through the dispatcher, and what a handler gets. */
#pragma once

#include <stdbool.h>

#include "../auth/context.h"
#include "../base/jsonw.h"
#include "../db/db.h"
#include "../http/client.h"
#include "../http/request.h"
#include "../http/response.h"
#include "operation.h"

struct call {
    struct arena *arena;
    struct http_request *request;
    struct http_response *response;
    const struct operation *operation;
    const struct dialect *dialect;
    const struct api *api;
    struct api_server *server;     /* The dispatcher: policy, options. */
    void *service;                 /* The daemon's own state, as given to api_server_new(). */
    int version;                   /* Microversion, 0 where there are none. */
    const char *request_id;        /* "req-<uuid>" */
    const char *global_request_id; /* From the client, or NULL. */
    struct auth_context auth;      /* Zeroed for public operations without a token. */
    bool authenticated;
    struct http_pair params[8]; /* Path parameters, decoded. */
    size_t params_count;
    json_t *body;                       /* Parsed body, or NULL. */
    struct db *db;                      /* Of this worker; results live in 'arena'. */
    struct http_client *client;         /* Of this worker. */
    struct jsonw json;                  /* Writes to response->body; see call_json(). */
    const char *base_url;               /* "http://host:port" as the client sees it. */
    const struct policy_target *target; /* While policy looks at it. */
    struct idempotency *idempotency;    /* The request has a key: see idempotency.h. */
    const char *
        object_id; /* What this request makes; known before it commits, an idempotent repeat can name it. */
    bool
        at_once; /* In the I/O thread: no database, no client, and nothing may wait. See call_decline(). */
    bool declined;
    void *scratch; /* The service's own, for what its hooks tell each other during this request. */
};

/* Path parameter {name}; "" if the operation has none of that name (our mistake: asserted). */
const char *call_param(const struct call *c, const char *name);
/* The same, NULL if there is none: for handlers that serve several paths. */
const char *call_param_find(const struct call *c, const char *name);
/* Query parameter, or NULL. */
const char *call_query(const struct call *c, const char *name);
bool call_query_bool(const struct call *c, const char *name); /* Absent or not a yes: false. */

static inline bool
call_at_least(const struct call *c, int major, int minor)
{
    return c->version >= major * 1000 + minor;
}

/* Before what keeps a thread long by itself, a password's hash or a directory's answer: 0 in a thread that may wait. Else -1, and the
 * request is begun anew in one, when its turn has come; so nothing may have been committed. Workers are few, and no flood of logins may
 * keep them all. */
int call_take_time(struct call *c);

/* For the handler of a `fast` operation when call->at_once and it needs what has to be waited for: returns -1, and the request is
 * begun anew in a worker, as if nothing had been done. So a handler that is tried at once changes nothing before it is sure. */
int call_decline(struct call *c);

/* Verifies another token than the request's own, as authenticator_check(); at once only if it is in the cache (else call_decline()). */
int call_check_token(struct call *c, const char *token, struct auth_context *ret, struct fault *f);

/* What the caller's rows are bound to for a resource of that scope: the project, domain or user of the token; NULL when
 * the caller may see everybody's (a rule "<service>:all_projects", by default role admin; see call_sees_all()). */
const char *call_scope(const struct call *c, enum resource_scope scope);
/* The same for one resource; with RESOURCE_PATH what the path names. */
const char *call_scope_of(const struct call *c, const struct resource *r);
bool call_sees_all(const struct call *c);
bool call_is_admin(const struct call *c); /* Rule "context_is_admin", default role:admin. */

/* Enforces a rule against a row of a resource (NULL: no target but the token itself): FAULT_FORBIDDEN. */
int call_enforce(struct call *c, const char *rule, const struct resource *r, const void *row,
                 struct fault *f);
/* The same where what is acted on is no resource: 'target' tells its members. */
int call_enforce_target(struct call *c, const char *rule, const struct policy_target *target,
                        struct fault *f);
bool call_allowed(struct call *c, const char *rule, const struct resource *r, const void *row);

/* A rule that looks at several objects, each by its resource's key: target.user.domain_id, target.role.name. What is not
 * among them is not there; so with none at all the rule says whether the caller may know that there is nothing. */
struct call_object {
    const struct resource *resource;
    const void *row;
};
int call_enforce_among(struct call *c, const char *rule, const struct call_object *objects,
                       size_t count, struct fault *f);

/* After FAULT_NOT_FOUND of the object that 'rule' is about: where the dialect says so, a caller whom the rule would not let do it
 * to nothing gets FAULT_FORBIDDEN instead, so that answers don't tell which ids exist. Returns -1. */
int call_hide_missing(struct call *c, const char *rule, struct fault *f);

/* For a handler without 'input' in a dialect with strict bodies: reads the body into call->body, whatever JSON it is.
 * FAULT_MEDIA_TYPE, FAULT_INVALID. */
int call_body(struct call *c, struct fault *f);

/* Begins the JSON answer and returns its writer; end what you begin. The status stays the operation's unless set. */
struct jsonw *call_json(struct call *c);
void call_status(struct call *c, int status);
void call_header(struct call *c, const char *name, const char *value);
/* Writes a time the dialect's way. */
void call_write_time(struct call *c, struct jsonw *w, const char *key, int64_t us);
/* "http://host:port/v3/..." of a path. */
char *call_url(struct call *c, const char *format, ...) _printf_(2, 3);
