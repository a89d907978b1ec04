/* Usage, help, the manual page and completion: one walk over the tables each. */
#include "help.h"

#include "args.h"
#include "base/str.h"
#include "manual.h"

enum { OPTION_COLUMN = 34 };

static bool
is_positional(const struct option *o)
{
    return o->name[0] == '<';
}

static void
print_word(const struct option *o, bool required, FILE *out)
{
    fprintf(out, " %s%s%s%s%s%s", required ? "" : "[", o->name, o->value != NULL ? " " : "",
            o->value != NULL ? o->value : "", required ? "" : "]", o->repeat ? "..." : "");
}

void
help_usage(const struct command *c, FILE *out)
{
    fprintf(out, "usage: virga %s", c->name);
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
        if (!is_positional(o) && o->required)
            print_word(o, true, out);
    }
    fputs(" [options]", out);
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
        if (is_positional(o))
            print_word(o, !o->optional, out);
    }
    fputc('\n', out);
}

static void
print_option(const struct option *o, FILE *out)
{
    int used = fprintf(out, "  %s%s%s", o->name, o->value != NULL ? " " : "",
                       o->value != NULL ? o->value : "");

    if (used >= OPTION_COLUMN)
        used = fprintf(out, "\n") - 1;
    fprintf(out, "%*s%s", OPTION_COLUMN - used, "", o->help);
    if (o->choices != NULL && !is_positional(o))
        fprintf(out, " (%s)", o->choices);
    fputs(o->required ? " (required)\n" : "\n", out);
}

static void
print_options(const struct option *options, bool positionals, FILE *out)
{
    for (const struct option *o = options; o != NULL && o->name != NULL; o++) {
        if (is_positional(o) == positionals)
            print_option(o, out);
    }
}

static bool
prints_list(const struct command *c)
{
    return c->columns != NULL;
}

static bool
prints(const struct command *c)
{
    return prints_list(c) || c->verb == VERB_SHOW || c->verb == VERB_CREATE ||
           (c->verb == VERB_RUN && !c->silent) || c->show;
}

static void
print_columns(const struct column *columns, FILE *out)
{
    bool some_long = false;

    for (const struct column *k = columns; k->title != NULL; k++) {
        fprintf(out, "%s %s%s", k == columns ? "" : ",", k->title, k->long_only ? "*" : "");
        if (k->with != NULL)
            fprintf(out, " (with %s)", k->with);
        some_long = some_long || k->long_only;
    }
    fputs(some_long ? "   (* with --long)\n" : "\n", out);
}

void
help_command(const struct command *c, FILE *out)
{
    help_usage(c, out);
    fprintf(out, "\n%s.\n\n", c->help);
    print_options(c->options, true, out);
    print_options(c->options, false, out);
    if (prints(c)) {
        fputs("\nOutput:\n", out);
        print_options(args_output_options, false, out);
    }
    if (prints_list(c)) {
        print_options(args_list_options, false, out);
        fputs("\nColumns:", out);
        print_columns(c->columns, out);
    }
}

void
help_overview(FILE *out)
{
    fputs("usage: virga [--os-cloud <cloud>] [--debug] <command> [options]\n\nvirga help <command> "
          "says how a command is used; virga(1) tells the rest.\n",
          out);
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        fputc('\n', out);
        for (const struct command *c = *table; c->name != NULL; c++)
            fprintf(out, "  %-36s %s\n", c->name, c->help);
    }
}

static bool
shares_words(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(name, words[i]);

        if (words[i][0] == '\0' || at == NULL || (at != name && at[-1] != ' '))
            return false;
    }
    return count > 0;
}

bool
help_similar(const char *const *words, size_t count, const char *heading, FILE *out)
{
    size_t shown = 0, n = count;

    for (; n > 0 && shown == 0; n--) {
        for (const struct command *const *table = command_tables; *table != NULL; table++) {
            for (const struct command *c = *table; c->name != NULL; c++) {
                if (!shares_words(c->name, words, n))
                    continue;
                if (shown++ == 0)
                    fprintf(out, "%s\n", heading);
                fprintf(out, "  %-36s %s\n", c->name, c->help);
            }
        }
    }
    return shown > 0;
}

/* --- completion: the script knows the words, so that a press of <tab> starts no process */

static void
complete_command(const struct command *c, FILE *out)
{
    fprintf(out, "    '%s') words='", c->name);
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++) {
        if (!is_positional(o))
            fprintf(out, "%s ", o->name);
    }
    fputs("' ;;\n", out);
}

void
help_complete(FILE *out)
{
    fputs("# bash completion of virga: source <(virga complete)\n_virga() {\n  local "
          "cur=${COMP_WORDS[COMP_CWORD]} typed= word words= name rest next=\n"
          "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $word in -*) ;; *) "
          "typed+=\"$word \" ;; esac; done\n"
          "  while read -r name; do\n    case \"$name \" in \"$typed\"?*) rest=${name#\"$typed\"}; "
          "next+=\"${rest%% *} \" ;; esac\n  done <<'NAMES'\n",
          out);
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        for (const struct command *c = *table; c->name != NULL; c++)
            fprintf(out, "%s\n", c->name);
    }
    fputs("NAMES\n  name=${typed% }\n  while [ -n \"$name\" ]; do\n    case $name in\n", out);
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        for (const struct command *c = *table; c->name != NULL; c++)
            complete_command(c, out);
    }
    fputs("    esac\n    [ -n \"$words\" ] && break\n    case $name in *' '*) name=${name% *} ;; "
          "*) name= ;; esac\n  done\n"
          "  case $cur in\n    -*) COMPREPLY=($(compgen -W \"$words -f -c --debug --help "
          "--os-cloud\" -- \"$cur\")) ;;\n"
          "    *) COMPREPLY=($(compgen -W \"$next\" -- \"$cur\")) ;;\n  esac\n}\ncomplete -o "
          "default -F _virga virga\n",
          out);
}

/* --- the manual page */

/* Characters that mean something to troff. */
static void
print_troff(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void
man_option(const struct option *o, FILE *out)
{
    fputs(".TP\n.B ", out);
    print_troff(o->name, out);
    if (o->value != NULL) {
        fputs(" \\fR", out);
        print_troff(o->value, out);
    }
    fputc('\n', out);
    print_troff(o->help, out);
    if (o->choices != NULL) {
        fputs(" (", out);
        print_troff(o->choices, out);
        fputs(")", out);
    }
    fputs(o->required ? " (required).\n" : ".\n", out);
}

static void
man_command(const struct command *c, FILE *out)
{
    fputs(".SS ", out);
    print_troff(c->name, out);
    fputc('\n', out);
    print_troff(c->help, out);
    fputs(".\n", out);
    for (const struct option *o = c->options; o != NULL && o->name != NULL; o++)
        man_option(o, out);
}

void
help_man(FILE *out)
{
    fputs(manual_head, out);
    for (const struct option *o = args_global_options; o->name != NULL; o++)
        man_option(o, out);
    for (const struct option *o = args_output_options; o->name != NULL; o++)
        man_option(o, out);
    for (const struct option *o = args_list_options; o->name != NULL; o++)
        man_option(o, out);
    fputs(".SH COMMANDS\n", out);
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        for (const struct command *c = *table; c->name != NULL; c++)
            man_command(c, out);
    }
    fputs(manual_tail, out);
}
