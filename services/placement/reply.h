/* What placement's answers and query strings share. */
#pragma once

#include "service.h"

/* Cache-Control and Last-Modified, which answers carry from 1.15 on. 'modified_us' 0: now. */
void reply_cached(struct call *call, int64_t modified_us);

/* Begins the JSON answer with those headers. */
struct jsonw *reply_json(struct call *call, int64_t modified_us);

/* FAULT_NOT_ACCEPTABLE when the client takes no JSON. */
int reply_check_accept(struct call *call, struct fault *f);

/* A query parameter an operation takes, in the versions that have it. 'suffixed': followed by the name of a request group too. */
struct query_key {
    const char *name;
    int since;
    bool suffixed;
};

/* FAULT_INVALID that names the parameters which are not in 'keys' (ended by a NULL name) at the request's version. */
int query_check(struct call *call, const struct query_key *keys, struct fault *f);

/* FAULT_INVALID: the query breaks this rule of JSON Schema, in parameter 'name' (NULL: as a whole). */
int query_refuse(struct fault *f, const char *name, const char *keyword, const char *format, ...)
    _printf_(4, 5);

/* FAULT_INVALID: the object at 'path' of the body has a member 'name' that does not match 'pattern'. */
#define UUID_PATTERN "^[0-9a-fA-F-]{36}$"
int refuse_name(struct call *call, const char *path, const char *name, const char *pattern,
                struct fault *f);

/* The first and the last value of a parameter that may be repeated; NULL. Upstream checks the last and takes one or the other. */
const char *query_first(const struct call *call, const char *name);
const char *query_last(const struct call *call, const char *name);

/* "...-...-..." in lower case of a UUID with or without dashes; NULL if it is none. */
const char *uuid_normal(struct arena *a, const char *text);

/* The resource provider of the path, or 404 in upstream's words. */
int provider_of_path(struct call *call, struct provider_row *ret, struct fault *f);

/* The same, locked until the commit. '*ret_generation' is compared with what the client has seen. */
int provider_lock_path(struct call *call, struct db_tx *tx, struct provider_lock_row *ret,
                       struct fault *f);
