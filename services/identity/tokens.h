/* Tokens as identity makes and shows them: who (login.c), for what (scope.c), and the body (token_view.c). */
#pragma once

#include "service.h"

/* Who logs in: checks every method the request names. Fills user, methods and, after method "token", the chain and expiry of
 * the token it came with. '*ret_password': a password was among them. Any failure is the same 401. */
int login(struct call *call, const struct auth_identity *in, struct auth_context *ret,
          const char **ret_default_project, struct fault *f);

/* What for: resolves the scope and the roles that the user has there. FAULT_UNAUTHORIZED when he has none. */
int scope_resolve(struct call *call, const json_t *scope, const char *default_project_id,
                  struct auth_context *ret, struct fault *f);

/* {"token": {...}}; 'with_catalog' as the request asks. */
int token_write(struct call *call, const struct auth_context *token, bool with_catalog,
                struct fault *f);
int catalog_write(struct call *call, const struct auth_context *token, struct jsonw *w,
                  const char *key, struct fault *f);

/* The one answer to every failed login. */
int login_refused(struct call *call, const char *cause, struct fault *f);
