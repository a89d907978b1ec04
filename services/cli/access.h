/* Identity's commands that are more than a row of a table. */
#pragma once

#include "cli.h"

int access_user_body(struct cli *cli, json_t *body,
                     struct fault *f); /* --password-prompt, --federated */
int access_own_password(struct cli *cli, json_t *body, struct fault *f);
int access_project_list(struct cli *cli, struct fault *f);
/* --tag, --remove-tag, --clear-tags of "project set": all replaced at once, or one by one. */
int access_project_tags(struct cli *cli, json_t *body, struct fault *f);
int access_project_tags_each(struct cli *cli, json_t *project, struct fault *f);
int access_user_list(struct cli *cli, struct fault *f);
int access_group_list(struct cli *cli, struct fault *f);
int access_group_users(struct cli *cli, struct fault *f);
int access_role_domains(struct cli *cli, json_t *rows, struct fault *f); /* --domain by its name. */
int access_role(struct cli *cli, struct fault *f);   /* One grant, by the command's method. */
int access_grants(struct cli *cli, struct fault *f); /* All of one user or group in one place. */
int access_contains(struct cli *cli, struct fault *f);
int access_implied_ids(struct cli *cli, json_t *rule, struct fault *f);  /* Ids alone are shown. */
int access_implied_rows(struct cli *cli, json_t *rows, struct fault *f); /* One for each pair. */
int access_assignments(struct cli *cli, struct fault *f);
int access_endpoint_names(struct cli *cli, json_t *endpoint, struct fault *f);
int access_endpoint_list(struct cli *cli, struct fault *f);
int access_group_filters(struct cli *cli, json_t *body, struct fault *f); /* Text to JSON. */
int access_endpoint_group_list(struct cli *cli, struct fault *f);
int access_catalog(struct cli *cli, struct fault *f);
/* How "catalog show" prints an entry as a table. */
extern const struct column access_catalog_fields[];
int access_token_issue(struct cli *cli, struct fault *f);
int access_token_revoke(struct cli *cli, struct fault *f);
int access_token_show(struct cli *cli, struct fault *f);
int access_token_scopes(struct cli *cli, struct fault *f);
/* Whose tokens an event revokes, for a list's column. */
json_t *access_revoked(struct cli *cli, json_t *event);

/* The user, project or other id that an option names; NULL when it is not given. Shared with other services' commands. */
int access_option_id(struct cli *cli, const char *option, const char **ret, struct fault *f);
