#include "delegation.h"

#include "base/json.h"
#include "base/str.h"
#include "body.h"
#include "kind.h"
#include "kinds.h"
#include "session.h"

int
delegation_roles_body(struct cli *cli, json_t *body, struct fault *f)
{
    json_t *roles = json_array();

    for (size_t i = 0; i < cli->args.count; i++) {
        const char *text = cli->args.items[i].text;
        bool is_id;

        if (!str_equal(cli->args.items[i].option->name, "--role"))
            continue;
        is_id = strlen(text) == 32 && text[strspn(text, "0123456789abcdef")] == '\0';
        json_array_append_new(roles, json_pack("{ss}", is_id ? "id" : "name", text));
    }
    if (json_array_size(roles) > 0)
        json_object_set(body, "roles", roles);
    json_decref(roles);
    (void)f;
    return 0;
}

/* A JSON list, or a file with one. */
static int
set_rules(struct cli *cli, json_t *body, struct fault *f)
{
    const char *text = args_get(&cli->args, "--access-rules");
    json_t *rules = NULL;
    char *data;
    size_t size;

    if (text == NULL)
        return 0;
    if (text[strspn(text, " \t\n")] == '[') {
        data = arena_strdup(cli->arena, text);
        size = strlen(text);
    } else if (body_file(cli->arena, text, &data, &size, f) < 0) {
        return -1;
    }
    if (json_read(cli->arena, data, size, &rules, f) < 0) {
        text = arena_strdup(cli->arena, f->message);
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID, "--access-rules: %s", text);
    }
    json_object_set(body, "access_rules", rules);
    return 0;
}

int
delegation_app_cred_body(struct cli *cli, json_t *body, struct fault *f)
{
    delegation_roles_body(cli, body, f);
    return set_rules(cli, body, f);
}

/* One's own id, when 'text' is one's own name: that needs no right to look others up. */
static const char *
own_id(const struct cli *cli, const struct kind *kind, const char *text)
{
    const json_t *token = json_object_get(cli->session->body, "token"),
                 *own = json_object_get(token, kind == &kind_user ? "user" : "project");

    return str_equal(json_get_text(own, "name"), text) ? json_get_text(own, "id") : NULL;
}

static int
set_found(struct cli *cli, json_t *body, const char *member, const struct kind *kind,
          const char *text, const char *domain_option, struct fault *f)
{
    const char *domain_id = NULL, *id = NULL;

    if (session_open(cli, false, f) < 0 || body_domain(cli, domain_option, &domain_id, f) < 0)
        return -1;
    if (domain_id == NULL)
        id = own_id(cli, kind, text);
    if (id == NULL && kind_id(cli, kind, text, domain_id, &id, f) < 0) {
        fault_clear(f); /* Forbidden to look, or no such: identity says so of what it gets. */
        id = text;
    }
    json_object_set_new(body, member, json_string(id));
    return 0;
}

int
delegation_trust_body(struct cli *cli, json_t *body, struct fault *f)
{
    delegation_roles_body(cli, body, f);
    if (!args_has(&cli->args, "--impersonate"))
        json_object_set_new(body, "impersonation", json_false());
    if (set_found(cli, body, "trustor_user_id", &kind_user, args_get(&cli->args, "<trustor-user>"),
                  "--trustor-domain", f) < 0 ||
        set_found(cli, body, "trustee_user_id", &kind_user, args_get(&cli->args, "<trustee-user>"),
                  "--trustee-domain", f) < 0)
        return -1;
    return set_found(cli, body, "project_id", &kind_project, args_get(&cli->args, "--project"),
                     "--project-domain", f);
}
