#include "session.h"

#include "auth/oauth1.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "cloud.h"
#include "rest.h"
#include "token_cache.h"

static const struct {
    const char *name;
    const char *types[4]; /* As catalogues call it. */
    const char *version;  /* Appended to an endpoint without one. */
} services[SERVICE_COUNT] = {
    [SERVICE_IDENTITY] = { "identity", { "identity" }, "/v3" },
    [SERVICE_IMAGE] = { "image", { "image" }, "/v2" },
    [SERVICE_PLACEMENT] = { "placement", { "placement" }, "" },
    [SERVICE_COMPUTE] = { "compute", { "compute" }, "/v2.1" },
    [SERVICE_NETWORK] = { "network", { "network" }, "/v2.0" },
    [SERVICE_VOLUME] = { "volume",
                         { "block-storage", "volumev3", "block-store", "volume" },
                         "/v3" },
};

const char *
service_name(enum service service)
{
    return services[service].name;
}

void
session_done(struct session *s)
{
    transport_free(s->transport);
    s->transport = NULL;
}

struct transport *
session_transport(struct cli *cli)
{
    struct session *s = cli->session;

    if (s->transport == NULL)
        s->transport = transport_new(cli->cloud->value[CLOUD_cacert], NULL);
    return s->transport;
}

static json_t *
domain_of(const char *id, const char *name, const struct cloud *c)
{
    if (id == NULL && name == NULL) {
        id = c->value[CLOUD_default_domain_id];
        name = c->value[CLOUD_default_domain];
    }
    return id != NULL || name == NULL ? json_pack("{ss}", "id", id != NULL ? id : "default")
                                      : json_pack("{ss}", "name", name);
}

/* A user or project: by id, or by name and domain. */
static json_t *
who(const char *id, const char *name, json_t *domain, const char *secret_name, const char *secret)
{
    json_t *o = json_object();

    if (id != NULL) {
        json_object_set_new(o, "id", json_string(id));
        json_decref(domain);
    } else {
        json_object_set_new(o, "name", json_string(name));
        json_object_set_new(o, "domain", domain);
    }
    if (secret_name != NULL)
        json_object_set_new(o, secret_name, json_string(secret));
    return o;
}

static json_t *
scope(const struct cloud *c)
{
    const char *const *v = c->value;

    if (v[CLOUD_trust_id] != NULL)
        return json_pack("{s{ss}}", "OS-TRUST:trust", "id", v[CLOUD_trust_id]);
    if (v[CLOUD_system_scope] != NULL)
        return json_pack("{s{sb}}", "system", "all", true);
    if (v[CLOUD_project_id] != NULL || v[CLOUD_project_name] != NULL)
        return json_pack("{so}", "project",
                         who(v[CLOUD_project_id], v[CLOUD_project_name],
                             domain_of(v[CLOUD_project_domain_id], v[CLOUD_project_domain_name], c),
                             NULL, NULL));
    if (v[CLOUD_domain_id] != NULL || v[CLOUD_domain_name] != NULL)
        return json_pack("{so}", "domain", domain_of(v[CLOUD_domain_id], v[CLOUD_domain_name], c));
    return NULL;
}

/* What stands in the configuration for another way to log in is left alone. */
static bool
wants_app_cred(const struct cloud *c)
{
    const char *type = c->value[CLOUD_auth_type];

    return type == NULL || strstr(type, "applicationcredential") != NULL;
}

/* As a consumer, with the access token that a user gave it. */
static bool
wants_oauth1(const struct cloud *c)
{
    const char *type = c->value[CLOUD_auth_type];

    return type == NULL
               ? c->value[CLOUD_consumer_secret] != NULL && c->value[CLOUD_access_secret] != NULL
               : strstr(type, "oauth1") != NULL;
}

/* Such a request is signed. */
static int
sign(struct arena *a, const struct cloud *c, struct http_exchange *x, struct http_pair *header,
     struct fault *f)
{
    const char *const *v = c->value;
    struct oauth1 o = { .params = { { "oauth_consumer_key", v[CLOUD_consumer_key] },
                                    { "oauth_token", v[CLOUD_access_key] } },
                        .count = 2 };

    if (v[CLOUD_consumer_key] == NULL || v[CLOUD_consumer_secret] == NULL ||
        v[CLOUD_access_key] == NULL || v[CLOUD_access_secret] == NULL)
        return fault_raise(f, FAULT_INVALID,
                           "OAuth 1.0a needs OS_CONSUMER_KEY, OS_CONSUMER_SECRET, OS_ACCESS_KEY "
                           "and OS_ACCESS_SECRET.");
    header->name = "Authorization";
    header->value = oauth1_sign(a, &o, "POST", x->url, v[CLOUD_consumer_secret],
                                v[CLOUD_access_secret], clock_now_us(), uuid_make_hex(a));
    x->headers = header;
    x->headers_count = 1;
    return 0;
}

