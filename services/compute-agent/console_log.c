#include "console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"

#define BOUND_BYTES ((off_t)8 << 20)
#define KEEP_BYTES ((off_t)1 << 20)

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* The last 'bytes' of one file, appended to 'out'. */
static int
add_tail(const char *path, int64_t bytes, struct str *out)
{
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char part[16384];
    struct stat st;
    off_t at;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -EINVAL;
    at = st.st_size > bytes ? st.st_size - (off_t)bytes : 0;
    while (at < st.st_size) {
        ssize_t n = pread(fd, part, MIN(sizeof(part), (size_t)(st.st_size - at)), at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* Rotated under our eyes: what we have is what there was. */
        str_add_n(out, part, (size_t)n);
        at += n;
    }
    return 0;
}

int
console_log_tail(struct arena *a, const char *path, int64_t bytes, const char **ret,
                 size_t *ret_size, struct fault *f)
{
    _cleanup_(str_done) struct str out = { 0 };
    struct stat st;
    int64_t newest = stat(path, &st) == 0 ? st.st_size : 0;
    int r = 0;

    if (newest < bytes)
        r = add_tail(arena_printf(a, "%s.0", path), bytes - newest, &out);
    if (r == 0)
        r = add_tail(path, bytes, &out);
    if (r < 0)
        return fault_raise_cause(f, "console log %s: %s", path, strerror(-r));
    /* It may have grown between the two. */
    *ret_size = MIN(out.size, (size_t)bytes);
    *ret = arena_strndup(a, str_text(&out) + (out.size - *ret_size), *ret_size);
    return 0;
}

const char *
console_log_lines(const char *text, size_t size, int64_t lines, size_t *ret_size)
{
    /* A line end at the very end belongs to the last line. */
    size_t at = size > 0 && text[size - 1] == '\n' ? size - 1 : size;

    if (lines == 0)
        at = size;
    while (lines != 0 && at > 0) {
        if (text[at - 1] == '\n' && lines > 0 && --lines == 0)
            break;
        at--;
    }
    *ret_size = size - at;
    return text + at;
}

/* Bytes of the well-formed character at 'data'; 0: none. */
static size_t
character_size(const char *data, size_t size)
{
    for (size_t n = 1; n <= 4 && n <= size; n++) {
        if (str_is_utf8(data, n))
            return n;
    }
    return 0;
}

char *
console_log_text(struct arena *a, const char *data, size_t size)
{
    _cleanup_(str_done) struct str out = { 0 };

    for (size_t i = 0; i < size;) {
        size_t n = character_size(data + i, size - i);

        if (n > 0)
            str_add_n(&out, data + i, n);
        else if (data[i] != '\0')
            str_add(&out, "\xEF\xBF\xBD");
        i += n > 0 ? n : 1;
    }
    return arena_strdup(a, str_text(&out));
}

static bool
write_older(const char *path, const struct str *text)
{
    _cleanup_(close_fd) int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd >= 0 && write(fd, str_text(text), text->size) == (ssize_t)text->size;
}

void
console_log_bound(const char *path)
{
    _cleanup_(str_done) struct str keep = { 0 };
    _cleanup_(arena_freep) struct arena *a = NULL;
    struct stat st;

    if (stat(path, &st) < 0 || st.st_size <= BOUND_BYTES || add_tail(path, KEEP_BYTES, &keep) < 0)
        return;
    a = arena_new();
    if (write_older(arena_printf(a, "%s.0", path), &keep) && truncate(path, 0) < 0)
        unlink(arena_printf(a, "%s.0", path));
}
