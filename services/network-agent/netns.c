#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"

#define NETNS_DIR "/run/netns"

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void
make_path(char *out, size_t size, const char *name)
{
    snprintf(out, size, NETNS_DIR "/%s", name);
}

/* A name is there when a namespace is mounted on it; the empty file that a crash may leave behind
 * is not one. */
bool
netns_exists(const char *name)
{
    char path[PATH_MAX];
    struct stat of_name, of_dir;

    make_path(path, sizeof(path), name);
    return stat(path, &of_name) == 0 && stat(NETNS_DIR, &of_dir) == 0 &&
           of_name.st_dev != of_dir.st_dev;
}

/* --- running inside --------------------------------------------------------------------------- */

int
netns_open(const char *name, struct fault *f)
{
    char path[PATH_MAX];
    int fd;

    make_path(path, sizeof(path), name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? fault_raise_cause(f, "network namespace %s: %s", name, strerror(errno)) : fd;
}

struct visit {
    const char *name;
    int (*fn)(void *arg, struct fault *f);
    void *arg;
    struct fault *f;
    int result;
};

static void *
visit_main(void *arg)
{
    struct visit *v = arg;
    _cleanup_(close_fd) int fd = -1;

    if (v->name != NULL) {
        v->result = fd = netns_open(v->name, v->f);
        if (fd >= 0 && setns(fd, CLONE_NEWNET) < 0)
            v->result =
                fault_raise_cause(v->f, "enter network namespace %s: %s", v->name, strerror(errno));
        if (v->result < 0)
            return NULL;
    }
    v->result = v->fn(v->arg, v->f);
    return NULL;
}

int
netns_run(const char *name, int (*fn)(void *arg, struct fault *f), void *arg, struct fault *f)
{
    struct visit v = { .name = name, .fn = fn, .arg = arg, .f = f };
    pthread_t thread;
    int r;

    r = pthread_create(&thread, NULL, visit_main, &v);
    if (r != 0)
        return fault_raise_cause(f, "thread: %s", strerror(r));
    pthread_join(thread, NULL);
    return v.result;
}

/* --- making and removing ---------------------------------------------------------------------- */

static int
bring_lo_up(struct fault *f)
{
    _cleanup_(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return fault_raise_cause(f, "lo: %s", strerror(errno));
    return 0;
}

/* In a thread of its own: unshare, then pin what this thread has under the name. */
static int
create_inside(void *arg, struct fault *f)
{
    const char *path = arg;
    char own[64];

    if (unshare(CLONE_NEWNET) < 0)
        return fault_raise_cause(f, "unshare: %s", strerror(errno));
    snprintf(own, sizeof(own), "/proc/self/task/%d/ns/net", (int)gettid());
    if (mount(own, path, "none", MS_BIND, NULL) < 0)
        return fault_raise_cause(f, "mount %s: %s", path, strerror(errno));
    return bring_lo_up(f);
}

/* As iproute2 does it: shared, so that namespaces made later are seen in every mount namespace. */
static int
prepare_dir(struct fault *f)
{
    if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
        return fault_raise_cause(f, NETNS_DIR ": %s", strerror(errno));
    if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    if (errno != EINVAL || mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
        mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
        return fault_raise_cause(f, NETNS_DIR ": %s", strerror(errno));
    return 0;
}

int
netns_create(const char *name, struct fault *f)
{
    char path[PATH_MAX];
    int fd, r;

    if (netns_exists(name))
        return 0;
    r = prepare_dir(f);
    if (r < 0)
        return r;
    make_path(path, sizeof(path), name);
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0);
    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    close(fd);
    r = netns_run(NULL, create_inside, path, f);
    if (r < 0) {
        umount2(path, MNT_DETACH);
        unlink(path);
        return r;
    }
    return 1;
}

int
netns_delete(const char *name, struct fault *f)
{
    char path[PATH_MAX];

    make_path(path, sizeof(path), name);
    if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
        return fault_raise_cause(f, "umount %s: %s", path, strerror(errno));
    if (unlink(path) < 0 && errno != ENOENT)
        return fault_raise_cause(f, "unlink %s: %s", path, strerror(errno));
    return 0;
}

char **
netns_list(struct arena *a, size_t *ret_count)
{
    DIR *dir = opendir(NETNS_DIR);
    char **names = NULL;
    size_t count = 0, capacity = 0;
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            *ARRAY_PUSH(a, names, count, capacity) = arena_strdup(a, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    *ret_count = count;
    return names;
}

/* --- settings --------------------------------------------------------------------------------- */

struct setting {
    const char *path, *value;
};

static int
set_inside(void *arg, struct fault *f)
{
    const struct setting *s = arg;
    char path[PATH_MAX], before[64] = "";
    _cleanup_(close_fd) int fd = -1;
    ssize_t size;

    snprintf(path, sizeof(path), "/proc/sys/%s", s->path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    size = read(fd, before, sizeof(before) - 1);
    before[size > 0 ? size : 0] = '\0';
    before[strcspn(before, "\n")] = '\0';
    if (strcmp(before, s->value) == 0)
        return 0;
    if (pwrite(fd, s->value, strlen(s->value), 0) < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    return 1;
}

int
netns_sysctl(const char *name, const char *path, const char *value, struct fault *f)
{
    struct setting s = { path, value };

    return netns_run(name, set_inside, &s, f);
}
