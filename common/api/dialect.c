/* How each family of services writes errors and lists; see api-ref of identity, image, compute, network, block storage,
 * placement. Rows differ, code doesn't ask which service it is in. */
#include "dialect.h"

#include "../base/compiler.h"
#include "../base/str.h"

const char *
dialect_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } table[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 300, "Multiple Choices" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 413, "Request Entity Too Large" },
        { 414, "Request-URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Requested Range Not Satisfiable" },
        { 422, "Unprocessable Entity" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].status == status)
            return table[i].reason;
    }
    return "Unknown";
}

static int
status_of(const struct fault *f, const struct dialect *d)
{
    return f->kind == FAULT_QUOTA ? d->quota_status : fault_status(f->kind);
}

static const char *
message_of(const struct fault *f)
{
    return f->message[0] != '\0' ? f->message : dialect_reason(fault_status(f->kind));
}

static void
begin(struct jsonw *w, struct http_response *r, int status)
{
    r->status = status;
    r->content_type = "application/json";
    str_clear(&r->body);
    jsonw_init(w, &r->body);
    jsonw_object(w, NULL);
}

static void
keystone_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    int status = status_of(f, dialect_get(DIALECT_KEYSTONE));
    struct jsonw w;

    (void)request_id;
    (void)version;
    begin(&w, r, status);
    jsonw_object(&w, "error");
    jsonw_int(&w, "code", status);
    jsonw_text(&w, "message", message_of(f));
    jsonw_text(&w, "title", dialect_reason(status));
    jsonw_end(&w);
    jsonw_end(&w);
}

static void
glance_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    int status = status_of(f, dialect_get(DIALECT_GLANCE));
    struct jsonw w;

    if (f->kind == FAULT_UNAUTHORIZED) { /* Said by identity's own middleware. */
        keystone_error(f, request_id, version, r);
        return;
    }
    begin(&w, r, status);
    jsonw_text(&w, "message", message_of(f));
    jsonw_text(&w, "code", arena_printf(r->arena, "%d %s", status, dialect_reason(status)));
    jsonw_text(&w, "title", dialect_reason(status));
    jsonw_end(&w);
}

static void
action_error(const struct fault *f, int status, bool has_429, struct http_response *r)
{
    const char *key = "computeFault";
    struct jsonw w;

    switch (status) {
    case 400:
        key = "badRequest";
        break;
    case 401:
        key = "unauthorized";
        break;
    case 403:
        key = "forbidden";
        break;
    case 404:
        key = "itemNotFound";
        break;
    case 405:
        key = "badMethod";
        break;
    case 409:
        key = "conflictingRequest";
        break;
    case 413:
        key = "overLimit";
        break;
    case 415:
        key = "badMediaType";
        break;
    case 429:
        key = has_429 ? "overLimit" : key;
        break;
    case 501:
        key = "notImplemented";
        break;
    case 503:
        key = "serviceUnavailable";
        break;
    default:
        break;
    }
    begin(&w, r, status);
    jsonw_object(&w, key);
    jsonw_int(&w, "code", status);
    jsonw_text(&w, "message", message_of(f));
    jsonw_end(&w);
    jsonw_end(&w);
}

static void
nova_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    (void)request_id;
    (void)version;
    action_error(f, status_of(f, dialect_get(DIALECT_NOVA)), true, r);
}

static void
cinder_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    (void)request_id;
    (void)version;
    action_error(f, status_of(f, dialect_get(DIALECT_CINDER)), false, r);
}

static const char *
neutron_type(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_INVALID:
        return "HTTPBadRequest";
    case FAULT_UNAUTHORIZED:
        return "HTTPUnauthorized";
    case FAULT_FORBIDDEN:
        return "PolicyNotAuthorized";
    case FAULT_NOT_FOUND:
        return "HTTPNotFound";
    case FAULT_METHOD:
        return "HTTPMethodNotAllowed";
    case FAULT_CONFLICT:
        return "HTTPConflict";
    case FAULT_QUOTA:
        return "OverQuota";
    case FAULT_PRECONDITION:
        return "RevisionNumberConstraintFailed";
    case FAULT_NOT_IMPLEMENTED:
        return "HTTPNotImplemented";
    case FAULT_UNAVAILABLE:
        return "HTTPServiceUnavailable";
    default:
        return "HTTPInternalServerError";
    }
}

