#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

int
folder_write_file(const char *path, const void *data, size_t size, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    const char *at = data;
    int error = 0;

    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    while (size > 0 && error == 0) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno != EINTR)
            error = errno;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0)
        return 0;
    return fault_raise_cause(f, "%s: %s", path, strerror(error));
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int
folder_remove(const char *path)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}
