#include "immutable.h"

int
immutable_check_update(struct call *call, const struct resource *r,
                       const struct immutable_option *old, const struct immutable_option *options,
                       const char *kind, const char *id, struct fault *f)
{
    bool taken_back = options != NULL && !options->immutable &&
                      field_given(&options->set, IMMUTABLE_OPTION_F_IMMUTABLE);

    if (!immutable_is_set(old) ||
        (taken_back && json_object_size(json_object_get(call->body, r->key)) == 1))
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Unable to update immutable %s resource: `%.64s. Set resource option "
                       "\"immutable\" to false first.",
                       kind, id);
}

int
immutable_check_delete(const struct immutable_option *options, const char *kind, const char *id,
                       struct fault *f)
{
    if (!immutable_is_set(options))
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Unable to delete immutable %s resource: `%.64s. Set resource option "
                       "\"immutable\" to false first.",
                       kind, id);
}

void
immutable_tidy(struct call *call, struct immutable_option **options)
{
    if (*options != NULL && field_null(&(*options)->set, IMMUTABLE_OPTION_F_IMMUTABLE))
        *options = ARENA_NEW(call->arena, struct immutable_option);
}
