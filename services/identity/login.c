/* Logging in: see login.h. */
#include "login.h"

#include "base/str.h"

static const struct {
    const char *name;
    login_method_fn check;
} methods[] = {
    { "password", login_password },
    { "application_credential", login_app_cred },
    { "token", login_token },
};

int
login_refused(struct call *call, const char *cause, struct fault *f)
{
    call_header(call, "WWW-Authenticate",
                arena_printf(call->arena, "Keystone uri=\"%s\"", call->base_url));
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "%s", cause);
}

int
login_find_user(struct call *call, const struct user_ref *user, struct account_login_row *ret,
                struct fault *f)
{
    const struct domain_ref *domain = user->domain;

    if (user->id != NULL)
        return account_by_id(call->db, user->id, ret, f);
    if (user->name == NULL || domain == NULL || (domain->id == NULL && domain->name == NULL))
        return fault_raise_field(f, "user", "Expecting to find id or name with domain in user.");
    return account_by_name(call->db, user->name, domain->id, domain->name, ret, f);
}

bool
login_account_enabled(const struct account_login_row *row)
{
    return row->enabled && row->domain_enabled;
}

int
login_take_user(struct call *call, const struct account_login_row *row, struct login *l,
                struct fault *f)
{
    if (l->who.user_id != NULL && !str_equal(l->who.user_id, row->id))
        return login_refused(call, "methods name different users", f);
    l->who.user_id = row->id;
    l->who.user_name = row->name;
    l->who.user_domain_id = row->domain_id;
    l->who.user_domain_name = row->domain_name;
    l->who.password_expires_us = row->password_expires_at_null ? 0 : row->password_expires_at;
    return 0;
}

static void
add_method(struct call *call, struct auth_context *c, const char *name)
{
    const char **list = ARENA_ARRAY(call->arena, const char *, c->methods_count + 2);

    for (size_t i = 0; i < c->methods_count; i++) {
        if (str_equal(c->methods[i], name))
            return;
        list[i] = c->methods[i];
    }
    list[c->methods_count++] = name;
    c->methods = list;
}

static login_method_fn
find_method(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (str_equal(methods[i].name, name))
            return methods[i].check;
    }
    return NULL;
}

int
login(struct call *call, const struct auth_identity *in, struct login *ret, struct fault *f)
{
    struct login l = { 0 };

    for (size_t i = 0; i < in->methods.count; i++) {
        const char *name = in->methods.items[i];
        login_method_fn check = find_method(name);

        for (size_t j = 0; j < i; j++) {
            if (str_equal(in->methods.items[j], name))
                return fault_raise_field(f, "methods", "Method %.64s stands twice.", name);
        }
        if (check == NULL)
            return login_refused(call, "a method that is not known", f);
        if (check(call, in, &l, f) < 0)
            return -1;
        add_method(call, &l.who, name);
    }
    *ret = l;
    return 0;
}
