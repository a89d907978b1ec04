/* The log: one record a line on standard error, key=value or JSON, with the request it belongs to.
 *
 * Logged at borders, once: the dispatcher, the saga runner, the RPC server, an agent's loop. Messages are
 * fixed words first, then key=value pairs: log_warn("pool.reconnect database=%s attempt=%d", ...).
 * Secrets are never given to it; values that come from outside are escaped here. */
#pragma once

#include <stdbool.h>

#include "compiler.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_KEYVALUE, LOG_JSON };

void log_setup(const char *daemon, enum log_level level, enum log_format format);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
int log_level_parse(const char *text, enum log_level *ret);

/* What the thread is working on; added to each of its records. Text must live until it is replaced;
 * NULL removes. */
struct log_context {
    const char *request_id;
    const char *global_request_id;
    const char *project_id;
    const char *user_id;
    const char *saga_id;
};
void log_set_context(const struct log_context *context);
void log_get_context(struct log_context *ret);

void log_write(enum log_level level, const char *file, int line, const char *format, ...)
    _printf_(4, 5);

#define log_error(...) log_write(LOG_ERROR, __FILE__, __LINE__, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __FILE__, __LINE__, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __FILE__, __LINE__, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_write(LOG_DEBUG, __FILE__, __LINE__, __VA_ARGS__);                                 \
    } while (0)
