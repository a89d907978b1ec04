/* Tokens kept between runs: one file per identity in $XDG_CACHE_HOME/virga (or ~/.cache/virga), mode 0600 in a folder of mode
 * 0700. Secrets are no part of a file's name or key: who may read the token needs no password. Failing to read or write one
 * is no error; the token is then asked for again. */
#pragma once

#include <jansson.h>

#include "base/arena.h"

/* The kept answer {"token": "...", "body": {...}} for 'identity', if it still lasts a minute; else NULL. */
json_t *token_cache_get(struct arena *a, const char *identity);
void token_cache_put(struct arena *a, const char *identity, const char *token, const json_t *body);
void token_cache_drop(struct arena *a, const char *identity);
