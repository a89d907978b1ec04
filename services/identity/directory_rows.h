/* What a directory's entries become in identity's tables. Pure: each case is a line of a test's table. */
#pragma once

#include "directory_ldap.h"

/* Is the user of this entry enabled, as the options say it is written there? 'in_group': he is a member of d->enabled.group_dn. */
bool directory_is_enabled(const struct directory *d, const struct directory_entry *e,
                          bool in_group);

/* The id that the API shows for an entry: as Keystone makes it, so that a cloud which comes from there keeps its assignments.
 * 'kind': "user" or "group"; 'id': the value of the id attribute. */
char *directory_public_id(struct arena *a, const char *domain_id, const char *kind, const char *id);

/* A row for queries/directory.sql, a reference of the caller's; NULL for an entry without id or name. */
json_t *directory_user_row(struct arena *a, const struct directory *d,
                           const struct directory_entry *e, bool in_group);
json_t *directory_group_row(struct arena *a, const struct directory *d,
                            const struct directory_entry *e);

/* Appends {"group_id", "member"} for each member that the group's entry names: DNs normalised, ids as they are. */
void directory_member_rows(struct arena *a, const struct directory *d,
                           const struct directory_entry *e, json_t *rows);
