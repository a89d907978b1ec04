/* Finding an object by the name or id that a person gave. */
#pragma once

#include <jansson.h>

#include "cli.h"

/* The object, as complete as 'show' needs it. 'domain_id' (or NULL) narrows identity's names. Fails with "No server with a name or
 * ID of 'x' exists.", or, when several have the name, with their ids. */
int kind_find(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
              json_t **ret, struct fault *f);

/* Its id only. */
int kind_id(struct cli *cli, const struct kind *kind, const char *text, const char *domain_id,
            const char **ret, struct fault *f);

const char *kind_object_id(const struct kind *kind, const json_t *object);
const char *kind_object_name(const struct kind *kind, const json_t *object); /* Or its id. */

/* All members of a list, through all its pages; 'limit' 0: all. 'path' has the query already. */
int kind_list(struct cli *cli, enum service service, const char *path, const char *plural,
              size_t limit, json_t **ret, struct fault *f);

/* Path of one object. */
char *kind_path(struct arena *a, const struct kind *kind, const char *id);

/* The object in its envelope, or the answer itself. */
json_t *kind_unwrap(const struct kind *kind, json_t *answer);
