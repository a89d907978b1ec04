#include "envelope.h"

#include "../base/fault_json.h"
#include "../base/json.h"
#include "../base/jsonw.h"
#include "../base/str.h"
#include "wire.h"

#define NAME_MAX_SIZE 255
#define REPLAY_US                                                                                  \
    (2 * INT64_C(3600) * 1000 * 1000) /* Clocks may be wrong by an hour; this is more than wrong. */

int
envelope_write(struct arena *a, const struct envelope *e, char **ret, size_t *ret_size,
               struct fault *f)
{
    _cleanup_(str_done) struct str out = { 0 };
    struct jsonw w;

    jsonw_init(&w, &out);
    jsonw_object(&w, NULL);
    jsonw_int(&w, "v", ENVELOPE_VERSION);
    jsonw_text(&w, "method", e->method);
    jsonw_text(&w, "operation_id", e->operation_id);
    jsonw_text(&w, "request_id", e->request_id);
    jsonw_int(&w, "deadline", e->deadline_us);
    jsonw_int(&w, "timeout_ms", e->timeout_ms);
    jsonw_object(&w, "from");
    jsonw_text(&w, "name", e->from_name);
    jsonw_text(&w, "host", e->from_host);
    jsonw_end(&w);
    if (e->params != NULL)
        jsonw_json(&w, "params", e->params);
    jsonw_end(&w);
    if (out.size > WIRE_BODY_MAX)
        return fault_raise(f, FAULT_TOO_LARGE, "The parameters of %s are too large.", e->method);
    *ret = arena_strndup(a, out.data, out.size);
    *ret_size = out.size;
    return 0;
}

static int
read_name(const json_t *object, const char *key, bool may_be_empty, const char **ret,
          struct fault *f)
{
    const char *text = json_get_text(object, key);

    if (text == NULL || strlen(text) > NAME_MAX_SIZE || (!may_be_empty && *text == '\0'))
        return fault_raise_field(f, key, "Not a name.");
    *ret = text;
    return 0;
}

static int
read_count(const json_t *object, const char *key, int64_t *ret, struct fault *f)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fault_raise_field(f, key, "Not a number.");
    *ret = json_integer_value(value);
    return 0;
}

static int
read_version(const json_t *value, struct fault *f)
{
    const json_t *version = json_object_get(value, "v");

    if (!json_is_integer(version) || json_integer_value(version) < ENVELOPE_OLDEST ||
        json_integer_value(version) > ENVELOPE_VERSION)
        return fault_raise_field(f, "v", "Not a version that is spoken here.");
    return 0;
}

int
envelope_read(struct arena *a, const char *data, size_t size, struct envelope *ret, struct fault *f)
{
    struct envelope e = { 0 };
    const json_t *params;
    json_t *value;
    int r;

    r = json_read(a, data, size, &value, f);
    if (r < 0)
        return r;
    r = read_version(value, f);
    if (r >= 0)
        r = read_name(value, "method", false, &e.method, f);
    if (r >= 0)
        r = read_name(value, "operation_id", false, &e.operation_id, f);
    if (r >= 0)
        r = read_name(value, "request_id", true, &e.request_id, f);
    if (r >= 0)
        r = read_count(value, "deadline", &e.deadline_us, f);
    if (r >= 0)
        r = read_count(value, "timeout_ms", &e.timeout_ms, f);
    if (r >= 0)
        r = read_name(json_object_get(value, "from"), "name", false, &e.from_name, f);
    if (r >= 0)
        r = read_name(json_object_get(value, "from"), "host", true, &e.from_host, f);
    if (r < 0)
        return r;
    params = json_object_get(value, "params");
    if (params != NULL && !json_is_object(params))
        return fault_raise_field(f, "params", "Not an object.");
    e.params = params;
    *ret = e;
    return 0;
}

char *
envelope_write_answer(struct arena *a, const json_t *result, const struct fault *fault,
                      size_t *ret_size)
{
    _cleanup_(str_done) struct str out = { 0 };
    struct fault too_large = { 0 };
    struct jsonw w;

    jsonw_init(&w, &out);
    jsonw_object(&w, NULL);
    jsonw_int(&w, "v", ENVELOPE_VERSION);
    if (fault != NULL)
        jsonw_json(&w, "fault", fault_to_json(a, fault));
    else if (result != NULL)
        jsonw_json(&w, "result", result);
    jsonw_end(&w);
    if (out.size > WIRE_BODY_MAX && fault == NULL) {
        fault_raise_cause(&too_large, "an answer of %zu bytes", out.size);
        return envelope_write_answer(a, NULL, &too_large, ret_size);
    }
    *ret_size = out.size;
    return arena_strndup(a, out.data, out.size);
}

int
envelope_read_answer(struct arena *a, const char *data, size_t size, json_t **ret, struct fault *f)
{
    const json_t *fault;
    json_t *value;

    if (json_read(a, data, size, &value, f) < 0 || read_version(value, f) < 0)
        return fault_raise_cause(f, "an answer that is not one");
    fault = json_object_get(value, "fault");
    if (fault != NULL) {
        fault_from_json(fault, f);
        return -(int)f->kind;
    }
    *ret = json_object_get(value, "result");
    return 0;
}

bool
envelope_speaks_for(const char *user_id, const char *host)
{
    const char *bound = user_id == NULL ? NULL : strrchr(user_id, '@');

    if (str_empty(user_id))
        return false;
    return bound == NULL || str_equal(bound + 1, host);
}

bool
envelope_answers_for(const char *user_id, const char *queue)
{
    const char *bound = user_id == NULL ? NULL : strrchr(user_id, '@');
    const char *host = strchr(queue, '.');

    if (str_empty(user_id))
        return false;
    return bound == NULL || (host != NULL && str_equal(bound + 1, host + 1));
}

int64_t
envelope_remaining_ms(const struct envelope *e, int64_t now_us)
{
    int64_t left_ms;

    if (e->deadline_us == 0 || e->timeout_ms == 0)
        return INT64_MAX;
    if (now_us - e->deadline_us > REPLAY_US)
        return -1;
    left_ms = (e->deadline_us - now_us) / 1000;
    return left_ms < 0 || left_ms > e->timeout_ms ? e->timeout_ms : left_ms;
}
