/* From argv to an exit code. */
#include "cli.h"

#include <locale.h>

#include "base/str.h"
#include "cloud.h"
#include "help.h"
#include "session.h"
#include "verbs.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

const struct command *const command_tables[] = {
    identity_commands,   domain_commands,     access_commands,
    federation_commands, delegation_commands, credential_commands,
    oauth_commands,      catalog_commands,    image_commands,
    compute_commands,    server_commands,     server_part_commands,
    network_commands,    port_commands,       router_commands,
    security_commands,   volume_commands,     placement_commands,
    cloud_commands,      own_commands,        NULL,
};

static size_t
words_matched(const char *name, const char *const *words, size_t count)
{
    size_t n = 0;

    while (n < count) {
        size_t size = strcspn(name, " ");

        if (strncmp(name, words[n], size) != 0 || words[n][size] != '\0')
            return 0;
        n++;
        if (name[size] == '\0')
            return n;
        name += size + 1;
    }
    return 0;
}

const struct command *
command_find(const char *const *words, size_t count, size_t *ret_words)
{
    const struct command *found = NULL;

    *ret_words = 0;
    for (const struct command *const *table = command_tables; *table != NULL; table++) {
        for (const struct command *c = *table; c->name != NULL; c++) {
            size_t n = words_matched(c->name, words, count);

            if (n > *ret_words) {
                *ret_words = n;
                found = c;
            }
        }
    }
    return found;
}

static int
on_cloud(void *owner, const char *name, const char *value)
{
    return cloud_set(owner, name, value);
}

/* Global options may stand before the command; its name is what comes after them. Returns how many words they are. */
static size_t
skip_globals(const char *const *words, size_t count)
{
    size_t i = 0;

    while (i < count && words[i][0] == '-') {
        if (args_is_cloud_option(words[i]) && strchr(words[i], '=') == NULL)
            i++;
        i++;
    }
    return MIN(i, count);
}

static int
run(struct cli *cli, const char *const *words, size_t count, struct fault *f)
{
    size_t before = skip_globals(words, count), name_words;
    const char **rest = ARENA_ARRAY(cli->arena, const char *, count + 1);
    size_t rest_count = 0;

    cli->command = command_find(words + before, count - before, &name_words);
    for (size_t i = 0; i < count; i++) {
        if (i < before || i >= before + name_words)
            rest[rest_count++] = words[i];
    }
    if (cli->command == NULL && count > before) {
        if (!help_similar(words + before, count - before,
                          "virga: there is no such command; did you mean one of these?", stderr))
            fprintf(stderr, "virga: '%s' is no command; see virga help\n",
                    count > before ? words[before] : "");
        return EXIT_USAGE;
    }
    if (args_parse(cli->arena, cli->command, rest, rest_count, on_cloud, cli->cloud, &cli->args,
                   f) < 0) {
        fprintf(stderr, "virga%s%s: %s\n", cli->command != NULL ? " " : "",
                cli->command != NULL ? cli->command->name : "", f->message);
        if (cli->command != NULL)
            help_usage(cli->command, stderr);
        return EXIT_USAGE;
    }
    if (cli->command == NULL || args_has(&cli->args, "--help")) {
        if (cli->command != NULL)
            help_command(cli->command, stdout);
        else
            help_overview(args_has(&cli->args, "--help") ? stdout : stderr);
        return cli->command != NULL || args_has(&cli->args, "--help") ? EXIT_DONE : EXIT_USAGE;
    }
    cli->debug = args_has(&cli->args, "--debug");
    if (output_setup(&cli->output, &cli->args, f) < 0)
        return EXIT_USAGE;
    if ((cli->command->kind != NULL || cli->command->service != SERVICE_NONE) &&
        cloud_load(cli->arena, cli->cloud, f) < 0) {
        fprintf(stderr, "%s\n", f->message);
        return EXIT_FAILED;
    }
    if (verbs_run(cli, f) < 0) {
        fprintf(stderr, "%s\n", f->message);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int
cli_main(int argc, char **argv)
{
    struct cloud cloud = { 0 };
    struct session session = { 0 };
    struct cli cli = { .cloud = &cloud, .session = &session };
    struct fault f = { 0 };
    int code;

    setlocale(LC_CTYPE, "");
    cli.arena = arena_new();
    code = run(&cli, (const char *const *)argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &f);
    session_done(&session);
    arena_free(cli.arena);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "writing the answer failed\n");
        return EXIT_FAILED;
    }
    return code;
}
