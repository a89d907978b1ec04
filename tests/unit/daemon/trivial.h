/* The smallest daemon with an API and a database: what the tests here start, as this same
 * program under another name.
 *
 * GET /hello answers; GET /slow takes until "release" is made in the state folder; POST /reloads
 * counts reloads. */
#pragma once

#include <stdatomic.h>
#include <unistd.h>

#include "common/api/call.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/daemon/daemon.h"

struct trivial_config {
    struct daemon_config common;
    const char *greeting, *secret;
    bool fail_start;
};

static const struct config_key trivial_keys[] = {
    DAEMON_KEY(trivial_config, greeting, "trivial", "greeting", CONFIG_TEXT, "hello", 0, 0, "",
               "What /hello says."),
    DAEMON_KEY(trivial_config, secret, "trivial", "secret", CONFIG_SECRET, "", 0, 0, "",
               "Not to be seen anywhere."),
    DAEMON_KEY(trivial_config, fail_start, "trivial", "fail_start", CONFIG_BOOL, "no", 0, 0, "",
               "Fails to start."),
};

static const struct trivial_config *trivial_settings;
static atomic_int trivial_reloads;

static inline int
trivial_hello(struct call *call, const void *in _unused_, const void *siblings _unused_,
              struct fault *f _unused_)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_text(w, "greeting", trivial_settings->greeting);
    jsonw_int(w, "reloads", atomic_load(&trivial_reloads));
    jsonw_end(w);
    return 0;
}

static inline int
trivial_slow(struct call *call, const void *in _unused_, const void *siblings _unused_,
             struct fault *f _unused_)
{
    const char *release =
        arena_printf(call->arena, "%s/release", trivial_settings->common.state_dir);
    const struct timespec pause = { .tv_nsec = 5000000 };
    struct jsonw *w = call_json(call);

    log_info("trivial.slow");
    while (access(release, F_OK) < 0)
        nanosleep(&pause, NULL);
    jsonw_object(w, NULL);
    jsonw_end(w);
    return 0;
}

static const struct operation trivial_operations[] = {
    { .method = HTTP_GET,
      .path = "/hello",
      .id = "hello",
      .handler = trivial_hello,
      .success = 200,
      .flags = OP_PUBLIC },
    { .method = HTTP_GET,
      .path = "/slow",
      .id = "slow",
      .handler = trivial_slow,
      .success = 200,
      .flags = OP_PUBLIC },
};

static const struct policy_default trivial_policies[] = { { "admin_required", "role:admin" } };

static const struct api trivial_api = {
    .service = "trivial",
    .dialect = DIALECT_KEYSTONE,
    .operations = trivial_operations,
    .operations_count = ARRAY_SIZE(trivial_operations),
    .policies = trivial_policies,
    .policies_count = ARRAY_SIZE(trivial_policies),
    .document = "{}",
};

static inline int
trivial_authenticator(struct daemon *d _unused_, struct authenticator **ret, struct fault *f)
{
    struct authenticator_options options = { 0 };

    return authenticator_open(ret, &options, f);
}

static inline int
trivial_start(struct daemon *d, struct fault *f)
{
    trivial_settings = (const struct trivial_config *)(const void *)d->config;
    if (trivial_settings->fail_start)
        return fault_raise(f, FAULT_CONFLICT, "told to fail");
    log_info("trivial.start");
    return 0;
}

static inline int
trivial_run(struct daemon *d _unused_, struct fault *f _unused_)
{
    log_info("trivial.run");
    return 0;
}

static inline void
trivial_stop(struct daemon *d _unused_)
{
    log_info("trivial.stop");
}

static inline void
trivial_reload(struct daemon *d _unused_)
{
    atomic_fetch_add(&trivial_reloads, 1);
}

static inline void
trivial_metrics(struct daemon *d _unused_, struct str *out)
{
    str_add(out, "# TYPE trivial gauge\ntrivial 42\n");
}

static inline int
trivial_say(struct daemon *d, int argc, char **argv, struct fault *f)
{
    if (argc < 1)
        return fault_raise(f, FAULT_INVALID, "usage: say WORD");
    printf("%s %s\n", argv[0], d->pool != NULL ? "with database" : "without");
    return 3;
}

static inline int
trivial_main(int argc, char **argv)
{
    static const struct migration none[] = { { 0 } };
    static const size_t no_migrations = 0;
    static const struct daemon_command commands[] = { { "say", "says a word", trivial_say },
                                                      { NULL, NULL, NULL } };
    static const struct daemon_spec spec = {
        .name = "virga-trivial",
        .summary = "For tests.",
        .keys = trivial_keys,
        .keys_count = ARRAY_SIZE(trivial_keys),
        .config_size = sizeof(struct trivial_config),
        .migrations = none,
        .migrations_count = &no_migrations,
        .api = &trivial_api,
        .rpc_name = "trivial",
        .open_authenticator = trivial_authenticator,
        .start = trivial_start,
        .run = trivial_run,
        .stop = trivial_stop,
        .reload = trivial_reload,
        .metrics = trivial_metrics,
        .commands = commands,
    };

    return daemon_main(argc, argv, &spec);
}
