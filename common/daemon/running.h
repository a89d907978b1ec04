/* A daemon while it runs: what the files of this folder share. Private. */
#pragma once

#include <stdatomic.h>

#include "../http/server.h"
#include "daemon.h"
#include "options.h"

enum daemon_state { STATE_STARTING, STATE_SERVING, STATE_DRAINING };

struct identity_link;

/* One of the two addresses for operators. */
struct endpoint {
    struct running *running;
    struct http_server *server;
    bool control; /* The control socket: shows more, and changes things. */
};

struct running {
    struct daemon d;
    struct daemon_options options;
    struct arena *arena;     /* Lives as long as the process. */
    struct config_key *keys; /* The common ones and the daemon's own. */
    size_t keys_count;
    void *config;           /* spec->config_size bytes, which start with struct daemon_config. */
    const char *short_name; /* Without "virga-". */
    struct identity_link *identity;
    struct endpoint management, control;
    atomic_int state; /* enum daemon_state */
    int64_t started_us;
};

/* settings.c: the configuration, loaded, completed (host, folders) and checked against what the
 * spec needs. */
int settings_load(struct running *r, struct fault *f);
/* The same file once more, into other memory. */
int settings_read(const struct running *r, void **ret, struct fault *f);
int settings_apply_log(const struct running *r, const struct daemon_config *config,
                       struct fault *f);

/* reload.c: SIGHUP. What fails is logged, and all stays as it was. */
void reload_run(struct running *r);

/* health.c: 200 or 503 and the reasons; asks the database. */
int health_check(struct running *r, struct str *out);

/* metrics.c */
void metrics_write(struct running *r, struct str *out);

/* management.c: the servers behind [daemon] management_listen and control_socket. */
int management_start(struct running *r, struct fault *f);
void management_stop(struct running *r);

/* control.c: what only the control socket answers. */
void control_handle(struct running *r, const struct http_request *request,
                    struct http_response *response);
