/* One record is one line and one write(2), so lines of threads and processes never mix. It is built on the
 * stack: logging allocates nothing and takes no lock. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"

#define RECORD_SIZE 8192
#define MESSAGE_SIZE 4096

static char daemon_name[64] = "virga";
static atomic_int threshold = LOG_INFO;
static atomic_int written_as = LOG_KEYVALUE;
static _Thread_local struct log_context current;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

struct record {
    char data[RECORD_SIZE];
    size_t size;
};

void
log_setup(const char *daemon, enum log_level level, enum log_format format)
{
    /* Other threads read it while settings are read anew: the name is then what it was. */
    if (strcmp(daemon_name, daemon) != 0)
        snprintf(daemon_name, sizeof(daemon_name), "%s", daemon);
    atomic_store(&written_as, (int)format);
    atomic_store(&threshold, (int)level);
}

void
log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

bool
log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

int
log_level_parse(const char *text, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (text != NULL && str_equal_nocase(text, level_names[i])) {
            *ret = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

void
log_set_context(const struct log_context *context)
{
    current = context != NULL ? *context : (struct log_context){ 0 };
}

void
log_get_context(struct log_context *ret)
{
    *ret = current;
}

/* All or nothing, and always room for what ends the record. */
static bool
add(struct record *r, const char *data, size_t size)
{
    if (size > sizeof(r->data) - r->size - 4)
        return false;
    memcpy(r->data + r->size, data, size);
    r->size += size;
    return true;
}

/* Text that can neither end the line nor the quotes it stands in, nor move a terminal's cursor. */
static void
add_escaped(struct record *r, const char *text, bool json)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t size = str_utf8_at(text, left);
        unsigned char c = (unsigned char)*text;
        char escaped[8];
        bool added;

        if (c == '\n') {
            added = add(r, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f || size == 0) {
            snprintf(escaped, sizeof(escaped), json ? "\\u%04x" : "\\x%02x", (unsigned)c);
            added = add(r, escaped, strlen(escaped));
        } else if (json && (c == '"' || c == '\\')) {
            escaped[0] = '\\';
            escaped[1] = (char)c;
            added = add(r, escaped, 2);
        } else {
            added = add(r, text, size);
        }
        if (!added)
            return;
        size = MAX(size, (size_t)1);
        text += size;
        left -= size;
    }
}

static void
add_pair(struct record *r, const char *key, const char *value)
{
    bool json = atomic_load_explicit(&written_as, memory_order_relaxed) == LOG_JSON;
    const char *before = json ? (r->size == 0 ? "{\"" : "\",\"") : (r->size == 0 ? "" : " ");

    if (value == NULL)
        return;
    add(r, before, strlen(before));
    add(r, key, strlen(key));
    add(r, json ? "\":\"" : "=", json ? 3 : 1);
    add_escaped(r, value, json);
}

static void
put(const struct record *r)
{
    size_t done = 0;

    while (done < r->size) {
        ssize_t n = write(STDERR_FILENO, r->data + done, r->size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* Nobody listens: a log must not stop the work. */
        done += (size_t)n;
    }
}

static void
format_time(char *ret, size_t size)
{
    int64_t now = clock_now_us();
    time_t seconds = now / 1000000;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(ret, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % 1000000));
}

void
log_write(enum log_level level, const char *file, int line, const char *format, ...)
{
    struct record r = { .size = 0 };
    char message[MESSAGE_SIZE], text[128];
    int kept_errno = errno;
    va_list args;

    if (!log_enabled(level))
        return;
    format_time(text, sizeof(text));
    add_pair(&r, "ts", text);
    add_pair(&r, "level", level_names[level]);
    add_pair(&r, "daemon", daemon_name);
    if (log_enabled(LOG_DEBUG)) {
        snprintf(text, sizeof(text), "%s:%d", file, line);
        add_pair(&r, "at", text);
    }
    add_pair(&r, "request_id", current.request_id);
    add_pair(&r, "global_request_id", current.global_request_id);
    add_pair(&r, "project_id", current.project_id);
    add_pair(&r, "user_id", current.user_id);
    add_pair(&r, "saga_id", current.saga_id);

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (atomic_load_explicit(&written_as, memory_order_relaxed) == LOG_JSON) {
        add_pair(&r, "message", message);
        memcpy(r.data + r.size, "\"}\n", 3);
        r.size += 3;
    } else {
        add(&r, " ", 1);
        add_escaped(&r, message, false);
        r.data[r.size++] = '\n';
    }
    put(&r);
    errno = kept_errno;
}
