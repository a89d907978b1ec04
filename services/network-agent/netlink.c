#include "netlink_internal.h"

#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "netns.h"

static _Atomic uint64_t changes;

uint64_t
netlink_changes(void)
{
    return changes;
}

void
netlink_count_change(void)
{
    changes++;
}

/* A socket belongs to the namespace of the thread that makes it, for good. */
static int
connect_inside(void *arg, struct fault *f)
{
    struct netlink *n = arg;
    int r = nl_connect(n->socket, NETLINK_ROUTE);

    return r < 0 ? fault_raise_cause(f, "netlink in %s: %s", n->netns, nl_geterror(r)) : 0;
}

int
netlink_open(struct netlink **ret, const char *netns, struct fault *f)
{
    struct netlink *n = memory_calloc(1, sizeof(*n));
    int r;

    snprintf(n->netns, sizeof(n->netns), "%s", netns != NULL ? netns : "");
    n->socket = nl_socket_alloc();
    if (n->socket == NULL)
        memory_exhausted(sizeof(*n));
    r = netns_run(netns, connect_inside, n, f);
    if (r < 0) {
        netlink_close(n);
        return r;
    }
    /* The whole table of a busy host comes in one burst. */
    nl_socket_set_buffer_size(n->socket, 1024 * 1024, 0);
    nl_socket_disable_seq_check(n->socket);
    *ret = n;
    return 0;
}

void
netlink_close(struct netlink *n)
{
    if (n == NULL)
        return;
    nl_socket_free(n->socket);
    free(n);
}

void
netlink_closep(struct netlink **n)
{
    netlink_close(*n);
}

struct nl_msg *
netlink_message(int type, int flags, const void *header, size_t size)
{
    struct nl_msg *m = nlmsg_alloc_simple(type, flags);

    if (m == NULL || nlmsg_append(m, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0)
        memory_exhausted(size);
    return m;
}

int
netlink_send(struct netlink *n, struct nl_msg *m)
{
    return nl_send_sync(n->socket, m);
}

int
netlink_change(struct netlink *n, struct nl_msg *m, struct fault *f, const char *format, ...)
{
    char what[200];
    va_list args;
    int r = netlink_send(n, m);

    if (r >= 0) {
        netlink_count_change();
        return 0;
    }
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return fault_raise_cause(f, "%s%s%s: %s", what, n->netns[0] != '\0' ? " in " : "", n->netns,
                             nl_geterror(r));
}

struct dump {
    int (*each)(struct nlmsghdr *h, void *arg);
    void *arg;
};

static int
on_valid(struct nl_msg *m, void *arg)
{
    struct dump *d = arg;

    return d->each(nlmsg_hdr(m), d->arg) < 0 ? NL_STOP : NL_OK;
}

int
netlink_dump(struct netlink *n, int type, const void *header, size_t size,
             void (*restart)(void *arg), int (*each)(struct nlmsghdr *h, void *arg), void *arg,
             struct fault *f)
{
    struct dump d = { each, arg };
    int r = 0;

    for (int attempt = 0; attempt < 5; attempt++) {
        struct nl_msg *m = netlink_message(type, NLM_F_REQUEST | NLM_F_DUMP, header, size);

        restart(arg);
        nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &d);
        r = nl_send_auto(n->socket, m);
        nlmsg_free(m);
        if (r >= 0)
            r = nl_recvmsgs_default(n->socket);
        nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
        if (r != -NLE_DUMP_INTR)
            break;
    }
    return r < 0 ? fault_raise_cause(f, "netlink dump %d: %s", type, nl_geterror(r)) : 0;
}
