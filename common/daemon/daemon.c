/* The life of a daemon:
 *
 *   options, configuration, log
 *   management and control sockets (they say "starting")
 *   database: pool, migrations (waits for it as long as it is away)
 *   broker connection and outbox (don't wait for anybody)
 *   authenticator; spec->start(); received methods; sagas; API; spec->run()
 *   READY; then signals: SIGHUP reloads, SIGTERM drains
 *   and all of it backwards
 *
 * A daemon that can't be stopped in order within its time just ends: being killed at any moment
 * is something that sagas and the outbox must bear anyway. */
#include "daemon.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "../base/release.h"
#include "../base/str.h"
#include "../saga/inject.h"
#include "identity_link.h"
#include "limits.h"
#include "notify.h"
#include "running.h"
#include "signals.h"

enum {
    RETRY_MS = 1000,         /* While the database is away. */
    COMMAND_WAIT_MS = 10000, /* So long a command waits for it. */
    RPC_DRAIN_MS = 5000,
    STOP_EXTRA_MS = 60000, /* After the drain: for sagas' steps and background loops. */
    EXIT_USAGE = 2,
};

/* --- Starting */

static int
make_state_folder(const struct daemon_config *c, struct fault *f)
{
    if (mkdir(c->state_dir, 0700) < 0 && errno != EEXIST)
        return fault_raise(f, FAULT_INVALID, "daemon.state_dir: cannot make %s: %s", c->state_dir,
                           strerror(errno));
    return 0;
}

static unsigned
waiting_workers(const struct daemon_config *c)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return c->api_waiting_workers > 0 ? (unsigned)c->api_waiting_workers
                                      : (unsigned)MAX(processors, 1L) + 1;
}

static unsigned
pool_size(const struct daemon_config *c)
{
    return c->database_pool > 0
               ? (unsigned)c->database_pool
               : (unsigned)(c->api_workers + c->saga_threads + 2) + waiting_workers(c);
}

/* Waits while the database is away: at most 'wait_ms' (-1: for ever). 1: told to stop meanwhile. */
static int
open_database(struct daemon *d, int64_t wait_ms, struct fault *f)
{
    const struct daemon_spec *spec = d->spec;
    int64_t until_ms = clock_mono_ms() + wait_ms;
    bool said = false;

    if (spec->migrations == NULL)
        return 0;
    if (db_pool_open(&d->pool, d->config->database_url, pool_size(d->config), f) < 0)
        return -1;
    while (db_migrate(d->pool, spec->migrations, *spec->migrations_count, f) < 0) {
        if (!fault_is_transient(f) || (wait_ms >= 0 && clock_mono_ms() >= until_ms))
            return -1;
        if (!said) {
            log_warn("daemon.waiting for=database reason=\"%s\" cause=\"%s\"", f->message,
                     f->cause);
            notify_status("waiting for the database");
        }
        said = true;
        fault_clear(f);
        if (signals_wait(RETRY_MS) == SIGNAL_STOP)
            return 1;
    }
    return 0;
}

static int
open_bus(struct daemon *d, struct fault *f)
{
    struct rpc_options options = {
        .url = d->config->rpc_url,
        .name = d->spec->rpc_name,
        .host = d->spec->per_host ? d->config->host : "",
        .workers = d->spec->rpc_workers,
    };

    if (d->spec->rpc_name == NULL || str_empty(d->config->rpc_url))
        return 0;
    if (rpc_open(&d->rpc, &options, f) < 0)
        return -1;
    return d->pool != NULL ? outbox_open(&d->outbox, d->pool, d->rpc, f) : 0;
}

static int
open_authenticator(struct running *r, struct fault *f)
{
    struct daemon *d = &r->d;
    int result = 0;

    if (d->spec->open_authenticator != NULL)
        result = d->spec->open_authenticator(d, &d->authenticator, f);
    else if (d->spec->api != NULL)
        result = identity_link_open(&r->identity, d, f);
    if (result >= 0 && d->authenticator != NULL && d->rpc != NULL)
        result = identity_link_subscribe(d, f);
    return result;
}

static int
serve_methods(struct running *r, struct fault *f)
{
    struct daemon *d = &r->d;
    const char *queue;

    if (d->rpc == NULL || d->spec->methods == NULL)
        return 0;
    queue = rpc_queue(r->arena, d->spec->rpc_name, d->spec->per_host ? d->config->host : NULL);
    return rpc_serve(d->rpc, queue, d->spec->methods, d->spec->methods_count, d->service, f);
}

