/* A daemon: fill one struct, call daemon_main().
 *
 * The framework parses options and configuration, migrates the database, connects the bus, starts what the struct names,
 * tells systemd (and /readyz) when it serves, reloads on SIGHUP, drains and ends on SIGTERM. */
#pragma once

#include "../api/dispatch.h"
#include "../base/config.h"
#include "../db/migrate.h"
#include "../rpc/outbox.h"
#include "../rpc/rpc.h"
#include "../saga/saga.h"

/* Configuration that every daemon has; the first member of each daemon's own struct. Keys: common/daemon/common.def. */
struct daemon_config {
    const char *management_listen; /* /healthz, /readyz, /metrics; "" : none */
    const char *log_level, *log_format;
    const char *state_dir, *control_socket;
    const char *api_listen;
    const char *public_url; /* "" : from the Host header */
    int64_t api_workers, api_io_threads, api_waiting_workers, api_waiting_max;
    const char *tls_certificate, *tls_key;
    const char *policy_file;
    const char *database_url;
    int64_t database_pool;
    const char *rpc_url;
    const char *host; /* Name of this host; "" : the system's. */
    int64_t saga_threads;
    /* Its own user in identity, for calls to other services, and where identity is. */
    const char *identity_url, *auth_username, *auth_password, *auth_project_name, *auth_user_domain,
        *auth_project_domain, *region;
    const char *auth_mode;
    int64_t auth_token_cache_s, auth_concurrency;
    int64_t revocation_poll_s;
    int64_t expired_token_window_s; /* For what a service carries on for a user. */
    int64_t drain_s;                /* Time that requests in work get after SIGTERM. */
};

struct daemon {
    const struct daemon_spec *spec;
    const struct daemon_config *config; /* Also the start of the daemon's own struct. */
    struct db_pool *pool;               /* NULL where the spec has no migrations. */
    struct rpc *rpc;                    /* NULL without rpc */
    struct outbox *outbox;
    struct saga_runner *sagas;
    struct authenticator *authenticator;
    struct api_server *api;
    void *
        service; /* What spec->start() left: call->service, saga_run->service, rpc_request->owner. */
};

struct daemon_spec {
    const char *name;              /* "virga-volume" */
    const char *summary;           /* For --help. */
    const struct config_key *keys; /* The daemon's own; may be none. */
    size_t keys_count;
    size_t config_size;                 /* Of its struct, which starts with struct daemon_config. */
    const struct migration *migrations; /* NULL: no database. */
    const size_t *migrations_count;
    const struct api *api; /* NULL: no API (agents). */
    const char *rpc_name; /* Its queue: "volume", or "volume-agent" with .per_host; NULL: no bus. */
    bool per_host;
    const struct rpc_method *methods; /* NULL: none */
    size_t methods_count;
    unsigned
        rpc_workers; /* Threads that run them; 0: 4. More where methods wait long for what they do. */
    const struct saga *const *sagas;
    size_t sagas_count;
    /* Identity has the keys; everyone else leaves it NULL and fetches them from config->identity_url. */
    int (*open_authenticator)(struct daemon *d, struct authenticator **ret, struct fault *f);
    /* Before anything is served: makes d->service. Pool, rpc, outbox are open; sagas and API are not yet. */
    int (*start)(struct daemon *d, struct fault *f);
    /* After sagas and API are up: background loops. May be NULL. */
    int (*run)(struct daemon *d, struct fault *f);
    /* First at the end, when no request is in work any more: ends the loops that run() began, while received methods,
     * sagas, bus and database still work. May be NULL. */
    void (*halt)(struct daemon *d);
    /* After API, received methods and sagas have ended; bus and database are still there. */
    void (*stop)(struct daemon *d);
    void (*reload)(struct daemon *d); /* SIGHUP, after the framework's own. May be NULL. */
    /* Extra lines of /metrics and of "virga debug". May be NULL. */
    void (*metrics)(struct daemon *d, struct str *out);
    /* Other first arguments, e.g. "bootstrap", "key rotate": returns an exit code. */
    const struct daemon_command {
        const char *name, *help;
        int (*run)(struct daemon *d, int argc, char **argv,
                   struct fault *f); /* Pool is open and migrated. */
    } * commands;                    /* NULL-terminated by name; may be NULL */
};

int daemon_main(int argc, char **argv, const struct daemon_spec *spec);

/* The keys of a .def file: CONFIG_KEY rows expand through this macro in the daemon's main.c. */
#define DAEMON_KEY(struct_, member_, section_, name_, type_, fallback_, min_, max_, unit_, help_)  \
    {                                                                                              \
        .section = (section_), .name = (name_), .type = (type_),                                   \
        .offset = offsetof(struct struct_, member_), .fallback = (fallback_), .min = (min_),       \
        .max = (max_), .unit = (unit_), .help = (help_)                                            \
    }
