/* The tree of projects: what is above and below one, and what that allows. */
#pragma once

#include "service.h"

/* For a new project below 'parent_id' in 'domain_id': do both exist and belong together, is all above enabled, is there room? What is
 * wrong is FAULT_INVALID, too deep FAULT_FORBIDDEN. Locks the parent until the transaction ends. */
int project_tree_check_place(struct call *call, struct db_tx *tx, const char *domain_id,
                             const char *parent_id, struct fault *f);

/* May the project be enabled (all above is), or disabled (nothing below is enabled)? Else FAULT_FORBIDDEN. */
int project_tree_check_enable(struct db_tx *tx, const struct project *project, struct fault *f);
int project_tree_check_disable(struct db_tx *tx, const char *id, struct fault *f);

/* What ?parents_as_list, ?parents_as_ids, ?subtree_as_list and ?subtree_as_ids ask for; NULL: not asked for. In lists are only the projects
 * that the caller may scope to. 'parent_id' NULL: the object is a domain. */
int project_tree_expand(struct call *call, const char *id, const char *parent_id,
                        json_t **ret_parents, json_t **ret_subtree, struct fault *f);