static int
credentials(const struct cloud *c, json_t **ret, bool *ret_scoped, struct fault *f)
{
    const char *const *v = c->value;
    json_t *user_domain;

    *ret_scoped = true;
    if (wants_oauth1(c)) {
        *ret = json_pack("{s[s] s{}}", "methods", "oauth1", "oauth1");
        *ret_scoped = false; /* The project that the user gave it. */
        return 0;
    }
    if (v[CLOUD_application_credential_secret] != NULL && wants_app_cred(c)) {
        json_t *credential = json_pack("{ss}", "secret", v[CLOUD_application_credential_secret]);

        if (v[CLOUD_application_credential_id] != NULL)
            json_object_set_new(credential, "id", json_string(v[CLOUD_application_credential_id]));
        else
            json_object_set_new(credential, "name",
                                json_string(v[CLOUD_application_credential_name]));
        if (v[CLOUD_application_credential_id] == NULL &&
            (v[CLOUD_user_id] != NULL || v[CLOUD_username] != NULL))
            json_object_set_new(
                credential, "user",
                who(v[CLOUD_user_id], v[CLOUD_username],
                    domain_of(v[CLOUD_user_domain_id], v[CLOUD_user_domain_name], c), NULL, NULL));
        *ret = json_pack("{s[s] so}", "methods", "application_credential", "application_credential",
                         credential);
        *ret_scoped = false; /* The credential's own project. */
        return 0;
    }
    if (v[CLOUD_token] != NULL && v[CLOUD_password] == NULL) {
        *ret = json_pack("{s[s] s{ss}}", "methods", "token", "token", "id", v[CLOUD_token]);
        return 0;
    }
    if ((v[CLOUD_username] == NULL && v[CLOUD_user_id] == NULL) || v[CLOUD_password] == NULL)
        return fault_raise(f, FAULT_INVALID,
                           "Missing value for the user's name or password: name a cloud of "
                           "clouds.yaml (--os-cloud), or set OS_AUTH_URL, "
                           "OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME.");
    user_domain = domain_of(v[CLOUD_user_domain_id], v[CLOUD_user_domain_name], c);
    *ret = json_pack("{s[s] s{so}}", "methods", "password", "password", "user",
                     who(v[CLOUD_user_id], v[CLOUD_username], user_domain, "password",
                         v[CLOUD_password]));
    if (v[CLOUD_passcode] != NULL) {
        json_array_append_new(json_object_get(*ret, "methods"), json_string("totp"));
        json_object_set_new(*ret, "totp",
                            json_pack("{so}", "user",
                                      who(v[CLOUD_user_id], v[CLOUD_username],
                                          domain_of(v[CLOUD_user_domain_id],
                                                    v[CLOUD_user_domain_name], c),
                                          "passcode", v[CLOUD_passcode])));
    }
    return 0;
}

/* The identity service's URL up to and with /v3. */
static char *
auth_base(struct arena *a, const char *url)
{
    size_t size = strlen(url);

    while (size > 0 && url[size - 1] == '/')
        size--;
    if (size > 3 && strncmp(url + size - 3, "/v3", 3) == 0)
        size -= 3;
    else if (size > 5 && strncmp(url + size - 5, "/v2.0", 5) == 0)
        size -= 5;
    return arena_printf(a, "%.*s/v3", (int)size, url);
}

static int
authenticate(struct cli *cli, const char *identity, struct fault *f)
{
    struct arena *a = cli->arena;
    struct session *s = cli->session;
    json_t *methods = NULL, *wanted = NULL, *auth;
    struct http_exchange x = { .method = HTTP_POST };
    struct http_pair header;
    bool scoped;

    if (cli->cloud->value[CLOUD_auth_url] == NULL)
        return fault_raise(f, FAULT_INVALID,
                           "Missing value auth-url: name a cloud of clouds.yaml (--os-cloud), or "
                           "set OS_AUTH_URL.");
    if (credentials(cli->cloud, &methods, &scoped, f) < 0)
        return -1;
    auth = json_own(a, json_pack("{so}", "identity", methods));
    if (scoped)
        wanted = scope(cli->cloud);
    if (wanted != NULL)
        json_object_set_new(auth, "scope", wanted);
    x.url = arena_printf(a, "%s/auth/tokens", auth_base(a, cli->cloud->value[CLOUD_auth_url]));
    x.body = json_text(a, json_own(a, json_pack("{sO}", "auth", auth)));
    x.body_size = strlen(x.body);
    if (wants_oauth1(cli->cloud) && sign(a, cli->cloud, &x, &header, f) < 0)
        return -1;
    if (rest_exchange(cli, &x, f) < 0)
        return -1;
    if (x.status != 201)
        return rest_explain(a, &x, f);
    s->token = http_exchange_header(&x, "X-Subject-Token");
    if (s->token == NULL || json_read(a, x.answer, x.answer_size, &s->body, f) < 0)
        return fault_raise(f, FAULT_INTERNAL, "%s did not answer with a token.", x.url);
    s->from_cache = false;
    token_cache_put(a, identity, s->token, s->body);
    return 0;
}

