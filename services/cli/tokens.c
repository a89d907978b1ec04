/* Tokens: a new one, what one says, where one may go, and its end. */
#include "access.h"
#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "kind.h"
#include "rest.h"
#include "session.h"
#include "shapes.h"

/* "2026-11-29T02:46:12.642648Z" as the openstack client writes it. */
static char *
short_time(struct arena *a, const char *text)
{
    return arena_printf(a, "%.19s+0000", text != NULL ? text : "");
}

/* Always a new one: the cached token is for this program's own use. */
int
access_token_issue(struct cli *cli, struct fault *f)
{
    json_t *shown, *token;
    const char *domain;

    if (session_open(cli, true, f) < 0)
        return -1;
    token = json_object_get(cli->session->body, "token");
    shown =
        json_own(cli->arena, json_pack("{ss ss ss}", "id", cli->session->token, "expires",
                                       short_time(cli->arena, json_get_text(token, "expires_at")),
                                       "user_id", session_user_id(cli)));
    if (session_project_id(cli) != NULL)
        json_object_set_new(shown, "project_id", json_string(session_project_id(cli)));
    domain = json_get_text(json_object_get(token, "domain"), "id");
    if (domain != NULL)
        json_object_set_new(shown, "domain_id", json_string(domain));
    if (json_object_get(token, "system") != NULL)
        json_object_set_new(shown, "system", json_string("all"));
    return output_fields(cli, NULL, shown, f);
}

/* <token>, or what standard input says in place of "-". */
static int
token_argument(struct cli *cli, const char **ret, struct fault *f)
{
    char *text;
    size_t size;

    *ret = args_get(&cli->args, "<token>");
    if (!str_equal(*ret, "-"))
        return 0;
    if (body_file(cli->arena, "-", &text, &size, f) < 0)
        return -1;
    text[strcspn(text, " \r\n")] = '\0';
    *ret = text;
    return 0;
}

/* A request about a token, by one's own. */
static int
about(struct cli *cli, struct rest *r, const char *token, struct fault *f)
{
    const struct http_pair subject = { "X-Subject-Token", token };
    int result;

    r->service = SERVICE_IDENTITY;
    r->headers = &subject;
    r->headers_count = 1;
    result = rest_call(cli, r, f);
    r->headers = NULL;
    return result;
}

int
access_token_revoke(struct cli *cli, struct fault *f)
{
    struct rest r = { .method = HTTP_DELETE, .path = "/auth/tokens" };
    const char *token;

    return token_argument(cli, &token, f) < 0 ? -1 : about(cli, &r, token, f);
}

/* Copies a part's id, name and domain as "user_id", "user_name", "user_domain_id". */
static void
show_part(struct cli *cli, json_t *shown, const json_t *token, const char *part)
{
    json_t *object = json_object_get(token, part),
           *domain = json_object_get(json_object_get(object, "domain"), "id");

    if (object == NULL)
        return;
    json_object_set(shown, arena_printf(cli->arena, "%s_id", part), json_object_get(object, "id"));
    json_object_set(shown, arena_printf(cli->arena, "%s_name", part),
                    json_object_get(object, "name"));
    if (domain != NULL)
        json_object_set(shown, arena_printf(cli->arena, "%s_domain_id", part), domain);
}

int
access_token_show(struct cli *cli, struct fault *f)
{
    static const char *const plain[] = { "methods",        "issued_at", "audit_ids",
                                         "OS-TRUST:trust", "OS-OAUTH1", "application_credential" };
    struct rest r = { .path = args_has(&cli->args, "--allow-expired")
                                  ? "/auth/tokens?nocatalog=1&allow_expired=1"
                                  : "/auth/tokens?nocatalog=1" };
    json_t *shown = json_own(cli->arena, json_object()), *token, *value;
    const char *text;

    if (token_argument(cli, &text, f) < 0 || about(cli, &r, text, f) < 0)
        return -1;
    token = json_object_get(r.answer, "token");
    json_object_set(shown, "expires", json_object_get(token, "expires_at"));
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if ((value = json_object_get(token, plain[i])) != NULL)
            json_object_set(shown, plain[i], value);
    }
    show_part(cli, shown, token, "user");
    show_part(cli, shown, token, "project");
    show_part(cli, shown, token, "domain");
    if (json_object_get(token, "system") != NULL)
        json_object_set_new(shown, "system", json_string("all"));
    json_object_set(shown, "roles", make_role_names(cli, token));
    return output_fields(cli, NULL, shown, f);
}

/* The projects or domains, as rows that say which they are. */
static int
add_scopes(struct cli *cli, const char *path, const char *plural, const char *type, json_t *rows,
           struct fault *f)
{
    json_t *found, *one;
    size_t i;

    if (kind_list(cli, SERVICE_IDENTITY, path, plural, 0, &found, f) < 0)
        return -1;
    json_array_foreach(found, i, one)
    {
        json_object_set_new(one, "type", json_string(type));
        if (json_object_get(one, "id") == NULL) /* The system. */
            json_object_set_new(one, "id", json_string("all"));
        json_array_append(rows, one);
    }
    return 0;
}

int
access_token_scopes(struct cli *cli, struct fault *f)
{
    json_t *rows = json_own(cli->arena, json_array());

    if (add_scopes(cli, "/auth/system", "system", "system", rows, f) < 0 ||
        add_scopes(cli, "/auth/domains", "domains", "domain", rows, f) < 0 ||
        add_scopes(cli, "/auth/projects", "projects", "project", rows, f) < 0)
        return -1;
    return output_list(cli, cli->command->columns, rows, f);
}

json_t *
access_revoked(struct cli *cli, json_t *event)
{
    json_t *whose = json_own(cli->arena, json_copy(event));

    json_object_del(whose, "issued_before");
    json_object_del(whose, "revoked_at");
    return whose;
}
