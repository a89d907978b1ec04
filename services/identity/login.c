/* Logging in: the methods of an authentication request. A refusal never says which part was wrong, and costs the same time. */
#include "base/clock.h"
#include "base/str.h"
#include "passwords.h"
#include "tokens.h"

int
login_refused(struct call *call, const char *cause, struct fault *f)
{
    call_header(call, "WWW-Authenticate",
                arena_printf(call->arena, "Keystone uri=\"%s\"", call->base_url));
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "%s", cause);
}

static int
find_user(struct call *call, const struct user_ref *user, struct account_login_row *ret,
          struct fault *f)
{
    const struct domain_ref *domain = user->domain;

    if (user->id != NULL)
        return account_by_id(call->db, user->id, ret, f);
    if (user->name == NULL || domain == NULL || (domain->id == NULL && domain->name == NULL))
        return fault_raise_field(f, "user", "Expecting to find id or name with domain in user.");
    return account_by_name(call->db, user->name, domain->id, domain->name, ret, f);
}

static int
by_password(struct call *call, const struct auth_password *in, struct auth_context *ret,
            struct fault *f)
{
    struct account_login_row row = { 0 };
    const struct user_ref *user = in == NULL ? NULL : in->user;
    bool right, alive;
    int found;

    if (user == NULL || user->password == NULL)
        return fault_raise_field(f, "password", "Expecting to find password in user.");
    if (strlen(user->password) > (size_t)identity_of(call)->config->password_max_length)
        return fault_raise_field(f, "password", "The password is too long.");
    found = find_user(call, user, &row, f);
    if (found < 0)
        return -1;
    right = password_verify(identity_of(call)->hasher, user->password,
                            found == 1 ? row.password_hash : NULL);
    alive = found == 1 && row.enabled && row.domain_enabled &&
            (row.password_expires_at_null || row.password_expires_at > clock_now_us());
    if (!right || !alive)
        return login_refused(call,
                             found == 0 ? "no such user"
                             : !right   ? "wrong password"
                                        : "user disabled or password expired",
                             f);
    ret->user_id = row.id;
    ret->user_name = row.name;
    ret->user_domain_id = row.domain_id;
    ret->user_domain_name = row.domain_name;
    return 0;
}

static int
by_token(struct call *call, const struct auth_token *in, struct auth_context *ret, struct fault *f)
{
    struct account_login_row row;
    struct auth_context old;
    int found;

    if (in == NULL)
        return fault_raise_field(f, "token", "Expecting to find token in identity.");
    if (authenticator_check(api_server_authenticator(call->server), call->arena, in->id, &old, f) <
        0)
        return login_refused(call, "token refused", f);
    found = account_by_id(call->db, old.user_id, &row, f);
    if (found < 0)
        return -1;
    if (found == 0 || !row.enabled || !row.domain_enabled)
        return login_refused(call, "the token's user is gone or disabled", f);
    ret->user_id = old.user_id;
    ret->user_name = row.name;
    ret->user_domain_id = row.domain_id;
    ret->user_domain_name = row.domain_name;
    ret->expires_us = old.expires_us; /* A new token from an old one never lives longer. */
    ret->audit_chain_id = old.audit_chain_id;
    ret->methods = old.methods;
    ret->methods_count = old.methods_count;
    return 0;
}

static void
add_method(struct call *call, struct auth_context *c, const char *name)
{
    const char **methods = ARENA_ARRAY(call->arena, const char *, c->methods_count + 2);

    for (size_t i = 0; i < c->methods_count; i++) {
        if (str_equal(c->methods[i], name))
            return;
        methods[i] = c->methods[i];
    }
    methods[c->methods_count++] = name;
    c->methods = methods;
}

int
login(struct call *call, const struct auth_identity *in, struct auth_context *ret,
      const char **ret_default_project, struct fault *f)
{
    struct auth_context who = { 0 };
    struct user who_row = { 0 };
    bool password = false;

    for (size_t i = 0; i < in->methods.count; i++) {
        const char *method = in->methods.items[i];
        const char *before = who.user_id;
        int r;

        for (size_t j = 0; j < i; j++) {
            if (str_equal(in->methods.items[j], method))
                return fault_raise_field(f, "methods", "Method %.64s stands twice.", method);
        }
        if (str_equal(method, "password")) {
            r = by_password(call, in->password, &who, f);
            password = true;
        } else if (str_equal(method, "token")) {
            r = by_token(call, in->token, &who, f);
        } else {
            return login_refused(call, "a method that is not known", f);
        }
        if (r < 0)
            return r;
        if (before != NULL && !str_equal(before, who.user_id))
            return login_refused(call, "methods name different users", f);
        add_method(call, &who, method);
    }
    *ret_default_project = NULL;
    if (password &&
        resource_load(call->db, &user_resource, who.user_id, NULL, false, &who_row, f) == 0)
        *ret_default_project = who_row.default_project_id;
    fault_clear(f);
    *ret = who;
    return 0;
}
