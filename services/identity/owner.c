#include "owner.h"

#include <ctype.h>

int
owner_domain(struct call *call, struct db_tx *tx, struct field_set *set, unsigned index,
             const char **domain_id, struct fault *f)
{
    struct domain domain = { 0 };

    if (*domain_id == NULL) {
        const struct auth_context *who = &call->auth;

        *domain_id = who->domain_id != NULL           ? who->domain_id
                     : who->project_domain_id != NULL ? who->project_domain_id
                                                      : who->user_domain_id;
        field_mark(set, index);
    }
    return resource_load(tx->db, &domain_resource, *domain_id, NULL, false, &domain, f);
}

void
owner_narrow(struct call *call, struct list_plan *plan)
{
    if (call->auth.scope == SCOPE_DOMAIN)
        list_plan_where(plan, "domain_id", OP_EQ, call->auth.domain_id);
}

const char *
owner_trim(struct call *call, const char *name)
{
    size_t size;

    if (name == NULL)
        return NULL;
    while (isspace((unsigned char)*name))
        name++;
    size = strlen(name);
    while (size > 0 && isspace((unsigned char)name[size - 1]))
        size--;
    return arena_strndup(call->arena, name, size);
}
