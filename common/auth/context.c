#include "context.h"

#include <string.h>

#include "../base/memory.h"
#include "../base/str.h"

bool
auth_has_role(const struct auth_context *c, const char *name)
{
    for (size_t i = 0; i < c->roles_count; i++) {
        if (str_equal_nocase(c->roles[i], name))
            return true;
    }
    return false;
}

/* The members that are text, so that no copy forgets one. */
#define TEXTS(X)                                                                                   \
    X(user_id)                                                                                     \
    X(user_name)                                                                                   \
    X(user_domain_id)                                                                              \
    X(user_domain_name)                                                                            \
    X(project_id)                                                                                  \
    X(project_name)                                                                                \
    X(project_domain_id)                                                                           \
    X(project_domain_name)                                                                         \
    X(domain_id)                                                                                   \
    X(domain_name)                                                                                 \
    X(audit_id)                                                                                    \
    X(audit_chain_id)                                                                              \
    X(trust_id)                                                                                    \
    X(app_cred_id)                                                                                 \
    X(access_token_id)                                                                             \
    X(consumer_id)                                                                                 \
    X(idp_id)                                                                                      \
    X(protocol_id)                                                                                 \
    X(trustor_id)                                                                                  \
    X(trustee_id)                                                                                  \
    X(service_user_id)

/* One block: the struct, the arrays, the texts. */
struct packer {
    char *text; /* Where the next text goes; NULL: only the sizes are summed. */
    size_t size;
};

static const char *
pack_text(struct packer *p, const char *text)
{
    size_t size;
    char *copy = p->text;

    if (text == NULL)
        return NULL;
    size = strlen(text) + 1;
    p->size += size;
    if (copy != NULL) {
        memcpy(copy, text, size);
        p->text += size;
    }
    return copy;
}

static const char *const *
pack_list(struct packer *p, const char ***at, const char *const *list, size_t count)
{
    const char **copy = *at;

    for (size_t i = 0; i < count; i++) {
        const char *text = pack_text(p, list[i]);

        if (copy != NULL)
            copy[i] = text;
    }
    if (copy != NULL)
        *at += count;
    return copy;
}

/* Fills 'out' from 'c'; with an empty packer it only counts. */
static void
pack(struct packer *p, struct auth_context *out, const char **lists, const struct auth_context *c)
{
    *out = *c;
#define X(member) out->member = pack_text(p, c->member);
    TEXTS(X)
#undef X
    out->roles = pack_list(p, &lists, c->roles, c->roles_count);
    out->role_ids = pack_list(p, &lists, c->role_ids, c->role_ids != NULL ? c->roles_count : 0);
    out->methods = pack_list(p, &lists, c->methods, c->methods_count);
    out->group_ids = pack_list(p, &lists, c->group_ids, c->group_ids_count);
    out->access_rules = pack_list(p, &lists, c->access_rules, c->access_rules_count);
}

struct auth_context *
auth_context_dup(const struct auth_context *c)
{
    size_t lists_count =
        2 * c->roles_count + c->methods_count + c->group_ids_count + c->access_rules_count;
    size_t head = sizeof(*c) + memory_product(lists_count, sizeof(char *));
    struct packer p = { 0 };
    struct auth_context counted, *copy;

    pack(&p, &counted, NULL, c);
    copy = memory_alloc(head + p.size);
    p.text = (char *)copy + head;
    pack(&p, copy, (const char **)(void *)(copy + 1), c);
    if (c->role_ids == NULL)
        copy->role_ids = NULL;
    return copy;
}
