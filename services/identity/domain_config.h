/* What a domain has set for itself with PUT /v3/domains/{id}/config: sections "identity" and "ldap", options as in
 * domain_options.def. The API never shows what is secret; this does. */
#pragma once

#include "service.h"

/* All options of a domain, {"ldap": {"url": "...", ...}, "identity": {...}}: what is set, secrets too, over the defaults.
 * "%(password)s" in a text is replaced by the secret of that name in its section. '*ret' belongs to db's arena; log nothing of it.
 * Returns 1, or 0 if the domain has set nothing (then '*ret' are the defaults), or -1. */
int domain_config_load(struct db *db, const char *domain_id, json_t **ret, struct fault *f);

/* Members of it as values, NULL, 0 or false when null or of another type ("10" is 10 too, and "true" true). */
const char *domain_config_text(const json_t *config, const char *section, const char *name);
int64_t domain_config_int(const json_t *config, const char *section, const char *name);
bool domain_config_bool(const json_t *config, const char *section, const char *name);
