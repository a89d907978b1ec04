#include "oauth.h"

#include "access.h"
#include "auth/oauth1.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "http/url.h"
#include "password.h"
#include "rest.h"
#include "session.h"

/* Where an answer's parts go, as the openstack client names them. */
static const char *
title_of(const char *name)
{
    return str_equal(name, "oauth_token")          ? "key"
           : str_equal(name, "oauth_token_secret") ? "secret"
           : str_equal(name, "oauth_expires_at")   ? "expires"
                                                   : name;
}

static int
show_token(struct cli *cli, const struct http_exchange *x, struct fault *f)
{
    json_t *shown = json_own(cli->arena, json_object());
    struct http_pair *parts;
    size_t count;

    if (url_parse_query(cli->arena, arena_strndup(cli->arena, x->answer, x->answer_size), &parts,
                        &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        json_object_set_new(shown, title_of(parts[i].name),
                            json_string(parts[i].value != NULL ? parts[i].value : ""));
    if (json_object_get(shown, "key") == NULL)
        return fault_raise(f, FAULT_INTERNAL, "%s answered without a token.", x->url);
    json_object_set(shown, "id", json_object_get(shown, "key"));
    return output_fields(cli, NULL, shown, f);
}

/* A secret that an option gives, or that is asked for. */
static int
secret(struct cli *cli, const char *option, const char *prompt, const char **ret, struct fault *f)
{
    *ret = args_get(&cli->args, option);
    return *ret != NULL ? 0 : password_ask(cli->arena, prompt, false, ret, f);
}

/* Signs and sends what 'o' says, and shows the token that comes for it. */
static int
ask(struct cli *cli, const char *path, struct oauth1 *o, const char *consumer_secret,
    const char *token_secret, const char *project_id, struct fault *f)
{
    struct http_pair headers[2] = { { .name = "Authorization" },
                                    { "Requested-Project-Id", project_id } };
    struct rest r = { .service = SERVICE_IDENTITY,
                      .method = HTTP_POST,
                      .path = path,
                      .headers = headers,
                      .headers_count = project_id != NULL ? 2 : 1,
                      .text = true };
    char *base;

    if (session_open(cli, false, f) < 0 || session_url(cli, SERVICE_IDENTITY, &base, f) < 0)
        return -1;
    headers[0].value =
        oauth1_sign(cli->arena, o, "POST", arena_printf(cli->arena, "%s%s", base, path),
                    consumer_secret, token_secret, clock_now_us(), uuid_make_hex(cli->arena));
    if (rest_call(cli, &r, f) < 0)
        return -1;
    return show_token(cli, &r.exchange, f);
}

int
oauth_request_token(struct cli *cli, struct fault *f)
{
    struct oauth1 o = { .params = { { "oauth_consumer_key",
                                      args_get(&cli->args, "--consumer-key") },
                                    { "oauth_callback", "oob" } },
                        .count = 2 };
    const char *project_id, *consumer_secret;

    if (access_option_id(cli, "--project", &project_id, f) < 0 ||
        secret(cli, "--consumer-secret", "Consumer secret: ", &consumer_secret, f) < 0)
        return -1;
    return ask(cli, "/OS-OAUTH1/request_token", &o, consumer_secret, "", project_id, f);
}

int
oauth_access_token(struct cli *cli, struct fault *f)
{
    struct oauth1 o = { .params = { { "oauth_consumer_key",
                                      args_get(&cli->args, "--consumer-key") },
                                    { "oauth_token", args_get(&cli->args, "--request-key") },
                                    { "oauth_verifier", args_get(&cli->args, "--verifier") } },
                        .count = 3 };
    const char *consumer_secret, *token_secret;

    if (secret(cli, "--consumer-secret", "Consumer secret: ", &consumer_secret, f) < 0 ||
        secret(cli, "--request-secret", "Request secret: ", &token_secret, f) < 0)
        return -1;
    return ask(cli, "/OS-OAUTH1/access_token", &o, consumer_secret, token_secret, NULL, f);
}

int
oauth_consumer_body(struct cli *cli, json_t *body, struct fault *f)
{
    (void)cli;
    (void)f;
    if (json_object_get(body, "description") == NULL)
        json_object_set_new(body, "description", json_null());
    return 0;
}
