/* Which providers there are: the files of the directory. Clients are never freed before the daemon ends, so that a request
 * that has one needs no lock; a reload puts others in their place. */
#include "oidc_internal.h"

#include <dirent.h>
#include <errno.h>

#include "base/array.h"
#include "base/config.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"

struct oidc {
    pthread_mutex_t mutex;
    struct oidc_client *clients GUARDED_BY(mutex);
    struct oidc_client *retired GUARDED_BY(mutex);
};

#define CONFIG_KEY(...) DAEMON_KEY(oidc_settings, __VA_ARGS__),
static const struct config_key keys[] = {
#include "oidc.def"
};
#undef CONFIG_KEY

static void
free_clients(struct oidc_client *c)
{
    while (c != NULL) {
        struct oidc_client *next = c->next;

        pthread_mutex_destroy(&c->mutex);
        free(c->discovery.text);
        free(c->keys.text);
        free(c);
        c = next;
    }
}

static struct oidc_client *
find_in(struct oidc_client *list, const char *idp_id, const char *protocol_id)
{
    for (; list != NULL; list = list->next) {
        if (str_equal(list->settings.idp_id, idp_id) &&
            str_equal(list->settings.protocol_id, protocol_id))
            return list;
    }
    return NULL;
}

static int
read_file(const char *path, struct oidc_client **list, struct fault *f)
{
    struct oidc_settings s = { 0 };
    struct oidc_client *c;

    if (config_load(keys, ARRAY_SIZE(keys), path, NULL, 0, &s, f) < 0)
        return -1;
    if (!str_starts(s.issuer, "https://") && !str_starts(s.issuer, "http://"))
        return fault_raise(f, FAULT_INVALID, "%s: the issuer is no URL", path);
    if (str_starts(s.issuer, "http://"))
        log_warn("oidc.issuer-without-tls issuer=%s", s.issuer);
    if (str_empty(s.audience))
        s.audience = s.client_id;
    if (find_in(*list, s.idp_id, s.protocol_id) != NULL)
        return fault_raise(f, FAULT_INVALID, "%s: another file is about this provider and protocol",
                           path);
    c = memory_calloc(1, sizeof(*c));
    c->settings = s;
    pthread_mutex_init(&c->mutex, NULL);
    c->next = *list;
    *list = c;
    return 0;
}

static void
directory_close(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

static int
read_directory(const char *path, struct oidc_client **ret, struct fault *f)
{
    _cleanup_(directory_close) DIR *directory = str_empty(path) ? NULL : opendir(path);
    struct oidc_client *list = NULL;
    struct dirent *entry;
    char file[4096];

    if (directory == NULL && !str_empty(path) && errno != ENOENT)
        return fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (!str_ends(entry->d_name, ".conf") || entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%.3000s/%s", path, entry->d_name);
        if (read_file(file, &list, f) < 0) {
            free_clients(list);
            return -1;
        }
    }
    *ret = list;
    return 0;
}

int
oidc_open(struct oidc **ret, const char *directory, struct fault *f)
{
    struct oidc_client *list;
    struct oidc *o;

    if (read_directory(directory, &list, f) < 0)
        return -1;
    o = memory_calloc(1, sizeof(*o));
    pthread_mutex_init(&o->mutex, NULL);
    o->clients = list;
    *ret = o;
    return 0;
}

int
oidc_reload(struct oidc *o, const char *directory, struct fault *f)
{
    struct oidc_client *list, *last;

    if (read_directory(directory, &list, f) < 0)
        return -1;
    pthread_mutex_lock(&o->mutex);
    for (last = o->clients; last != NULL && last->next != NULL; last = last->next)
        ;
    if (last != NULL) {
        last->next = o->retired;
        o->retired = o->clients;
    }
    o->clients = list;
    pthread_mutex_unlock(&o->mutex);
    return 0;
}

void
oidc_free(struct oidc *o)
{
    if (o == NULL)
        return;
    free_clients(o->clients);
    free_clients(o->retired);
    pthread_mutex_destroy(&o->mutex);
    free(o);
}

struct oidc_client *
oidc_find(struct oidc *o, const char *idp_id, const char *protocol_id)
{
    struct oidc_client *c;

    pthread_mutex_lock(&o->mutex);
    c = find_in(o->clients, idp_id, protocol_id);
    pthread_mutex_unlock(&o->mutex);
    return c;
}

struct oidc_client *
oidc_find_only(struct oidc *o, const char *protocol_id)
{
    struct oidc_client *found = NULL;
    size_t count = 0;

    pthread_mutex_lock(&o->mutex);
    for (struct oidc_client *c = o->clients; c != NULL; c = c->next) {
        if (str_equal(c->settings.protocol_id, protocol_id)) {
            found = c;
            count++;
        }
    }
    pthread_mutex_unlock(&o->mutex);
    return count == 1 ? found : NULL;
}

const char *
oidc_idp_id(const struct oidc_client *c)
{
    return c->settings.idp_id;
}

const char *
oidc_redirect_uri(const struct oidc_client *c)
{
    return c->settings.redirect_uri;
}

int
oidc_refuse(struct fault *f, const char *cause)
{
    fault_clear(f);
    fault_raise(f, FAULT_UNAUTHORIZED, "The request you have made requires authentication.");
    return fault_add_cause(f, "%s", cause);
}
