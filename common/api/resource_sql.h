/* Rows between PostgreSQL and structs: what resource_read.c, resource_write.c and list_sql.c share. */
#pragma once

#include "../base/str.h"
#include "resource.h"

/* Does the field have a column of its own (not an alias, not computed)? */
bool field_stored(const struct field *field);

/* Appends "a, b, c": the stored columns, in the order resource_read_row() reads them. */
void resource_columns(const struct resource *r, struct str *sql);

/* Reads a row selected with resource_columns() into 'row' and marks what it read. */
int resource_read_row(const struct resource *r, char *const *values, struct arena *a, void *row,
                      struct fault *f);

/* Appends the condition that a row is the caller's, or readable by scope_or; 'n' is the number of the scope's parameter. */
void resource_scope_condition(const struct resource *r, size_t n, struct str *sql);

/* The value of a field as a parameter. */
struct db_param resource_param(const struct field *field, unsigned index, const void *row,
                               struct arena *a);

/* A name under which a statement printed at run time is prepared: from its text. */
char *resource_statement_name(const struct str *sql, struct arena *a);
