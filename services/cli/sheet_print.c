/* The formats. Tables are libsmartcols'; it escapes control characters, so that a name cannot steer a terminal. */
#include <libsmartcols/libsmartcols.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "cli.h"

static struct libscols_table *
new_table(struct cli *cli, FILE *out)
{
    struct libscols_table *table = scols_new_table();
    struct libscols_symbols *symbols = scols_new_symbols();
    bool terminal = isatty(fileno(out)) != 0;

    scols_symbols_set_title_padding(symbols, " ");
    scols_table_set_symbols(table, symbols);
    scols_unref_symbols(symbols);
    scols_table_set_stream(table, out);
    scols_table_set_column_separator(table, "  ");
    if (cli->output.max_width > 0) {
        scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
        scols_table_set_termwidth(table, (size_t)cli->output.max_width);
    } else {
        scols_table_set_termforce(table, terminal ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);
    }
    return table;
}

static void
add_column(struct libscols_table *table, const char *title, bool wraps)
{
    struct libscols_column *column =
        scols_table_new_column(table, title, 0, wraps ? SCOLS_FL_WRAP : 0);

    if (wraps) {
        scols_column_set_safechars(column, "\n");
        scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
    }
}

static void
print_table(struct cli *cli, const struct sheet *s, bool list, FILE *out)
{
    struct libscols_table *table = new_table(cli, out);

    if (list) {
        for (size_t c = 0; c < s->columns; c++) {
            bool several_lines = false;

            for (size_t r = 0; r < s->rows; r++)
                several_lines = several_lines || strchr(s->texts[r * s->columns + c], '\n') != NULL;
            add_column(table, s->titles[c], several_lines);
        }
        for (size_t r = 0; r < s->rows; r++) {
            struct libscols_line *line = scols_table_new_line(table, NULL);

            for (size_t c = 0; c < s->columns; c++)
                scols_line_set_data(line, c, s->texts[r * s->columns + c]);
        }
    } else {
        add_column(table, "Field", false);
        add_column(table, "Value", true);
        for (size_t c = 0; c < s->columns; c++) {
            struct libscols_line *line = scols_table_new_line(table, NULL);

            scols_line_set_data(line, 0, s->titles[c]);
            scols_line_set_data(line, 1, s->texts[c]);
        }
    }
    scols_print_table(table);
    scols_unref_table(table);
}

static void
print_json(struct cli *cli, const struct sheet *s, bool list, FILE *out)
{
    json_t *all = json_own(cli->arena, json_array());

    for (size_t r = 0; r < s->rows; r++) {
        json_t *row = json_object();

        for (size_t c = 0; c < s->columns; c++)
            json_object_set(row, s->titles[c], s->values[r * s->columns + c]);
        json_array_append_new(all, row);
    }
    json_dumpf(list ? all : json_array_get(all, 0), out,
               JSON_ENCODE_ANY | (cli->output.noindent ? 0 : JSON_INDENT(2)));
    fputc('\n', out);
}

static void
print_value(const struct sheet *s, bool list, FILE *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t c = 0; c < s->columns; c++)
            fprintf(out, "%s%s", s->texts[r * s->columns + c],
                    list && c + 1 < s->columns ? " " : "\n");
    }
}

static void
print_csv_cell(const char *text, bool quoted, FILE *out)
{
    if (!quoted) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void
print_csv(const struct sheet *s, FILE *out)
{
    for (size_t c = 0; c < s->columns; c++) {
        print_csv_cell(s->titles[c], true, out);
        fputs(c + 1 < s->columns ? "," : "\n", out);
    }
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t c = 0; c < s->columns; c++) {
            size_t at = r * s->columns + c;

            print_csv_cell(s->texts[at], !json_is_number(s->values[at]), out);
            fputs(c + 1 < s->columns ? "," : "\n", out);
        }
    }
}

/* A value of YAML 1.2 may be written as JSON; plain scalars are written plainly where that is safe. */
static void
print_yaml_value(struct arena *a, const json_t *value, FILE *out)
{
    const char *text = json_string_value(value);
    bool plain =
        text != NULL && isalpha((unsigned char)text[0]) &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") ==
            strlen(text);
    bool word;

    if (plain && str_to_bool(text, &word) < 0 && !str_equal_nocase(text, "null"))
        fputs(text, out);
    else
        fputs(json_text(a, value), out);
}

static void
print_yaml(struct cli *cli, const struct sheet *s, bool list, FILE *out)
{
    if (list && s->rows == 0)
        fputs("[]\n", out);
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t c = 0; c < s->columns; c++) {
            json_t *title = json_own(cli->arena, json_string(s->titles[c]));

            fputs(!list ? "" : c == 0 ? "- " : "  ", out);
            print_yaml_value(cli->arena, title, out);
            fputs(": ", out);
            print_yaml_value(cli->arena, s->values[r * s->columns + c], out);
            fputc('\n', out);
        }
    }
}

/* name="value" for a shell to read, in which nothing of the value is more than text. */
static void
print_shell(struct cli *cli, const struct sheet *s, FILE *out)
{
    for (size_t c = 0; c < s->columns; c++) {
        if (cli->output.prefix != NULL)
            fputs(cli->output.prefix, out);
        for (const char *at = s->titles[c]; *at != '\0'; at++)
            fputc(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '_', out);
        fputs("=\"", out);
        for (const char *at = s->texts[c]; *at != '\0'; at++)
            fprintf(out, strchr("\"\\$`", *at) != NULL ? "\\%c" : "%c", *at);
        fputs("\"\n", out);
    }
}

void
sheet_print(struct cli *cli, const struct sheet *s, bool list, FILE *out)
{
    switch (cli->output.format) {
    case OUTPUT_TABLE:
        print_table(cli, s, list, out);
        break;
    case OUTPUT_JSON:
        print_json(cli, s, list, out);
        break;
    case OUTPUT_VALUE:
        print_value(s, list, out);
        break;
    case OUTPUT_CSV:
        print_csv(s, out);
        break;
    case OUTPUT_YAML:
        print_yaml(cli, s, list, out);
        break;
    case OUTPUT_SHELL:
        print_shell(cli, s, out);
        break;
    }
}
