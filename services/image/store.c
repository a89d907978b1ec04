#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"

enum { NAME = UUID_TEXT + 8, WRITEBACK = 32 * 1024 * 1024 };

struct store {
    int folder;
};

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Parents are made as well: the configured folder may lie below a fresh state folder. */
static int
make_folder(const char *path)
{
    char *copy = memory_strdup(path);
    int r = 0;

    for (char *at = strchr(copy + 1, '/'); at != NULL && r == 0; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            r = -errno;
        *at = '/';
    }
    if (r == 0 && mkdir(copy, 0700) < 0 && errno != EEXIST)
        r = -errno;
    free(copy);
    return r;
}

int
store_open(struct store **ret, const char *folder, struct fault *f)
{
    int r = make_folder(folder);
    int fd = r < 0 ? r : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct store *s;

    if (fd < 0)
        return fault_raise_cause(f, "the images' folder %s cannot be used: %s", folder,
                                 strerror(r < 0 ? -r : errno));
    s = memory_calloc(1, sizeof(*s));
    s->folder = fd;
    *ret = s;
    return 0;
}

void
store_close(struct store *s)
{
    if (s == NULL)
        return;
    close(s->folder);
    free(s);
}

static void
name_of(char *ret, const char *id, bool complete)
{
    snprintf(ret, NAME, "%s%s", id, complete ? "" : ".part");
}

static int
open_name(const struct store *s, const char *name, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, s->folder, name, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

static int
open_id(const struct store *s, const char *id, bool complete, int flags)
{
    char name[NAME];

    if (!uuid_check(id))
        return -EINVAL;
    name_of(name, id, complete);
    return open_name(s, name, flags);
}

int
store_create(struct store *s, struct store_file *ret, struct fault *f)
{
    struct store_file file = { .store = s };

    for (;;) {
        struct stat st;

        uuid_new(file.id);
        file.fd = open_id(s, file.id, false, O_RDWR | O_CREAT | O_EXCL);
        if (file.fd == -EEXIST)
            continue;
        if (file.fd == -ENOSPC || file.fd == -EDQUOT)
            return fault_raise(f, FAULT_TOO_LARGE, "Image storage media is full.");
        if (file.fd < 0)
            return fault_raise_cause(f, "a file of the store cannot be made: %s",
                                     strerror(-file.fd));
        /* Between open and lock it looked abandoned; if it was swept away, once more. */
        if (flock(file.fd, LOCK_EX) == 0 && fstat(file.fd, &st) == 0 && st.st_nlink > 0)
            break;
        close(file.fd);
    }
    *ret = file;
    return 0;
}

int
store_write(struct store_file *file, const void *data, size_t size, int64_t offset, struct fault *f)
{
    const char *at = data;
    int64_t before = offset / WRITEBACK;

    while (size > 0) {
        ssize_t n = pwrite(file->fd, at, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
            return fault_raise(f, FAULT_TOO_LARGE, "Image storage media is full.");
        if (n < 0)
            return fault_raise_cause(f, "the store cannot be written: %s", strerror(errno));
        at += n;
        offset += n;
        size -= (size_t)n;
    }
    if (offset / WRITEBACK >
        before) /* Begun now, so that there is little left to wait for at the end. */
        sync_file_range(file->fd, before * WRITEBACK, WRITEBACK, SYNC_FILE_RANGE_WRITE);
    return 0;
}

int
store_keep(struct store_file *file, struct fault *f)
{
    char part[NAME], name[NAME];

    if (fsync(file->fd) < 0)
        return fault_raise_cause(f, "the store cannot be written: %s", strerror(errno));
    name_of(part, file->id, false);
    name_of(name, file->id, true);
    if (renameat(file->store->folder, part, file->store->folder, name) < 0) {
        if (errno == ENOENT)
            return fault_raise(f, FAULT_GONE, "The image was deleted during the upload.");
        return fault_raise_cause(f, "the store cannot be written: %s", strerror(errno));
    }
    file->kept = true;
    if (fsync(file->store->folder) < 0)
        return fault_raise_cause(f, "the store cannot be written: %s", strerror(errno));
    return 0;
}

void
store_leave(struct store_file *file)
{
    file->left = true;
}

void
store_file_done(struct store_file *file)
{
    if (file->store == NULL)
        return;
    if (!file->left)
        store_remove(file->store, file->id);
    close(file->fd);
    *file = (struct store_file){ 0 };
}

int
store_read(struct store *s, const char *id, int *ret_fd, int64_t *ret_size, struct fault *f)
{
    int fd = open_id(s, id, true, O_RDONLY);
    struct stat st;

    if (fd == -ENOENT)
        return fault_raise(f, FAULT_NOT_FOUND, "Image data could not be found.");
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        int error = fd < 0 ? -fd : errno;

        close_fd(&fd);
        return fault_raise_cause(f, "file %s of the store cannot be read: %s", id, strerror(error));
    }
    *ret_fd = fd;
    *ret_size = st.st_size;
    return 0;
}

void
store_remove(struct store *s, const char *id)
{
    char name[NAME];

    if (!uuid_check(id))
        return;
    name_of(name, id, false);
    unlinkat(s->folder, name, 0);
    name_of(name, id, true);
    unlinkat(s->folder, name, 0);
}

static bool
is_held(const struct store *s, const char *id, bool complete)
{
    _cleanup_(close_fd) int fd = open_id(s, id, complete, O_RDONLY);

    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool
store_is_held(struct store *s, const char *id)
{
    /* In the order of a rename, which may happen in between. */
    return is_held(s, id, false) || is_held(s, id, true);
}

/* With the lock, so that a writer that comes just now sees what became of its file. */
static void
visit(struct store *s, const char *id, bool complete,
      void (*each)(void *owner, const char *id, bool complete), void *owner)
{
    _cleanup_(close_fd) int fd = open_id(s, id, complete, O_RDONLY);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        each(owner, id, complete);
}

int
store_each(struct store *s, void (*each)(void *owner, const char *id, bool complete), void *owner,
           struct fault *f)
{
    int fd = open_name(s, ".", O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);

    if (folder == NULL) {
        close_fd(&fd);
        return fault_raise_cause(f, "the images' folder cannot be read: %s",
                                 strerror(fd < 0 ? -fd : errno));
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        bool complete = !str_ends(entry->d_name, ".part");
        char id[UUID_TEXT];

        if (strlen(entry->d_name) != UUID_TEXT - 1 + (complete ? 0 : strlen(".part")))
            continue;
        snprintf(id, sizeof(id), "%.36s", entry->d_name);
        if (uuid_check(id))
            visit(s, id, complete, each, owner);
    }
    closedir(folder);
    return 0;
}
