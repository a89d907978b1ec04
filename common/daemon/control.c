/* The control socket, for "virga debug <daemon> ..." and curl --unix-socket: HTTP, answers in
 * JSON.
 *
 *   GET  /show/sagas   open sagas and where they are         GET  /show/config  all keys, without secrets
 *   GET  /show/outbox  what waits to be sent                 POST /log?level=debug
 *   GET  /show/pool    database connections                  POST /trim         gives free memory back
 *   GET  /show/mem     the heap                              POST /reload       as SIGHUP
 *
 * Who may open the socket may do all of it: it is the daemon's own user and group. */
#include <malloc.h>
#include <unistd.h>

#include "../base/jsonw.h"
#include "../base/log.h"
#include "../base/str.h"
#include "daemon_queries.h"
#include "limits.h"
#include "running.h"

enum { SAGAS_MAX = 1000 };

static int
show_sagas(struct running *r, struct arena *a, struct jsonw *w, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct debug_saga *rows;
    size_t count;

    if (db_pool_get(r->d.pool, a, &db, f) < 0 || debug_sagas(&db, SAGAS_MAX, &rows, &count, f) < 0)
        return -1;
    jsonw_array(w, "sagas");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "id", rows[i].id);
        jsonw_text(w, "name", rows[i].name);
        jsonw_text(w, "object_id", rows[i].object_id);
        jsonw_text(w, "direction", rows[i].direction);
        jsonw_text(w, "step", rows[i].step_name);
        jsonw_int(w, "attempt", rows[i].attempt);
        jsonw_int(w, "age_s", rows[i].age_s);
        jsonw_text(w, "fault", rows[i].fault);
        jsonw_end(w);
    }
    jsonw_end(w);
    return 0;
}

static int
show_outbox(struct running *r, struct arena *a, struct jsonw *w, struct fault *f)
{
    _cleanup_(db_release) struct db db = { 0 };
    struct debug_outbox_row *rows;
    size_t count;

    if (db_pool_get(r->d.pool, a, &db, f) < 0 || debug_outbox(&db, &rows, &count, f) < 0)
        return -1;
    jsonw_array(w, "outbox");
    for (size_t i = 0; i < count; i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "target", rows[i].target);
        jsonw_text(w, "method", rows[i].method);
        jsonw_int(w, "waiting", rows[i].waiting);
        jsonw_int(w, "age_s", rows[i].age_s);
        jsonw_end(w);
    }
    jsonw_end(w);
    return 0;
}

static int
show_pool(struct running *r, struct arena *a _unused_, struct jsonw *w, struct fault *f _unused_)
{
    struct db_pool_stats s;

    db_pool_stats(r->d.pool, &s);
    jsonw_object(w, "pool");
    jsonw_int(w, "size", s.size);
    jsonw_int(w, "open", s.open);
    jsonw_int(w, "in_use", s.in_use);
    jsonw_int(w, "reconnects", (int64_t)s.reconnects);
    jsonw_int(w, "statements", (int64_t)db_statements());
    jsonw_end(w);
    return 0;
}

static int
show_mem(struct running *r _unused_, struct arena *a _unused_, struct jsonw *w,
         struct fault *f _unused_)
{
    struct mallinfo2 heap = mallinfo2();

    jsonw_object(w, "mem");
    jsonw_int(w, "heap_used", (int64_t)heap.uordblks);
    jsonw_int(w, "heap_free", (int64_t)heap.fordblks);
    jsonw_int(w, "heap_top", (int64_t)heap.keepcost);
    jsonw_int(w, "mapped", (int64_t)heap.hblkhd);
    jsonw_end(w);
    return 0;
}

