/* DHCP and metadata of one network: a namespace, a veth, dnsmasq. See bridge.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "bridge.h"
#include "dhcp_text.h"
#include "metadata_server.h"
#include "names.h"
#include "netns.h"

#define STOP_GRACE_MS 2000

/* A server that runs; 'start_time' tells it from a stranger with its number. */
struct dhcp_process {
    pid_t pid;
    uint64_t start_time;
};

/* --- files ------------------------------------------------------------------------------------ */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static char *
read_file(struct arena *a, const char *path)
{
    _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *text;
    size_t size = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > 64 * 1024 * 1024)
        return NULL;
    text = arena_alloc(a, (size_t)st.st_size + 1);
    while (size < (size_t)st.st_size) {
        ssize_t r = read(fd, text + size, (size_t)st.st_size - size);

        if (r <= 0)
            break;
        size += (size_t)r;
    }
    return text;
}

static int
write_all(int fd, const char *text)
{
    size_t size = strlen(text);

    while (size > 0) {
        ssize_t r = write(fd, text, size);

        if (r < 0)
            return -errno;
        text += r;
        size -= (size_t)r;
    }
    return 0;
}

/* Whole or not at all. 1: it was another before. */
static int
write_file(struct arena *a, const char *path, const char *text, struct fault *f)
{
    const char *before = read_file(a, path), *next = arena_printf(a, "%s.new", path);
    _cleanup_(close_fd) int fd = -1;

    if (before != NULL && strcmp(before, text) == 0)
        return 0;
    fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0 || write_all(fd, text) < 0 || rename(next, path) < 0)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    netlink_count_change();
    return 1;
}

static char *
make_dir(struct arena *a, const struct driver_state *s, const char *network_id, struct fault *f)
{
    char *parent = arena_printf(a, "%s/dhcp", s->options.state_dir);
    char *dir = arena_printf(a, "%s/%s", parent, network_id);

    /* dnsmasq reads its files as another user, whatever umask we have. */
    if ((mkdir(parent, 0755) < 0 && errno != EEXIST) || chmod(parent, 0755) < 0 ||
        (mkdir(dir, 0755) < 0 && errno != EEXIST) || chmod(dir, 0755) < 0) {
        fault_raise_cause(f, "%s: %s", dir, strerror(errno));
        return NULL;
    }
    return dir;
}

/* --- the process ------------------------------------------------------------------------------ */

/* One that has ended but was not collected yet, by us or by whoever inherited it, is dead too: a
 * pidfd says so. */
static bool
is_alive(const struct dhcp_process *p)
{
    _cleanup_(close_fd) int fd = p != NULL ? pidfd_open(p->pid, 0) : -1;
    struct pollfd ended = { .fd = fd, .events = POLLIN };

    if (fd < 0 || process_start_time(p->pid) != p->start_time)
        return false;
    if (poll(&ended, 1, 0) == 0)
        return true;
    waitpid(p->pid, NULL, WNOHANG);
    return false;
}

static struct dhcp_process *
remember(struct driver_state *s, const char *network_id, pid_t pid, uint64_t start_time)
{
    struct dhcp_process *p = memory_calloc(1, sizeof(*p));

    *p = (struct dhcp_process){ pid, start_time };
    map_set(s->processes, network_id, p);
    return p;
}

/* The one we know, or the one an agent before us left, as its file says. */
static struct dhcp_process *
find_process(struct driver_state *s, struct arena *a, const char *network_id, const char *dir)
{
    struct dhcp_process *p = map_get(s->processes, network_id);
    const char *text;
    char **words;
    size_t count;
    int64_t pid, start_time;

    if (p != NULL)
        return p;
    text = read_file(a, arena_printf(a, "%s/pid", dir));
    if (text == NULL)
        return NULL;
    words = str_split(a, text, ' ', &count);
    if (count != 2 || str_to_int64(words[0], 2, INT_MAX, &pid) < 0 ||
        str_to_int64(words[1], 1, INT64_MAX, &start_time) < 0)
        return NULL;
    return remember(s, network_id, (pid_t)pid, (uint64_t)start_time);
}

static void
stop(struct driver_state *s, const char *network_id, const struct dhcp_process *p)
{
    if (is_alive(p)) {
        process_stop(p->pid, p->start_time, STOP_GRACE_MS);
        netlink_count_change();
    }
    map_remove(s->processes, network_id);
}

static int
start(struct driver_state *s, struct arena *a, const struct wanted_network *n,
      const char **arguments, const char *dir, struct fault *f)
{
    const char **argv = NULL;
    size_t count = 0, capacity = 0;
    pid_t pid;
    uint64_t start_time;
    int r;

    *ARRAY_PUSH(a, argv, count, capacity) = "dnsmasq";
    for (size_t i = 0; arguments[i] != NULL; i++)
        *ARRAY_PUSH(a, argv, count, capacity) = arguments[i];
    *ARRAY_PUSH(a, argv, count, capacity) = NULL;
    r = process_start(argv, name_dhcp_netns(a, n->id), arena_printf(a, "%s/log", dir), &pid, f);
    if (r < 0)
        return r;
    start_time = process_start_time(pid);
    remember(s, n->id, pid, start_time);
    netlink_count_change();
    return write_file(a, arena_printf(a, "%s/pid", dir),
                      arena_printf(a, "%d %llu", (int)pid, (unsigned long long)start_time), f);
}

