/* Federation: users whom an identity provider elsewhere vouches for (OS-FEDERATION of the Identity API v3).
 *
 *   federation_providers.c   identity providers and service providers
 *   federation_protocols.c   protocols of a provider, and which mapping each uses
 *   federation_mappings.c    mappings as they are stored; what they mean is mapping_rules.h
 *   federation_view.c        what tokens show of all that
 *   federation_auth.c        .../auth: a token for who proves himself by his provider
 *   federation_assertion.c   what is said of him (from claims: oidc.h; from a front proxy's headers)
 *   federation_login.c       which account he is
 *   federation_users.c       whom providers know a user as: "federated" of users
 *   websso.c                 the same for browsers that a dashboard sends
 *
 * A change of any of them ends the tokens that it let in. */
#pragma once

#include "revocations.h"

/* Parts of a token's body (token_view.c): "service_providers": [...], when any is enabled; who vouched for the user. */
int federation_write_service_providers(struct call *call, struct jsonw *w, struct fault *f);
void federation_write_user(struct jsonw *w, const struct auth_context *token);

/* All tokens of a provider, or (protocol_id not NULL) of one of its protocols. */
int federation_revoke(struct call *call, struct db_tx *tx, const char *idp_id,
                      const char *protocol_id, struct fault *f);
