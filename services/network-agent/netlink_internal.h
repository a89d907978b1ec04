/* What the files of netlink.h share, and nobody else. */
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "netlink.h"

struct netlink {
    struct nl_sock *socket;
    char netns[96]; /* "" : the agent's own; for messages */
};

/* A message with its fixed header; never NULL. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size);
/* Sends, frees the message, waits for the acknowledgement. Returns 0 or libnl's negative code ('f'
 * untouched). */
int netlink_send(struct netlink *n, struct nl_msg *m);
/* The same for a change: counted when it succeeds, otherwise a fault that says what was tried. */
int netlink_change(struct netlink *n, struct nl_msg *m, struct fault *f, const char *format, ...)
    _printf_(4, 5);
/* Sends a dump request, frees it, and calls 'each' for every message. 'restart' is called first,
 * again each time the kernel says that the dump was torn. */
int netlink_dump(struct netlink *n, int type, const void *header, size_t size,
                 void (*restart)(void *arg), int (*each)(struct nlmsghdr *h, void *arg), void *arg,
                 struct fault *f);
