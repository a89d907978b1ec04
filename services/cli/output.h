/* Printing: rows of a list, or the fields of one object, as table, JSON, value, CSV, YAML or a shell's variables. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/str.h"

struct cli;
struct column;
struct kind;
struct args;

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_JSON,
    OUTPUT_VALUE,
    OUTPUT_CSV,
    OUTPUT_YAML,
    OUTPUT_SHELL
};

struct output {
    enum output_format format;
    bool noindent;
    const char *prefix; /* OUTPUT_SHELL: of names. */
    long max_width;     /* 0: the terminal's */
};

/* What is printed: cells as JSON values, and as the text a person reads. */
struct sheet {
    const char **titles;
    size_t columns;
    json_t **values; /* rows * columns */
    char **texts;
    size_t rows;
};

int output_setup(struct output *o, const struct args *args, struct fault *f);

/* 'rows' is an array of objects; 'columns' end with a title of NULL. Honours --long, -c and --sort-column. */
int output_list(struct cli *cli, const struct column *columns, const json_t *rows, struct fault *f);

/* Sorts 'rows' by members, "name:desc,id"; equal ones stay in their order. */
int output_sort(struct cli *cli, json_t *rows, const char *keys, struct fault *f);

/* The members of an object, sorted, as 'fields' (or NULL) renames and hides them. */
int output_fields(struct cli *cli, const struct column *fields, const json_t *object,
                  struct fault *f);

/* sheet_print.c: 'list' false: one row, printed as fields. */
void sheet_print(struct cli *cli, const struct sheet *sheet, bool list, FILE *out);

/* format.c: what people read ("a='1', b='2'"), and Python's notation, which -f value prints for lists and objects. */
char *format_human(struct arena *a, const json_t *value);
char *format_machine(struct arena *a, const json_t *value);