static void
neutron_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    struct jsonw w;

    (void)request_id;
    (void)version;
    begin(&w, r, status_of(f, dialect_get(DIALECT_NEUTRON)));
    jsonw_object(&w, f->kind == FAULT_NOT_IMPLEMENTED ? "NotImplementedError" : "NeutronError");
    jsonw_text(&w, "type", f->code[0] != '\0' ? f->code : neutron_type(f->kind));
    jsonw_text(&w, "message", message_of(f));
    jsonw_text(&w, "detail", "");
    jsonw_end(&w);
    jsonw_end(&w);
}

/* Where the schema of the body has the rule that is broken: "['properties']['total']". */
static const char *
schema_place(struct arena *a, const struct fault *f)
{
    _cleanup_(str_done) struct str out = { 0 };
    size_t count;
    char **names = str_split(a, f->field, '.', &count);

    if (str_equal(f->keyword, "required") || str_equal(f->keyword, "additionalProperties"))
        count--; /* The rule is the object's, the field its member. */
    for (size_t i = str_equal(names[0], "body"); i < count; i++) {
        if (names[i][0] != '\0' && names[i][strspn(names[i], "0123456789")] == '\0')
            str_add(&out, "['items']");
        else
            str_addf(&out, "['properties']['%s']", names[i]);
    }
    return arena_strdup(a, str_text(&out));
}

/* As upstream's validator says it, without the whole schema and the whole body after it. */
static const char *
placement_refusal(struct arena *a, const struct fault *f)
{
    if (f->keyword == NULL)
        return arena_printf(a, "JSON does not validate: %s", fault_reason(f));
    return arena_printf(a, "JSON does not validate: %s\n\nFailed validating '%s' in schema%s",
                        fault_reason(f), f->keyword, schema_place(a, f));
}

static void
placement_error(const struct fault *f, const char *request_id, int version, struct http_response *r)
{
    int status = status_of(f, dialect_get(DIALECT_PLACEMENT));
    struct jsonw w;

    begin(&w, r, status);
    jsonw_array(&w, "errors");
    jsonw_object(&w, NULL);
    jsonw_int(&w, "status", status);
    jsonw_text(&w, "title", dialect_reason(status));
    jsonw_text(&w, "detail",
               f->kind == FAULT_INVALID && f->field[0] != '\0' ? placement_refusal(r->arena, f)
                                                               : message_of(f));
    jsonw_text(&w, "request_id", request_id);
    if (version >= 1023)
        jsonw_text(&w, "code",
                   str_starts(f->code, "placement.") ? f->code : "placement.undefined_code");
    if (f->kind == FAULT_NOT_ACCEPTABLE && version == 0) { /* It is the version that is not. */
        jsonw_text(&w, "min_version", "1.0");
        jsonw_text(&w, "max_version", "1.39");
    }
    jsonw_end(&w);
    jsonw_end(&w);
    jsonw_end(&w);
}

