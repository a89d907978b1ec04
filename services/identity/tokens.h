/* Tokens as identity makes and shows them: who (login.h), for what (scope.c), and the body (token_view.c). */
#pragma once

#include "login.h"

/* What for: resolves the scope and the roles that the user has there. FAULT_UNAUTHORIZED when he has none. */
int scope_resolve(struct call *call, const json_t *scope, struct login *l, struct auth_context *ret,
                  struct fault *f);
/* The project alone, without roles. FAULT_UNAUTHORIZED when there is none or it is disabled. */
int scope_enter_project(struct call *call, const struct project_ref *in, struct auth_context *c,
                        struct fault *f);

/* A token for who has logged in. 'scope' as the request says it, or NULL. The second answers with it. */
int token_make(struct call *call, struct login *l, const json_t *scope, struct auth_context *ret,
               char **ret_text, struct fault *f);
int token_reply(struct call *call, struct login *l, const json_t *scope, struct fault *f);

/* What the catalogue is made of has changed: what this daemon keeps of it is void before the change is answered. For 'committed' hooks; other
 * daemons hear of it by triggers (watch.h). */
void catalog_changed(struct call *call);

/* {"token": {...}}; 'with_catalog' as the request asks. */
int token_write(struct call *call, const struct auth_context *token, bool with_catalog,
                struct fault *f);
int catalog_write(struct call *call, const struct auth_context *token, struct jsonw *w,
                  const char *key, struct fault *f);