static void
write_value(struct jsonw *w, const struct config_key *key, const void *config)
{
    const void *member = (const char *)config + key->offset;

    switch (key->type) {
    case CONFIG_SECRET:
        jsonw_text(w, key->name, str_empty(*(const char *const *)member) ? "" : "(secret)");
        break;
    case CONFIG_TEXT:
        jsonw_text(w, key->name, *(const char *const *)member);
        break;
    case CONFIG_INT:
        jsonw_int(w, key->name, *(const int64_t *)member);
        break;
    case CONFIG_NUMBER:
        jsonw_double(w, key->name, *(const double *)member);
        break;
    case CONFIG_BOOL:
        jsonw_bool(w, key->name, *(const bool *)member);
        break;
    case CONFIG_LIST:
        jsonw_array(w, key->name);
        for (const char *const *at = *(const char *const *const *)member; at != NULL && *at != NULL;
             at++)
            jsonw_text(w, NULL, *at);
        jsonw_end(w);
        break;
    }
}

static int
show_config(struct running *r, struct arena *a _unused_, struct jsonw *w, struct fault *f _unused_)
{
    const char *section = NULL;

    jsonw_object(w, "config");
    for (size_t i = 0; i < r->keys_count; i++) {
        if (!str_equal(section, r->keys[i].section)) {
            if (section != NULL)
                jsonw_end(w);
            section = r->keys[i].section;
            jsonw_object(w, section);
        }
        write_value(w, &r->keys[i], r->config);
    }
    if (section != NULL)
        jsonw_end(w);
    jsonw_end(w);
    return 0;
}

static const struct topic {
    const char *path;
    bool needs_database;
    int (*show)(struct running *r, struct arena *a, struct jsonw *w, struct fault *f);
} topics[] = {
    { "/show/sagas", true, show_sagas },    { "/show/outbox", true, show_outbox },
    { "/show/pool", true, show_pool },      { "/show/mem", false, show_mem },
    { "/show/config", false, show_config },
};

static int
show(struct running *r, const char *path, struct arena *a, struct jsonw *w, struct fault *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
        if (!str_equal(topics[i].path, path))
            continue;
        if (topics[i].needs_database && atomic_load(&r->state) == STATE_STARTING)
            return fault_raise(f, FAULT_UNAVAILABLE, "The daemon is starting.");
        if (topics[i].needs_database && r->d.pool == NULL)
            return fault_raise(f, FAULT_NOT_FOUND, "This daemon has no database.");
        return topics[i].show(r, a, w, f);
    }
    return fault_raise(f, FAULT_NOT_FOUND, "/show/ has sagas, outbox, pool, mem and config.");
}

static int
change(const struct http_request *request, struct fault *f)
{
    const char *text = http_query(request, "level");
    enum log_level level;

    if (str_equal(request->path, "/trim")) {
        limits_trim();
        return 0;
    }
    if (str_equal(request->path, "/reload"))
        return kill(getpid(), SIGHUP) < 0 ? fault_raise_cause(f, "kill") : 0;
    if (!str_equal(request->path, "/log"))
        return fault_raise(f, FAULT_NOT_FOUND, "/log?level=, /trim and /reload can be posted to.");
    if (log_level_parse(text, &level) < 0)
        return fault_raise_field(f, "level", "level is one of error, warn, info, debug.");
    log_set_level(level);
    log_info("control.log_level level=%s", text);
    return 0;
}

void
control_handle(struct running *r, const struct http_request *request,
               struct http_response *response)
{
    struct fault f = { 0 };
    struct jsonw w;
    int result;

    jsonw_init(&w, &response->body);
    jsonw_object(&w, NULL);
    if (request->method == HTTP_GET)
        result = show(r, request->path, request->arena, &w, &f);
    else if (request->method == HTTP_POST)
        result = change(request, &f);
    else
        result = fault_raise(&f, FAULT_METHOD, "GET and POST only.");
    if (result >= 0) {
        jsonw_end(&w);
        return;
    }
    str_clear(&response->body);
    response->status = fault_status(f.kind);
    jsonw_init(&w, &response->body);
    jsonw_object(&w, NULL);
    jsonw_object(&w, "error");
    jsonw_int(&w, "code", response->status);
    jsonw_text(&w, "title", fault_kind_name(f.kind));
    jsonw_text(&w, "message", f.message);
    if (f.cause[0] != '\0')
        jsonw_text(&w, "cause", f.cause);
    jsonw_end(&w);
    jsonw_end(&w);
}
