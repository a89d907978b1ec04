/* SIGHUP: the log's level and format, policy.yaml, and what the daemon's own hook does. Other
 * keys that have changed are named in the log, since they need a restart. */
#include "running.h"

#include "../base/log.h"
#include "../base/str.h"
#include "notify.h"

static bool
same_list(const char *const *a, const char *const *b)
{
    for (; *a != NULL && *b != NULL; a++, b++) {
        if (!str_equal(*a, *b))
            return false;
    }
    return *a == *b;
}

static bool
same(const struct config_key *key, const void *old, const void *new)
{
    const void *a = (const char *)old + key->offset, *b = (const char *)new + key->offset;

    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return str_equal(*(const char *const *)a, *(const char *const *)b);
    case CONFIG_INT:
        return *(const int64_t *)a == *(const int64_t *)b;
    case CONFIG_NUMBER:
        return memcmp(a, b, sizeof(double)) == 0;
    case CONFIG_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case CONFIG_LIST:
        return same_list(*(const char *const *const *)a, *(const char *const *const *)b);
    }
    return true;
}

static void
name_changes(const struct running *r, const void *fresh)
{
    for (size_t i = 0; i < r->keys_count; i++) {
        const struct config_key *key = &r->keys[i];

        if (!str_equal(key->name, "log_level") && !str_equal(key->name, "log_format") &&
            !same(key, r->config, fresh))
            log_warn("reload.needs_restart key=%s.%s", key->section, key->name);
    }
}

void
reload_run(struct running *r)
{
    struct fault f = { 0 };
    void *fresh;

    notify_reloading();
    if (settings_read(r, &fresh, &f) < 0 || settings_apply_log(r, fresh, &f) < 0) {
        log_error("reload.refused reason=\"%s\"", f.message);
    } else {
        name_changes(r, fresh);
        if (r->d.api != NULL && api_server_reload_policy(r->d.api, &f) < 0)
            log_error("reload.policy_refused reason=\"%s\"", f.message);
        if (r->d.spec->reload != NULL)
            r->d.spec->reload(&r->d);
        log_info("reload.done");
    }
    notify_ready();
}
