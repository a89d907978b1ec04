#include "running.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/str.h"

#define CONFIG_KEY(...) DAEMON_KEY(daemon_config, __VA_ARGS__),
static const struct config_key common_keys[] = {
#include "common.def"
};
#undef CONFIG_KEY

static int
complete_host(struct running *r, struct daemon_config *c, struct fault *f)
{
    char name[256] = "";

    if (!str_empty(c->host))
        return 0;
    if (gethostname(name, sizeof(name) - 1) < 0 || name[0] == '\0')
        return fault_raise_field(f, "daemon.host", "the system has no host name: %s",
                                 strerror(errno));
    c->host = arena_strdup(r->arena, name);
    return 0;
}

static void
complete_folders(struct running *r, struct daemon_config *c)
{
    const char *state = getenv("STATE_DIRECTORY"), *runtime = getenv("RUNTIME_DIRECTORY");

    if (str_empty(c->state_dir))
        c->state_dir =
            !str_empty(state) ? state : arena_printf(r->arena, "/var/lib/virga/%s", r->short_name);
    if (str_empty(c->control_socket) && !str_empty(runtime))
        c->control_socket = arena_printf(r->arena, "%s/control.sock", runtime);
}

static int
need(const char *value, const char *name, struct fault *f)
{
    return str_empty(value) ? fault_raise_field(f, name, "%s must be given", name) : 0;
}

static int
check(const struct running *r, const struct daemon_config *c, struct fault *f)
{
    const struct daemon_spec *spec = r->d.spec;

    if (spec->migrations != NULL && need(c->database_url, "database.url", f) < 0)
        return -1;
    if (spec->methods != NULL && need(c->rpc_url, "rpc.url", f) < 0)
        return -1;
    if (spec->api == NULL)
        return 0;
    if (need(c->api_listen, "api.listen", f) < 0)
        return -1;
    return spec->open_authenticator == NULL ? need(c->identity_url, "auth.identity_url", f) : 0;
}

static int
read_log_settings(const struct daemon_config *c, enum log_level *ret_level,
                  enum log_format *ret_format, struct fault *f)
{
    if (log_level_parse(c->log_level, ret_level) < 0)
        return fault_raise_field(f, "daemon.log_level", "daemon.log_level: there is no level '%s'",
                                 c->log_level);
    if (!str_equal(c->log_format, "keyvalue") && !str_equal(c->log_format, "json"))
        return fault_raise_field(f, "daemon.log_format",
                                 "daemon.log_format: there is no format '%s'", c->log_format);
    *ret_format = str_equal(c->log_format, "json") ? LOG_JSON : LOG_KEYVALUE;
    return 0;
}

int
settings_apply_log(const struct running *r, const struct daemon_config *config, struct fault *f)
{
    enum log_level level;
    enum log_format format;

    if (read_log_settings(config, &level, &format, f) < 0)
        return -1;
    log_setup(r->d.spec->name, level, format);
    return 0;
}

int
settings_read(const struct running *r, void **ret, struct fault *f)
{
    struct running *changing = (struct running *)(uintptr_t)r; /* Its arena. */
    void *config = arena_alloc(r->arena, MAX(r->d.spec->config_size, sizeof(struct daemon_config)));
    struct daemon_config *common = config;
    enum log_level level;
    enum log_format format;

    if (config_load(r->keys, r->keys_count, r->options.config_file, r->options.overrides,
                    r->options.overrides_count, config, f) < 0 ||
        complete_host(changing, common, f) < 0)
        return -1;
    complete_folders(changing, common);
    if (read_log_settings(common, &level, &format, f) < 0 || check(r, common, f) < 0)
        return -1;
    *ret = config;
    return 0;
}

static void
join_keys(struct running *r)
{
    size_t own = r->d.spec->keys_count;

    r->keys_count = ARRAY_SIZE(common_keys) + own;
    r->keys = ARENA_ARRAY(r->arena, struct config_key, r->keys_count);
    memcpy(r->keys, common_keys, sizeof(common_keys));
    if (own > 0)
        memcpy(r->keys + ARRAY_SIZE(common_keys), r->d.spec->keys, own * sizeof(*r->keys));
}

int
settings_load(struct running *r, struct fault *f)
{
    if (r->keys == NULL)
        join_keys(r);
    if (settings_read(r, &r->config, f) < 0)
        return -1;
    r->d.config = r->config;
    return 0;
}
