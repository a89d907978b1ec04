#include "exchange.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/memory.h"

enum { BACKLOG = 1024 };

/* A socket file that nobody answers at is left over from a process that was killed. */
static bool
is_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale;

    if (fd < 0)
        return false;
    stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
            errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static int
listen_unix(const char *path, char **ret_unix_path, struct fault *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path))
        return fault_raise(f, FAULT_INVALID,
                           "unix:%s is not an absolute path of at most %zu bytes.", path,
                           sizeof(address.sun_path) - 1);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (is_stale(&address))
        unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fault_raise_cause(f, "socket: %s", strerror(errno));
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0660) < 0 ||
        listen(fd, BACKLOG) < 0) {
        fault_raise(f, FAULT_UNAVAILABLE, "Cannot listen on unix:%s: %s.", path, strerror(errno));
        close(fd);
        return -1;
    }
    *ret_unix_path = memory_strdup(path);
    return fd;
}

static int
listen_inet(const struct addrinfo *at, int *ret_port)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t size = sizeof(bound);
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0,
        error;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)); /* [::] is both. */
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) < 0) {
        error = errno;
        close(fd);
        return -error;
    }
    if (bound.ss_family == AF_INET6)
        *ret_port = ntohs(((struct sockaddr_in6 *)(void *)&bound)->sin6_port);
    else
        *ret_port = ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port);
    return fd;
}

int
listen_open(const char *address, char **ret_unix_path, int *ret_port, struct fault *f)
{
    static const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                                           .ai_socktype = SOCK_STREAM };
    const char *colon = strrchr(address, ':');
    struct addrinfo *found = NULL;
    char host[64];
    size_t size;
    int fd;

    if (str_starts(address, "unix:"))
        return listen_unix(address + 5, ret_unix_path, f);
    size = colon != NULL ? (size_t)(colon - address) : 0;
    if (size == 0 || size >= sizeof(host))
        return fault_raise(
            f, FAULT_INVALID,
            "\"%s\" is not an address to listen on (\"127.0.0.1:5000\", \"[::]:5000\", "
            "\"unix:/path\").",
            address);
    memcpy(host, address, size);
    host[size] = '\0';
    if (host[0] == '[' && host[size - 1] == ']') {
        memmove(host, host + 1, size - 2);
        host[size - 2] = '\0';
    }
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return fault_raise(f, FAULT_INVALID,
                           "\"%s\" is not an address to listen on: the host must be numeric.",
                           address);
    fd = listen_inet(found, ret_port);
    freeaddrinfo(found);
    if (fd < 0)
        return fault_raise(f, FAULT_UNAVAILABLE, "Cannot listen on %s: %s.", address,
                           strerror(-fd));
    return fd;
}
