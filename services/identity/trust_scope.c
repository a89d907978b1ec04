/* Tokens by a trust: what the trustor gave, as long as he has it himself, and as long as everyone in the chain may act. */
#include "base/clock.h"
#include "base/str.h"
#include "tokens.h"
#include "trusts.h"

#define FORBIDDEN "You are not authorized to perform the requested action: "

static int
forbid(const char *why, struct fault *f)
{
    return fault_raise(f, FAULT_FORBIDDEN, FORBIDDEN "%s", why);
}

static int
check_parties(const struct auth_context *c, const struct trust_link_row *chain, size_t count,
              struct fault *f)
{
    if (!str_equal(c->user_id, chain[0].trustee_user_id))
        return forbid("User is not a trustee.", f);
    for (size_t i = 0; i < count; i++) {
        if (!chain[i].trustor_enabled)
            return forbid("Trustor is disabled.", f);
    }
    if (!chain[0].trustee_enabled)
        return forbid("Trustee is disabled.", f);
    return 0;
}

/* All the trust's roles, or none: a role that the trustor has lost makes the trust void. */
static int
take_trust_roles(struct call *call, const struct trust_link_row *link, const char *trustor_id,
                 struct auth_context *c, struct fault *f)
{
    struct trust_effective_roles_row *wanted;
    struct effective_roles_row *held;
    struct texts none = { 0 };
    const char **names, **ids;
    size_t count, held_count;

    if (trust_effective_roles(call->db, link->id, &wanted, &count, f) < 0 ||
        effective_roles(call->db, trustor_id, "project", c->project_id, c->project_domain_id, &none,
                        &held, &held_count, f) < 0)
        return -1;
    names = ARENA_ARRAY(call->arena, const char *, count + 1);
    ids = ARENA_ARRAY(call->arena, const char *, count + 1);
    c->roles_count = 0;
    for (size_t i = 0; i < held_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (str_equal(held[i].id, wanted[j].id)) {
                names[c->roles_count] = held[i].name;
                ids[c->roles_count++] = held[i].id;
            }
        }
    }
    if (c->roles_count == 0 || c->roles_count != count)
        return forbid("Trustee has no delegated roles.", f);
    c->roles = names;
    c->role_ids = ids;
    return 0;
}

static int
impersonate(struct call *call, const char *user_id, struct auth_context *c, struct fault *f)
{
    struct account_login_row row;
    int found = account_by_id(call->db, user_id, &row, f);

    if (found <= 0)
        return found < 0 ? -1 : login_refused(call, "the trustor is gone", f);
    c->user_id = row.id;
    c->user_name = row.name;
    c->user_domain_id = row.domain_id;
    c->user_domain_name = row.domain_name;
    c->password_expires_us = row.password_expires_at_null ? 0 : row.password_expires_at;
    return 0;
}

int
trust_scope(struct call *call, const struct trust_ref *in, struct login *l, struct auth_context *c,
            struct fault *f)
{
    struct trust_link_row *chain;
    size_t count;

    if (trust_load_chain(call, call->db, in->id, &chain, &count, f) < 0)
        return f->kind == FAULT_NOT_FOUND ? login_refused(call, "no such trust", f) : -1;
    if (check_parties(c, chain, count, f) < 0)
        return -1;
    if (chain[0].project_id == NULL)
        return forbid("Trustee has no delegated roles.", f);
    if (scope_enter_project(call, &(struct project_ref){ .id = chain[0].project_id }, c, f) < 0 ||
        take_trust_roles(call, &chain[0], chain[count - 1].trustor_user_id, c, f) < 0 ||
        take_trust_roles(call, &chain[0], chain[0].trustor_user_id, c, f) < 0)
        return -1;
    c->trust_id = chain[0].id;
    c->trustor_id = chain[0].trustor_user_id;
    c->trustee_id = chain[0].trustee_user_id;
    c->trust_own_name = !chain[0].impersonation;
    for (size_t i = 0; i < count; i++) {
        if (!chain[i].expires_at_null && (l->ends_us == 0 || chain[i].expires_at < l->ends_us))
            l->ends_us = chain[i].expires_at;
    }
    l->trust_limited = !chain[0].remaining_uses_null;
    return chain[0].impersonation ? impersonate(call, c->trustor_id, c, f) : 0;
}

int
trust_use(struct call *call, const char *trust_id, struct fault *f)
{
    int used = trust_consume(call->db, trust_id, f);

    if (used == 0)
        return fault_raise(f, FAULT_FORBIDDEN, "No remaining uses for trust: %.64s.", trust_id);
    return used < 0 ? -1 : 0;
}