static int
start_sagas(struct daemon *d, struct fault *f)
{
    if (d->spec->sagas_count == 0)
        return 0;
    inject_from_environment();
    return saga_runner_open(&d->sagas, d->pool, d->spec->sagas, d->spec->sagas_count,
                            (unsigned)d->config->saga_threads, d->service, f);
}

static const char *
text_or_null(const char *text)
{
    return str_empty(text) ? NULL : text;
}

static int
start_api(struct daemon *d, struct fault *f)
{
    const struct daemon_config *c = d->config;
    struct api_server_options options = {
        .api = d->spec->api,
        .listen = c->api_listen,
        .io_threads = (unsigned)c->api_io_threads,
        .workers = (unsigned)c->api_workers,
        .waiting_workers = waiting_workers(c),
        .waiting_max = (unsigned)c->api_waiting_max,
        .pool = d->pool,
        .authenticator = d->authenticator,
        .policy_file = text_or_null(c->policy_file),
        .identity_url = text_or_null(c->identity_url),
        .public_url = text_or_null(c->public_url),
        .service = d->service,
        .expired_token_window_s = c->expired_token_window_s,
        .tls_certificate = text_or_null(c->tls_certificate),
        .tls_key = text_or_null(c->tls_key),
    };

    return d->spec->api == NULL ? 0 : api_server_start(&d->api, &options, f);
}

/* What is started when. 'started': spec->stop() is due. 1: told to stop while waiting. */
static int
start(struct running *r, bool *ret_started, struct fault *f)
{
    struct daemon *d = &r->d;
    int result;

    if (make_state_folder(d->config, f) < 0 || management_start(r, f) < 0)
        return -1;
    result = open_database(d, -1, f);
    if (result != 0)
        return result;
    if (open_bus(d, f) < 0 || open_authenticator(r, f) < 0)
        return -1;
    if (d->spec->start != NULL && d->spec->start(d, f) < 0)
        return -1;
    *ret_started = true;
    if (start_sagas(d, f) < 0 || serve_methods(r, f) < 0 || start_api(d, f) < 0)
        return -1;
    return d->spec->run != NULL ? d->spec->run(d, f) : 0;
}

/* --- Stopping */

static void
drain(struct running *r)
{
    int grace_ms = (int)r->d.config->drain_s * 1000;

    atomic_store(&r->state, STATE_DRAINING);
    notify_stopping();
    limits_stop_within(grace_ms + STOP_EXTRA_MS);
    if (r->d.api != NULL)
        api_server_drain(r->d.api, grace_ms);
}

/* Whatever can call something ends before what it calls: requests, background loops, received methods
 * (they may start sagas), sagas, and then what all of them use. A method that doesn't end takes the
 * process with it. */
static void
stop(struct running *r, bool started)
{
    struct daemon *d = &r->d;

    management_stop(r);
    api_server_stop(d->api);
    if (started && d->spec->halt != NULL)
        d->spec->halt(d);
    if (!rpc_drain(d->rpc, RPC_DRAIN_MS)) {
        log_warn("daemon.ended_with_methods_in_work");
        _exit(EXIT_SUCCESS);
    }
    saga_runner_close(d->sagas);
    if (started && d->spec->stop != NULL)
        d->spec->stop(d);
    outbox_close(d->outbox);
    rpc_close(d->rpc);
    authenticator_close(d->authenticator);
    identity_link_close(r->identity);
    db_pool_close(d->pool);
}

