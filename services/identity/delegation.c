#include "delegation.h"

#include "base/clock.h"
#include "base/str.h"

/* Methods by which a user shows that it is he. One that is not named here counts as delegated until somebody has thought about it. */
static const char *const primary_methods[] = { "external", "kerberos", "mapped",
                                               "openid",   "password", "saml2",
                                               "token",    "totp",     "x509" };

static bool
is_primary(const char *method)
{
    for (size_t i = 0; i < ARRAY_SIZE(primary_methods); i++) {
        if (str_equal(primary_methods[i], method))
            return true;
    }
    return false;
}

bool
delegation_by_method(const struct auth_context *who)
{
    for (size_t i = 0; i < who->methods_count; i++) {
        if (!is_primary(who->methods[i]))
            return true;
    }
    return who->methods_count == 0;
}

bool
delegation_is(const struct auth_context *who)
{
    return who->trust_id != NULL || who->app_cred_id != NULL || delegation_by_method(who);
}

static int
forbid(const char *action, struct fault *f)
{
    return fault_raise(f, FAULT_FORBIDDEN,
                       "You are not authorized to perform the requested action: %s", action);
}

int
delegation_check_app_creds(struct call *call, bool change, struct fault *f)
{
    const struct auth_context *who = &call->auth;

    if (who->app_cred_id != NULL && who->trust_id == NULL)
        return change && who->app_cred_restricted
                   ? forbid("Using method 'application_credential' is not allowed for managing "
                            "additional application credentials.",
                            f)
                   : 0;
    if (delegation_is(who))
        return forbid("Cannot manage application credentials with a token issued via delegation.",
                      f);
    return 0;
}

int
delegation_check_trusts(struct call *call, struct fault *f)
{
    if (call->auth.app_cred_id != NULL || delegation_by_method(&call->auth))
        return forbid("Delegated tokens cannot manage trusts.", f);
    return 0;
}

int
delegation_read_roles(struct call *call, struct db *db, const json_t *list, const char *path,
                      struct texts *ret, struct fault *f)
{
    size_t count = json_array_size(list);
    const char **ids = ARENA_ARRAY(call->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++) {
        struct role_ref ref = { 0 };
        struct role_id_by_name_row row;
        int found;

        if (schema_parse(&role_ref_schema, json_array_get(list, i), SCHEMA_CREATE, 0, path,
                         call->arena, &ref, f) < 0)
            return -1;
        if ((ref.id != NULL) == (ref.name != NULL))
            return fault_raise_field(
                f, path,
                "Invalid input for field '%s': each role is {\"id\": ...} or {\"name\": ...}.",
                path);
        ids[i] = ref.id;
        if (ref.id != NULL)
            continue;
        found = role_id_by_name(db, ref.name, &row, f);
        if (found < 0)
            return -1;
        if (found == 0)
            return fault_raise(f, FAULT_NOT_FOUND, "Could not find role: %.255s.", ref.name);
        ids[i] = row.id;
    }
    *ret = (struct texts){ .items = ids, .count = count };
    return 0;
}

int
delegation_read_expiry(const char *text, int64_t *ret_us, struct fault *f)
{
    int64_t us;

    if (clock_parse(text, &us) < 0)
        return fault_raise_field(f, "expires_at",
                                 "Timestamp not in expected format. The server could not comply "
                                 "with the request since it is either malformed or otherwise "
                                 "incorrect. The client is assumed to be in error.");
    if (us <= clock_now_us())
        return fault_raise_field(f, "expires_at",
                                 "The 'expires_at' must not be before now. The server could not "
                                 "comply with the request since it is either malformed or "
                                 "otherwise incorrect. The client is assumed to be in error.");
    *ret_us = us;
    return 0;
}