int
session_open(struct cli *cli, bool fresh, struct fault *f)
{
    struct session *s = cli->session;
    char *identity;
    json_t *kept;

    if (s->token != NULL && !fresh)
        return 0;
    identity = cloud_identity(cli->arena, cli->cloud);
    kept = fresh || cli->cloud->value[CLOUD_token] != NULL ? NULL
                                                           : token_cache_get(cli->arena, identity);
    if (kept == NULL)
        return authenticate(cli, identity, f);
    s->token = json_get_text(kept, "token");
    s->body = json_object_get(kept, "body");
    s->from_cache = true;
    return 0;
}

static const json_t *
token_part(const struct cli *cli, const char *part)
{
    return json_object_get(json_object_get(cli->session->body, "token"), part);
}

const char *
session_project_id(const struct cli *cli)
{
    return json_get_text(token_part(cli, "project"), "id");
}

const char *
session_user_id(const struct cli *cli)
{
    return json_get_text(token_part(cli, "user"), "id");
}

static const char *
catalogue_url(const struct cli *cli, const char *type)
{
    const char *interface = cli->cloud->value[CLOUD_interface],
               *region = cli->cloud->value[CLOUD_region_name];
    const json_t *entry, *endpoint;
    size_t i, k;

    if (interface == NULL)
        interface = "public";
    else if (str_ends(interface, "URL"))
        interface = str_starts(interface, "internal") ? "internal"
                    : str_starts(interface, "admin")  ? "admin"
                                                      : "public";
    json_array_foreach((json_t *)(uintptr_t)token_part(cli, "catalog"), i, entry)
    {
        if (!str_equal(json_get_text(entry, "type"), type))
            continue;
        json_array_foreach(json_object_get(entry, "endpoints"), k, endpoint)
        {
            if (str_equal(json_get_text(endpoint, "interface"), interface) &&
                (region == NULL || str_equal(json_get_text(endpoint, "region_id"), region)))
                return json_get_text(endpoint, "url");
        }
    }
    return NULL;
}

/* Is one of the path's segments "v2", "v2.1", "v3"...? */
static bool
has_version(const char *url)
{
    const char *path = strstr(url, "://");

    path = path != NULL ? strchr(path + 3, '/') : NULL;
    for (; path != NULL; path = strchr(path + 1, '/')) {
        if (path[1] == 'v' && isdigit((unsigned char)path[2]))
            return true;
    }
    return false;
}

static const char *
service_url(const struct cli *cli, enum service service)
{
    const char *url = NULL;

    for (size_t i = 0; url == NULL && i < ARRAY_SIZE(services[service].types) &&
                       services[service].types[i] != NULL;
         i++)
        url = catalogue_url(cli, services[service].types[i]);
    return url;
}

int
session_url(struct cli *cli, enum service service, char **ret, struct fault *f)
{
    const char *url = cloud_endpoint_override(cli->cloud, service);
    size_t size;

    if (url == NULL)
        url = cli->cloud->value[CLOUD_endpoint];
    if (url == NULL)
        url = service_url(cli, service);
    if (url == NULL && service != SERVICE_IDENTITY && cli->session->from_cache) {
        /* It may have come since. */
        if (session_open(cli, true, f) < 0)
            return -1;
        url = service_url(cli, service);
    }
    if (url == NULL && service == SERVICE_IDENTITY)
        url = cli->cloud->value[CLOUD_auth_url];
    if (url == NULL)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "The catalogue has no %s endpoint for the %s service%s%s.",
                           cli->cloud->value[CLOUD_interface] != NULL
                               ? cli->cloud->value[CLOUD_interface]
                               : "public",
                           service_name(service),
                           cli->cloud->value[CLOUD_region_name] != NULL ? " in region " : "",
                           cli->cloud->value[CLOUD_region_name] != NULL
                               ? cli->cloud->value[CLOUD_region_name]
                               : "");
    if (service == SERVICE_IDENTITY) {
        *ret = auth_base(cli->arena, url);
        return 0;
    }
    size = strlen(url);
    while (size > 0 && url[size - 1] == '/')
        size--;
    *ret = arena_printf(cli->arena, "%.*s%s", (int)size, url,
                        has_version(url) ? "" : services[service].version);
    return 0;
}