static int
serve(struct running *r)
{
    struct fault f = { 0 };
    bool started = false;
    int result;

    signals_block();
    result = start(r, &started, &f);
    if (result < 0) {
        log_error("daemon.start_failed reason=\"%s\" cause=\"%s\"", f.message, f.cause);
        notify_status("start failed: %s", f.message);
    }
    if (result == 0) {
        limits_trim();
        atomic_store(&r->state, STATE_SERVING);
        log_info("daemon.ready version=%s pid=%d api=%s ms=%lld", VIRGA_VERSION, (int)getpid(),
                 r->d.config->api_listen, (long long)((clock_now_us() - r->started_us) / 1000));
        notify_ready();
        while (signals_wait(-1) != SIGNAL_STOP)
            reload_run(r);
        log_info("daemon.stopping");
    }
    drain(r);
    stop(r, started);
    log_info("daemon.stopped");
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- Commands */

static int
migrate(struct daemon *d, int argc _unused_, char **argv _unused_, struct fault *f)
{
    if (d->pool == NULL)
        return fault_raise(f, FAULT_INVALID, "%s has no database", d->spec->name);
    puts("The database is up to date.");
    return 0;
}

static const struct daemon_command common_commands[] = {
    { "migrate", "brings the database's schema up to date, as each start does", migrate },
    { NULL, NULL, NULL },
};

static const struct daemon_command *
find_command(const struct daemon_command *commands, const char *name)
{
    for (; commands != NULL && commands->name != NULL; commands++) {
        if (str_equal(commands->name, name))
            return commands;
    }
    return NULL;
}

static int
run_command(struct running *r)
{
    struct daemon *d = &r->d;
    const struct daemon_command *command = find_command(d->spec->commands, r->options.command);
    struct fault f = { 0 };
    int result;

    if (command == NULL)
        command = find_command(common_commands, r->options.command);
    if (command == NULL) {
        fprintf(stderr, "%s: unknown command \"%s\"; see --help\n", d->spec->name,
                r->options.command);
        return EXIT_USAGE;
    }
    result = open_database(d, COMMAND_WAIT_MS, &f);
    if (result == 0)
        result = command->run(d, r->options.words_count, r->options.words, &f);
    if (result < 0)
        fprintf(stderr, "%s: %s%s%s\n", d->spec->name, f.message, f.cause[0] != '\0' ? ": " : "",
                f.cause);
    db_pool_close(d->pool);
    return result < 0 ? EXIT_FAILURE : result;
}

static void
print_commands(const struct daemon_command *commands)
{
    for (; commands != NULL && commands->name != NULL; commands++)
        printf("  %-18s %s\n", commands->name, commands->help);
}

static void
print_help(const struct running *r)
{
    const struct daemon_spec *spec = r->d.spec;

    printf("usage: %s [--config FILE] [--set SECTION.KEY=VALUE]... [COMMAND]\n\n%s\n\n", spec->name,
           spec->summary);
    printf("Without a command it serves until SIGTERM.\n\n"
           "  --config FILE      the configuration, as --sample-config writes it\n"
           "  --set KEY=VALUE    one value, over the file's\n"
           "  --check-config     reads the configuration, says what is wrong with it, and ends\n"
           "  --sample-config    writes a configuration file with all keys and their defaults\n"
           "  --version          writes the version\n\nCommands:\n");
    print_commands(spec->commands);
    print_commands(common_commands);
    printf("\nConfiguration:\n");
    config_write_help(r->keys, r->keys_count, stdout);
}

int
daemon_main(int argc, char **argv, const struct daemon_spec *spec)
{
    struct running r = { .d = { .spec = spec },
                         .arena = arena_new(),
                         .started_us = clock_now_us() };
    struct fault f = { 0 };
    int code = EXIT_SUCCESS;
    bool loaded;

    limits_apply();
    log_setup(spec->name, LOG_INFO, LOG_KEYVALUE);
    r.short_name = str_starts(spec->name, "virga-") ? spec->name + strlen("virga-") : spec->name;
    if (options_parse(r.arena, argc, argv, &r.options, &f) < 0) {
        fprintf(stderr, "%s: %s\n", spec->name, f.message);
        arena_free(r.arena);
        return EXIT_USAGE;
    }
    loaded = settings_load(&r, &f) >= 0 && settings_apply_log(&r, r.d.config, &f) >= 0;
    switch (r.options.action) {
    case DAEMON_HELP:
        print_help(&r);
        break;
    case DAEMON_VERSION:
        printf("%s %s\n", spec->name, VIRGA_VERSION);
        break;
    case DAEMON_SAMPLE_CONFIG:
        config_write_sample(r.keys, r.keys_count, stdout);
        break;
    case DAEMON_CHECK_CONFIG:
    case DAEMON_COMMAND:
    case DAEMON_SERVE:
        if (!loaded) {
            fprintf(stderr, "%s: %s\n", spec->name, f.message);
            code = EXIT_FAILURE;
        } else if (r.options.action == DAEMON_CHECK_CONFIG) {
            printf("The configuration is valid.\n");
        } else {
            code = r.options.action == DAEMON_COMMAND ? run_command(&r) : serve(&r);
        }
        break;
    }
    arena_free(r.arena);
    return code;
}
