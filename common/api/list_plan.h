/* A list as a plan: a value made from the resource and the query string, testable without a database; list_sql.c prints it.
 *
 * Identifiers come from generated tables, values only as parameters. */
#pragma once

#include "../base/str.h"
#include "resource.h"

enum predicate_op {
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_LIKE,
    OP_ILIKE,
    OP_REGEX,
    OP_IN,
    OP_NOT_IN,
    OP_IS_NULL,
    OP_NOT_NULL,
    OP_SQL
};

struct predicate {
    const struct field *field; /* NULL with OP_SQL */
    enum predicate_op op;
    const char *const
        *values; /* Texts as PostgreSQL reads them. OP_IN: all of them; else the first. */
    size_t values_count;
    /* OP_SQL: a constant condition out of the service's own source, with %1..%9 for the values, e.g. a row in another table. */
    const char *sql;
};

struct order_by {
    const struct field *field;
    bool descending;
};

struct dialect;

struct list_plan {
    const struct resource *resource;
    const struct dialect *dialect; /* Whose grammar the query string has. */
    struct arena *arena;
    const char *scope; /* Value of the scope column, or NULL. */
    struct predicate *predicates;
    size_t predicates_count, predicates_capacity;
    size_t
        filters_count; /* How many of them the client asked for; the rest are the service's own. */
    struct order_by order[8];
    size_t order_count; /* The id is always the last. */
    const char *marker; /* Id of the row to begin after, or NULL. */
    bool page_reverse;
    int64_t limit; /* -1: all */
    bool limit_given;
    enum view view;
    struct texts fields; /* Only these members (network's fields=); none: all. */
};

/* From the query string of 'call' by its dialect's grammar. */
int list_plan_make(struct call *call, const struct resource *r, enum view view,
                   struct list_plan *ret, struct fault *f);

/* For hooks. Values are copied into the plan's arena. */
void list_plan_where(struct list_plan *p, const char *field, enum predicate_op op,
                     const char *value);
void list_plan_where_in(struct list_plan *p, const char *field, const char *const *values,
                        size_t count);
void list_plan_where_sql(struct list_plan *p, const char *sql, const char *const *values,
                         size_t count);

/* The statement and its parameters. 'marker_row': the row of p->marker, or NULL. One row more than the limit is asked
 * for, so that the caller sees whether there is a next page. */
void list_plan_sql(const struct list_plan *p, const void *marker_row, struct str *sql,
                   struct db_param **params, size_t *params_count);

/* Runs it. '*ret' are pointers to row structs; '*ret_more': there is a next page. */
int list_plan_run(struct db *db, struct list_plan *p, void ***ret, size_t *ret_count,
                  bool *ret_more, struct fault *f);

/* Runs the plan, loads what is computed, and answers with the list: the second half of the verb, for handlers that make
 * a plan of their own. */
int list_plan_reply(struct call *call, struct list_plan *p, struct fault *f);
