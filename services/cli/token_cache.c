#include "token_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/str.h"

enum { MAX_FILE = 1024 * 1024, MARGIN_S = 60 };

static char *
folder(struct arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (cache != NULL && cache[0] == '/')
        return arena_printf(a, "%s/virga", cache);
    return home != NULL && home[0] == '/' ? arena_printf(a, "%s/.cache/virga", home) : NULL;
}

/* The name is a digest to be short and plain; the file says in full what it is for. */
static char *
path_of(struct arena *a, const char *identity)
{
    char *in = folder(a);
    size_t size = strlen(identity);

    if (in == NULL)
        return NULL;
    return arena_printf(a, "%s/%016llx%016llx.json", in,
                        (unsigned long long)map_hash(identity, size, 1, 2),
                        (unsigned long long)map_hash(identity, size, 3, 4));
}

/* The file's text, if it is ours alone. */
static char *
read_private(struct arena *a, const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    char *text = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        (st.st_mode & 077) == 0 && st.st_size <= MAX_FILE) {
        text = arena_alloc(a, (size_t)st.st_size + 1);
        if (read(fd, text, (size_t)st.st_size) != st.st_size)
            text = NULL;
        *ret_size = (size_t)st.st_size;
    }
    close(fd);
    return text;
}

json_t *
token_cache_get(struct arena *a, const char *identity)
{
    char *path = path_of(a, identity), *text;
    struct fault f = { 0 };
    int64_t expires_us;
    json_t *kept;
    size_t size;
    const char *expires;

    if (path == NULL || (text = read_private(a, path, &size)) == NULL ||
        json_read(a, text, size, &kept, &f) < 0)
        return NULL;
    expires = json_get_text(json_object_get(json_object_get(kept, "body"), "token"), "expires_at");
    if (!str_equal(json_get_text(kept, "identity"), identity) ||
        json_get_text(kept, "token") == NULL || expires == NULL ||
        clock_parse(expires, &expires_us) < 0 ||
        expires_us < clock_now_us() + (int64_t)MARGIN_S * 1000000)
        return NULL;
    return kept;
}

static int
write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0)
            return -errno;
        text += n;
        size -= (size_t)n;
    }
    return 0;
}

static void
make_folder(struct arena *a, const char *path)
{
    char *parent = arena_strdup(a, path);

    *strrchr(parent, '/') = '\0';
    (void)mkdir(parent, 0700);
    (void)mkdir(path, 0700);
}

void
token_cache_put(struct arena *a, const char *identity, const char *token, const json_t *body)
{
    char *path = path_of(a, identity), *temporary, *text;
    json_t *kept;
    int fd;

    if (path == NULL)
        return;
    make_folder(a, folder(a));
    kept = json_own(a, json_pack("{ss ss sO}", "identity", identity, "token", token, "body", body));
    text = json_text(a, kept);
    temporary = arena_printf(a, "%s.%d", path, (int)getpid());
    (void)unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write_all(fd, text, strlen(text)) < 0 || rename(temporary, path) < 0)
        (void)unlink(temporary);
    close(fd);
}

void
token_cache_drop(struct arena *a, const char *identity)
{
    char *path = path_of(a, identity);

    if (path != NULL)
        (void)unlink(path);
}
