/* Resources: what the engine knows of a thing that is stored, listed, shown, changed and deleted.
 *
 * Generated from schemas/<resource>.yaml. Three levels, each usable alone: primitives (resource_load, _insert, _change,
 * _remove, _render; list plans) -> generic verbs made of them -> hooks, typed per resource by the generator. */
#pragma once

#include "../db/tx.h"
#include "field.h"
#include "schema.h"

struct call;
struct list_plan;

/* RESOURCE_PATH: rows belong to the object that the path names above them, in a parameter called like the scope column. Their id is
 * unique within it only; that the object is there is the hooks' business. */
enum resource_scope {
    RESOURCE_ANYONE,
    RESOURCE_PROJECT,
    RESOURCE_DOMAIN,
    RESOURCE_USER,
    RESOURCE_PATH
};

/* As the engine sees hooks: the generator wraps the typed ones of the service. All may be NULL. In order of a request:
 * create and update: target (before policy is asked: fills fields without a column that the rules look at; the row is the new one, or the stored one)
 * create: prepare_create (in the transaction, before the insert: checks, locks, fills), after_create (same transaction), committed
 * update: prepare_update (old is locked), after_update, committed
 * delete: check_delete (row is locked), after_delete, committed. check_delete returning 1: "taken care of" (a saga deletes it later).
 * create, update, delete: settle (once per request, the last before the commit, however many rows: what is to be locked last)
 * list, show and answers: load (fills fields without a column, for a batch of rows), plan_list (narrows or widens the list).
 * all: rule (the rule that holds for this row, or for a list if it is NULL; NULL: the operation's own). */
struct resource_hooks {
    int (*target)(struct call *call, struct db *db, void *row, struct fault *f);
    int (*prepare_create)(struct call *call, struct db_tx *tx, void *row, struct fault *f);
    int (*after_create)(struct call *call, struct db_tx *tx, void *row, struct fault *f);
    int (*prepare_update)(struct call *call, struct db_tx *tx, const void *old, void *row,
                          struct fault *f);
    int (*after_update)(struct call *call, struct db_tx *tx, const void *old, void *row,
                        struct fault *f);
    int (*check_delete)(struct call *call, struct db_tx *tx, const void *row, struct fault *f);
    int (*after_delete)(struct call *call, struct db_tx *tx, const void *row, struct fault *f);
    int (*settle)(struct call *call, struct db_tx *tx, struct fault *f);
    void (*committed)(struct call *call, const void *row); /* Nothing can fail any more. */
    int (*load)(struct call *call, struct db *db, void *const *rows, size_t count, struct fault *f);
    int (*plan_list)(struct call *call, struct list_plan *plan, struct fault *f);
    const char *(*rule)(struct call *call, const void *row);
};

struct resource_text {
    const char *name, *text;
};

struct resource {
    const struct schema *schema;
    const char *table;
    const char *key, *plural;   /* Envelopes. */
    const char *path;           /* Template of the collection, for self links. */
    const char *title;          /* "Snapshot" */
    const char *not_found;      /* Message with one %s, or NULL. */
    const char *not_found_code; /* Wire name, or NULL. */
    enum resource_scope scope;
    const char *scope_column;
    const char *
        scope_or; /* SQL condition that makes a row readable from outside its scope, %1 the caller's; or NULL. */
    const char *const *order;                     /* "created_at desc"; NULL-terminated. */
    int id_field;                                 /* Index of "id". */
    int name_field, created_field, updated_field; /* Index, or -1. */
    const struct resource_text *unique;           /* Constraint -> message; NULL-terminated. */
    const struct resource_text *in_use;
    const struct resource_text
        *links; /* More than "self": name and path, "{name}" in it as in 'path'. */
    const struct resource_hooks *hooks; /* NULL: none. */
};

/* The row's scope the caller is bound to, or NULL for one who may see all (decided by policy: see call_scope()). */

/* --- Primitives. 'row' is a zeroed struct of resource->schema->size bytes. */

/* Loads by id, within 'scope' (NULL: any) or where scope_or holds. FAULT_NOT_FOUND in the resource's words. 'lock': FOR UPDATE. */
int resource_load(struct db *db, const struct resource *r, const char *id, const char *scope,
                  bool lock, void *row, struct fault *f);

/* INSERT of all given fields with a column; then 'row' is as stored (defaults, times). */
int resource_insert(struct db *db, const struct resource *r, void *row, struct fault *f);

/* UPDATE of the fields given in 'row' (its id is not changed; with RESOURCE_PATH the scope column must be in it); then 'row' is as
 * stored. */
int resource_change(struct db *db, const struct resource *r, const char *id, void *row,
                    struct fault *f);

/* DELETE by id. */
int resource_remove(struct db *db, const struct resource *r, const char *id, struct fault *f);
/* The same of a row that was loaded. */
int resource_remove_row(struct db *db, const struct resource *r, const void *row, struct fault *f);

/* Raises the resource's not-found fault. */
int resource_not_found(const struct resource *r, const char *id, struct fault *f);

/* The text of a field of a row as a policy target or marker would name it; NULL if there is none. */
const char *resource_text(const struct resource *r, const void *row, const char *name,
                          struct arena *a);

/* The rule for the call's operation on 'row' (NULL: a list), or NULL. */
const char *resource_rule(struct call *call, const struct resource *r, const void *row);

/* --- Answers. */

enum view { VIEW_DETAIL, VIEW_SUMMARY };

/* Loads computed fields and writes the answer: one object in its envelope, with the operation's status. */
int resource_reply(struct call *call, const struct resource *r, void *row, struct fault *f);

/* Writes one object, without envelope, into 'w' (computed fields must be loaded). */
void resource_write(struct call *call, const struct resource *r, const void *row, enum view view,
                    struct jsonw *w, const char *key);

/* Runs the load hook over rows. */
int resource_load_computed(struct call *call, const struct resource *r, void *const *rows,
                           size_t count, struct fault *f);

/* --- Generic verbs, as the operation table names them. */
int resource_verb_list(struct call *call, struct fault *f);
int resource_verb_show(struct call *call, struct fault *f);
int resource_verb_create(struct call *call, struct fault *f);
int resource_verb_update(struct call *call, struct fault *f);
int resource_verb_delete(struct call *call, struct fault *f);
