/* The objects that a path names by their ids: {policy_id}, {service_id}, {project_id}... */
#pragma once

#include "service.h"

/* Is each of them there? 404 names the first that is not. 'lock': they stay until the transaction ends. */
int path_objects_check(struct call *call, struct db *db, bool lock, struct fault *f);

/* Answers with the list of the objects of 'r' whose ids these are. */
int path_objects_reply(struct call *call, const struct resource *r,
                       const struct catalog_id_row *ids, size_t count, struct fault *f);

/* Upstream's words for a reference to something that isn't there: "Expecting to find <attribute> in <target>". */
int expecting_to_find(const char *attribute, const char *target, struct fault *f);
