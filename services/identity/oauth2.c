/* POST /v3/OS-OAUTH2/token: a token by OAuth 2.0's client credentials grant (RFC 6749, section 4.4). The client is an application
 * credential: its id and secret come as HTTP Basic, and what it gets is the token that logging in with it would give. Errors have the
 * form of that RFC's section 5.2 rather than identity's own. */
#include "base/str.h"
#include "http/url.h"
#include "tokens.h"

static int
refuse(struct call *call, int status, const char *error, const char *description)
{
    struct jsonw *w = call_json(call);

    if (status == 401)
        call_header(call, "WWW-Authenticate",
                    arena_printf(call->arena, "Keystone uri=\"%s\"", call->base_url));
    call_status(call, status);
    jsonw_object(w, NULL);
    jsonw_text(w, "error", error);
    jsonw_text(w, "error_description", description);
    jsonw_end(w);
    return 0;
}

int
oauth2_no_method(struct call *call, struct fault *f)
{
    (void)f;
    call_header(call, "Allow", "POST");
    return refuse(call, 405, "other_error", "The method is not allowed for the requested URL.");
}

/* "Basic base64(id:secret)". NULL: read; else what is wrong. */
static const char *
read_client(struct call *call, struct auth_app_cred *ret)
{
    const char *text = http_header(call->request, "Authorization");
    size_t type_size = text == NULL ? 0 : strcspn(text, " ");
    char *pair, *colon;
    size_t size;
    void *data;

    if (str_empty(text))
        return "OAuth2.0 client authorization is required.";
    if (type_size != strlen("Basic") || strncasecmp(text, "Basic", type_size) != 0)
        return arena_printf(call->arena,
                            "OAuth2.0 client authorization type %.*s is not supported.",
                            (int)MIN(type_size, (size_t)32), text);
    text += type_size + strspn(text + type_size, " ");
    if (str_base64_decode(call->arena, text, &data, &size) < 0 || memchr(data, '\0', size) != NULL)
        return "OAuth2.0 client authorization is required.";
    pair = arena_strndup(call->arena, data, size);
    colon = strchr(pair, ':');
    if (colon == NULL || colon == pair || colon[1] == '\0')
        return "OAuth2.0 client authorization is invalid.";
    *colon = '\0';
    ret->id = pair;
    ret->secret = colon + 1;
    return NULL;
}

/* The parameter of the form; NULL: absent. */
static const char *
grant_type(struct call *call)
{
    const struct http_request *request = call->request;
    const char *media = http_header(request, "Content-Type");
    struct fault ignored = { 0 };
    struct http_pair *form;
    size_t count;

    if (request->body == NULL || media == NULL ||
        strncasecmp(media, "application/x-www-form-urlencoded",
                    strlen("application/x-www-form-urlencoded")) != 0 ||
        url_parse_query(call->arena, request->body, &form, &count, &ignored) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(form[i].name, "grant_type"))
            return form[i].value == NULL ? "" : form[i].value;
    }
    return NULL;
}

/* A failed login in the words of the RFC. */
static int
refuse_login(struct call *call, const struct fault *f)
{
    if (f->kind == FAULT_UNAUTHORIZED)
        return refuse(call, 401, "invalid_client", f->message);
    return refuse(call, 400, "invalid_request", f->message);
}

int
oauth2_token(struct call *call, struct fault *f)
{
    struct auth_app_cred client = { 0 };
    const char *method = "application_credential", *why = read_client(call, &client),
               *grant = grant_type(call);
    struct auth_identity identity = { .methods = { .items = &method, .count = 1 },
                                      .application_credential = &client };
    struct auth_context token;
    struct login l;
    struct jsonw *w;
    char *text;

    if (why != NULL)
        return refuse(call, 401, "invalid_client", why);
    if (grant == NULL)
        return refuse(call, 400, "invalid_request", "The parameter grant_type is required.");
    if (!str_equal(grant, "client_credentials"))
        return refuse(call, 400, "unsupported_grant_type",
                      arena_printf(call->arena, "The parameter grant_type %.64s is not supported.",
                                   grant));
    if (login(call, &identity, &l, f) < 0 || token_make(call, &l, NULL, &token, &text, f) < 0) {
        if (f->kind != FAULT_UNAUTHORIZED && f->kind != FAULT_INVALID)
            return -1;
        refuse_login(call, f);
        fault_clear(f);
        return 0;
    }
    call_header(call, "Cache-Control", "no-store");
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_text(w, "access_token", text);
    jsonw_text(w, "token_type", "Bearer");
    jsonw_int(w, "expires_in", (token.expires_us - token.issued_us) / 1000000);
    jsonw_end(w);
    return 0;
}
