/* Operations: the rows of a service's API, generated from api-specs/<service>/paths. */
#pragma once

#include "../http/request.h"
#include "dialect.h"
#include "policy.h"
#include "resource.h"

struct call;

enum verb { VERB_HANDLER, VERB_LIST, VERB_SHOW, VERB_CREATE, VERB_UPDATE, VERB_DELETE };

enum operation_flag {
    OP_PUBLIC = 1 << 0,       /* No token needed. */
    OP_ANY_TOKEN = 1 << 1,    /* Any valid token; no rule. */
    OP_STREAM = 1 << 2,       /* The handler reads the body itself. */
    OP_RAW = 1 << 3,          /* The body is not JSON. */
    OP_DEFER_POLICY = 1 << 4, /* The handler checks. */
    OP_PROJECT_PATH = 1 << 5, /* The path's {project_id} is the project that the caller acts for. */
    OP_INLINE = 1 << 6,       /* Answered in the I/O thread: no database, no token is looked at. */
    OP_FAST = 1 << 7,         /* Tried in the I/O thread first; see call_decline(). */
    OP_BULK = 1 << 8,         /* Makes several: the body has the plural, and only that. */
};

struct operation {
    enum http_method method;
    const char *path;   /* Template: "/v3/projects/{project_id}" */
    const char *action; /* Key of an action's body, or NULL. */
    const char *id;     /* "show_project" */
    const char *policy; /* Rule, or NULL with OP_PUBLIC, OP_ANY_TOKEN, OP_DEFER_POLICY. */
    enum verb verb;
    const struct resource *resource;
    const struct resource
        *fallback; /* Looked at when the id is none of the resource's; NULL: none. */
    enum view view;
    const char *path_id;           /* Path parameter that is the resource's id. */
    const struct schema *input;    /* Body of a handler; NULL: none is read. */
    const char *input_key;         /* Envelope; NULL: none. */
    const struct schema *siblings; /* Members beside the envelope. */
    /* Thunk that casts 'in' to the handler's type. */
    int (*handler)(struct call *call, const void *in, const void *siblings, struct fault *f);
    /* Asked when the body is refused: FAULT_NOT_FOUND if what the path names is not there, which is then the answer. */
    int (*exists)(struct call *call, struct fault *f);
    int success;
    int since, until; /* Microversions, 0: always. */
    uint32_t flags;
    int64_t max_body; /* 0: the server's. */
    const char *rel;  /* Its path's name as a link relation; NULL: made from the path. */
};

/* A service's whole API. */
struct api {
    const char *service; /* "identity" */
    const char *type;    /* In OpenStack-API-Version; NULL: no microversions. */
    const char *const *
        catalog_types; /* What the service is called in catalogues and access rules; NULL-terminated. */
    const char *legacy_version_header;
    enum dialect_id dialect;
    int min_version, max_version;
    const struct operation *operations;
    size_t operations_count;
    const struct policy_default *policies;
    size_t policies_count;
    bool projects_only;   /* Its rules are for tokens of a project. */
    const char *document; /* The bundled OpenAPI document, as JSON. */
};

/* GET /openapi.json, which every API has without declaring it. */
int api_show_document(struct call *call, const void *in, const void *siblings, struct fault *f);