static int
serve(struct driver_state *s, struct arena *a, const struct wanted *w,
      const struct wanted_network *n, const char *device, struct fault *f)
{
    _cleanup_(str_done) struct str hosts = { 0 }, options = { 0 }, joined = { 0 };
    const char *dir = make_dir(a, s, n->id, f), **arguments;
    struct dhcp_process *p;
    int hosts_changed, options_changed, arguments_changed;

    if (dir == NULL)
        return -1;
    dhcp_text_hosts(w, n, &hosts);
    dhcp_text_options(w, n, &options);
    arguments = dhcp_text_arguments(a, w, n, device, dir, s->options.dhcp_user);
    for (size_t i = 0; arguments[i] != NULL; i++)
        str_addf(&joined, "%s\n", arguments[i]);
    hosts_changed = write_file(a, arena_printf(a, "%s/hosts", dir), str_text(&hosts), f);
    if (hosts_changed < 0)
        return hosts_changed;
    options_changed = write_file(a, arena_printf(a, "%s/opts", dir), str_text(&options), f);
    if (options_changed < 0)
        return options_changed;
    arguments_changed = write_file(a, arena_printf(a, "%s/arguments", dir), str_text(&joined), f);
    if (arguments_changed < 0)
        return arguments_changed;

    p = find_process(s, a, n->id, dir);
    if (is_alive(p) && arguments_changed == 0) {
        if ((hosts_changed || options_changed) && kill(p->pid, SIGHUP) < 0)
            return fault_raise_cause(f, "dnsmasq of %s: %s", n->id, strerror(errno));
        return 0;
    }
    stop(s, n->id, p);
    return start(s, a, n, arguments, dir, f);
}

/* --- the network's namespace ------------------------------------------------------------------ */

/* Its own address in each subnet, and the one all guests know for metadata. */
static size_t
collect_addresses(struct arena *a, const struct wanted_network *n, struct address **ret)
{
    size_t count = 0, capacity = 0;

    *ret = NULL;
    for (size_t i = 0; i < n->subnets_count; i++) {
        const struct address *own = dhcp_text_address(n, &n->subnets[i]);
        struct address *x;

        if (own == NULL)
            continue;
        x = ARRAY_PUSH(a, *ret, count, capacity);
        *x = *own;
        x->prefix = n->subnets[i].cidr.prefix;
    }
    address_parse(METADATA_ADDRESS, ARRAY_PUSH(a, *ret, count, capacity));
    return count;
}

static int
set(const char *netns, const char *path, const char *value, struct fault *f)
{
    int r = netns_sysctl(netns, path, value, f);

    if (r > 0)
        netlink_count_change();
    return r;
}

int
bridge_dhcp_apply(struct driver_state *s, const struct wanted *w, const struct wanted_network *n,
                  struct fault *f)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    _cleanup_(netlink_closep) struct netlink *inside = NULL;
    const char *netns = name_dhcp_netns(a, n->id),
               *device = name_device(a, NAME_DHCP, n->dhcp->port_id);
    struct address *addresses;
    size_t count = collect_addresses(a, n, &addresses);
    int r = netns_create(netns, f);

    if (r > 0)
        netlink_count_change();
    if (r >= 0)
        r = set(netns, "net/ipv4/ip_forward", "0", f);
    if (r >= 0)
        r = set(netns, "net/ipv6/conf/default/accept_ra", "0", f);
    if (r >= 0)
        r = netlink_open(&inside, netns, f);
    if (r >= 0)
        r = bridge_veth_apply(s, n, n->dhcp->port_id, netns, inside, device, &n->dhcp->mac,
                              addresses, count, true, NULL, f);
    if (r >= 0)
        r = serve(s, a, w, n, device, f);
    if (r >= 0 && s->options.metadata != NULL)
        r = metadata_server_listen(s->options.metadata, netns, f);
    return r;
}

void
bridge_dhcp_remove(struct driver_state *s, const char *network_id)
{
    static const char *const files[] = { "hosts", "opts", "leases", "arguments", "pid", "log" };
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const char *dir = arena_printf(a, "%s/dhcp/%s", s->options.state_dir, network_id);

    stop(s, network_id, find_process(s, a, network_id, dir));
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        unlink(arena_printf(a, "%s/%s", dir, files[i]));
    rmdir(dir);
}

bool
bridge_dhcp_check(struct driver_state *s)
{
    struct map_at at = { 0 };

    while (map_next(s->processes, &at))
        if (!is_alive(at.value)) {
            log_warn("dnsmasq.ended network=%s", at.key);
            return true;
        }
    return false;
}

void
bridge_dhcp_done(struct driver_state *s)
{
    map_free(s->processes);
}