static const struct dialect dialects[] = {
    [DIALECT_KEYSTONE] = { .id = DIALECT_KEYSTONE,
                           .error = keystone_error,
                           .quota_status = 403,
                           .unknown_marker_status = 400,
                           .times = CLOCK_MICRO_Z,
                           .unknown_members_ignored = true,
                           .unknown_filters_ignored = true,
                           .max_limit = 1000,
                           .default_limit = -1,
                           .each_filter_counts = true,
                           .any_word_is_true = true,
                           .envelope = true,
                           .missing_is_refused = true,
                           .bad_service_token_ignored = true },
    [DIALECT_GLANCE] = { .id = DIALECT_GLANCE,
                         .error = glance_error,
                         .quota_status = 413,
                         .unknown_marker_status = 400,
                         .times = CLOCK_Z,
                         .unknown_filters_ignored = true,
                         .max_limit = 1000,
                         .default_limit = 25,
                         .sort_colon = true,
                         .sort_pairs = true,
                         .exact_paths = true,
                         .error_pages = true,
                         .bad_service_token_ignored = true },
    [DIALECT_NOVA] = { .id = DIALECT_NOVA,
                       .error = nova_error,
                       .quota_status = 403,
                       .unknown_marker_status = 400,
                       .times = CLOCK_Z,
                       .unknown_filters_ignored = true,
                       .envelope = true,
                       .max_limit = 1000,
                       .sort_pairs = true,
                       .request_id_header2 = "x-compute-request-id",
                       .list_all_tenants = true },
    [DIALECT_CINDER] = { .id = DIALECT_CINDER,
                         .error = cinder_error,
                         .quota_status = 413,
                         .unknown_marker_status = 404,
                         .times = CLOCK_MICRO,
                         .unknown_filters_ignored = true,
                         .envelope = true,
                         .max_limit = 1000,
                         .sort_colon = true,
                         .sort_pairs = true,
                         .request_id_header2 = "x-compute-request-id",
                         .list_all_tenants = true },
    [DIALECT_NEUTRON] = { .id = DIALECT_NEUTRON,
                          .error = neutron_error,
                          .quota_status = 409,
                          .unknown_marker_status = 404,
                          .times = CLOCK_Z,
                          .unknown_filters_ignored = true,
                          .envelope = true,
                          .sort_pairs = true,
                          .bulk = true },
    [DIALECT_PLACEMENT] = { .id = DIALECT_PLACEMENT,
                            .error = placement_error,
                            .quota_status = 403,
                            .unknown_marker_status = 400,
                            .times = CLOCK_Z,
                            .strict_bodies = true,
                            .strict_versions = true },
};

const struct dialect *
dialect_get(enum dialect_id id)
{
    return &dialects[id];
}

static void
link_entry(struct jsonw *w, const char *rel, const char *href)
{
    if (href == NULL)
        return;
    jsonw_object(w, NULL);
    jsonw_text(w, "rel", rel);
    jsonw_text(w, "href", href);
    jsonw_end(w);
}

void
dialect_list_links(const struct dialect *d, struct jsonw *w, const char *plural, const char *self,
                   const char *next, const char *previous)
{
    char key[128];

    switch (d->id) {
    case DIALECT_KEYSTONE:
        jsonw_object(w, "links");
        jsonw_text(w, "next", next);
        jsonw_text(w, "self", self);
        jsonw_text(w, "previous", NULL);
        jsonw_end(w);
        if (next != NULL)
            jsonw_bool(w, "truncated", true);
        break;
    case DIALECT_NOVA:
    case DIALECT_CINDER:
    case DIALECT_NEUTRON:
        if (next == NULL && previous == NULL)
            break;
        snprintf(key, sizeof(key), "%s_links", plural);
        jsonw_array(w, key);
        link_entry(w, "next", next);
        link_entry(w, "previous", previous);
        jsonw_end(w);
        break;
    case DIALECT_GLANCE: /* Relative paths. */
        jsonw_text(w, "first", self);
        if (next != NULL)
            jsonw_text(w, "next", next);
        snprintf(key, sizeof(key), "/v2/schemas/%s", plural);
        jsonw_text(w, "schema", key);
        break;
    case DIALECT_PLACEMENT:
        break;
    }
}

void
dialect_all_links(const struct dialect *d, struct jsonw *w, const char *base_url, const char *path,
                  const struct dialect_link *more)
{
    const char *rest = strchr(path + 1, '/'); /* Below the version. */
    char url[2048];

    snprintf(url, sizeof(url), "%s%s", base_url, path);
    switch (d->id) {
    case DIALECT_KEYSTONE:
        jsonw_object(w, "links");
        jsonw_text(w, "self", url);
        for (; more != NULL && more->name != NULL; more++) {
            snprintf(url, sizeof(url), "%s%s", base_url, more->path);
            jsonw_text(w, more->name, url);
        }
        jsonw_end(w);
        break;
    case DIALECT_NOVA:
    case DIALECT_CINDER:
        jsonw_array(w, "links");
        link_entry(w, "self", url);
        snprintf(url, sizeof(url), "%s%s", base_url, rest == NULL ? "" : rest);
        link_entry(w, "bookmark", url);
        jsonw_end(w);
        break;
    case DIALECT_NEUTRON:
    case DIALECT_GLANCE:
    case DIALECT_PLACEMENT:
        break;
    }
}
