#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "kind.h"
#include "rest.h"

enum { FIRST_PAUSE_MS = 100, LAST_PAUSE_MS = 1000 };

void
wait_show(const char *text)
{
    static bool shown;

    if (!isatty(STDERR_FILENO) || (text == NULL && !shown))
        return;
    shown = text != NULL;
    fprintf(stderr, "\r\033[K%s", text != NULL ? text : "");
    fflush(stderr);
}

/* Short pauses first, since most things take a second or two; then a second each. */
static int
pause_after(int pause_ms)
{
    while (poll(NULL, 0, pause_ms) < 0 && errno == EINTR)
        continue;
    return MIN(pause_ms * 3 / 2, (int)LAST_PAUSE_MS);
}

static const char *
status_of(const json_t *object)
{
    const char *status = json_get_text(object, "status");

    return status != NULL ? status : "";
}

static void
show(struct cli *cli, const struct kind *kind, const json_t *object, int64_t start_ms)
{
    static const char *const frames[] = { "|", "/", "-", "\\" };
    int64_t took_ms = clock_mono_ms() - start_ms;
    const char *task = json_get_text(object, "OS-EXT-STS:task_state");

    wait_show(arena_printf(cli->arena, "%s %s %s: %s%s%s%s  %.1f s", frames[took_ms / 200 % 4],
                           kind->title, kind_object_name(kind, object), status_of(object),
                           task != NULL ? " (" : "", task != NULL ? task : "",
                           task != NULL ? ")" : "", (double)took_ms / 1000.0));
}

static int
failed(const struct kind *kind, const json_t *object, struct fault *f)
{
    const char *why = json_get_text(json_object_get(object, "fault"), "message");

    return fault_raise(f, FAULT_CONFLICT, "The %s %s is %s%s%s", kind->title,
                       kind_object_name(kind, object), status_of(object), why != NULL ? ": " : ".",
                       why != NULL ? why : "");
}

static bool
is_error(const json_t *object)
{
    return strncasecmp(status_of(object), "error", 5) == 0 ||
           str_equal(status_of(object), "killed");
}

int
wait_for(struct cli *cli, const struct kind *kind, const char *id, const char *wanted, json_t **ret,
         struct fault *f)
{
    int64_t start_ms = clock_mono_ms();
    int pause_ms = FIRST_PAUSE_MS;

    for (;;) {
        json_t *answer = rest_get(cli, kind->service, kind_path(cli->arena, kind, id), NULL, f),
               *object;

        if (answer == NULL)
            break;
        object = kind_unwrap(kind, answer);
        if (str_equal_nocase(status_of(object), wanted) &&
            json_get_text(object, "OS-EXT-STS:task_state") == NULL) {
            wait_show(NULL);
            if (ret != NULL)
                *ret = object;
            return 0;
        }
        if (is_error(object)) {
            failed(kind, object, f);
            break;
        }
        show(cli, kind, object, start_ms);
        pause_ms = pause_after(pause_ms);
    }
    wait_show(NULL);
    return -1;
}

int
wait_gone(struct cli *cli, const struct kind *kind, const char *id, struct fault *f)
{
    int64_t start_ms = clock_mono_ms();
    int pause_ms = FIRST_PAUSE_MS, status, r = -1;

    for (;;) {
        json_t *answer = rest_get(cli, kind->service, kind_path(cli->arena, kind, id), &status, f),
               *object;

        if (answer == NULL) {
            r = status == 404 ? 0 : -1;
            break;
        }
        object = kind_unwrap(kind, answer);
        if (str_equal_nocase(status_of(object), "deleted") ||
            str_equal_nocase(status_of(object), "soft_deleted")) {
            r = 0;
            break;
        }
        /* A server in ERROR may be deleted; it is an error only when nothing is under way. */
        if (is_error(object) && json_get_text(object, "OS-EXT-STS:task_state") == NULL &&
            clock_mono_ms() - start_ms > 5000) {
            failed(kind, object, f);
            break;
        }
        show(cli, kind, object, start_ms);
        pause_ms = pause_after(pause_ms);
    }
    wait_show(NULL);
    if (r == 0)
        fault_clear(f);
    return r;
}
