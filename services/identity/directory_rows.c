#include "directory_rows.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/str.h"

bool
directory_is_enabled(const struct directory *d, const struct directory_entry *e, bool in_group)
{
    const char *value = directory_value(e, d->enabled.attribute);
    int64_t bits = 0;
    bool yes;

    if (d->enabled.group_dn != NULL)
        return in_group;
    if (d->enabled.attribute == NULL)
        return true;
    if (value == NULL)
        value = d->enabled.fallback;
    if (d->enabled.mask != 0)
        return value == NULL || str_to_int64(value, INT64_MIN, INT64_MAX, &bits) < 0 ||
               (bits & d->enabled.mask) != d->enabled.mask;
    yes = str_equal_nocase(value == NULL ? "" : value, "true");
    return d->enabled.invert ? !yes : yes;
}

char *
directory_public_id(struct arena *a, const char *domain_id, const char *kind, const char *id)
{
    char *text = arena_printf(a, "%s%s%s", domain_id, kind, id);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL) != 1)
        abort();
    return str_hex(a, digest, size);
}

/* What users and groups have in common. */
static json_t *
row(struct arena *a, const struct directory *d, const struct directory_kind *kind, const char *name,
    const struct directory_entry *e)
{
    const char *id = directory_value(e, kind->id), *called = directory_value(e, kind->name);

    if (str_empty(id) || str_empty(called) || str_utf8_length(called) > 255)
        return NULL;
    return json_pack("{ss ss ss ss ss*}", "id", directory_public_id(a, d->domain_id, name, id),
                     "name", called, "directory_id", id, "dn", e->dn, "description",
                     directory_value(e, kind->description));
}

json_t *
directory_user_row(struct arena *a, const struct directory *d, const struct directory_entry *e,
                   bool in_group)
{
    const char *mail = directory_value(e, d->users.mail);
    json_t *user = row(a, d, &d->users, "user", e);

    if (user == NULL)
        return NULL;
    json_object_set_new(user, "enabled", json_boolean(directory_is_enabled(d, e, in_group)));
    if (mail != NULL && str_utf8_length(mail) <= 255)
        json_object_set_new(user, "email", json_string(mail));
    return user;
}

json_t *
directory_group_row(struct arena *a, const struct directory *d, const struct directory_entry *e)
{
    return row(a, d, &d->groups, "group", e);
}

void
directory_member_rows(struct arena *a, const struct directory *d, const struct directory_entry *e,
                      json_t *rows)
{
    const char *id = directory_value(e, d->groups.id);
    char *group = id == NULL ? NULL : directory_public_id(a, d->domain_id, "group", id);
    const json_t *value;
    size_t i;

    if (group == NULL)
        return;
    json_array_foreach(directory_values(e, d->member), i, value)
    {
        const char *member = json_string_value(value);

        if (!d->members_are_ids)
            member = directory_dn(a, member);
        json_array_append_new(rows, json_pack("{ss ss}", "group_id", group, "member", member));
    }
}
