#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "netns.h"

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int
device_create_tap(const char *name, struct fault *f)
{
    _cleanup_(close_fd) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
        return fault_raise_cause(f, "tap %s: %s", name, strerror(errno));
    netlink_count_change();
    return 0;
}

struct announcement {
    const char *device;
    const struct address *ips;
    size_t count;
};

static int
announce_inside(void *arg, struct fault *f)
{
    const struct announcement *x = arg;
    _cleanup_(close_fd) int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
    struct sockaddr_ll to = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ARP),
                              .sll_halen = ETH_ALEN,
                              .sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    struct ifreq request = { 0 };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", x->device);
    to.sll_ifindex = (int)if_nametoindex(x->device);
    if (fd < 0 || to.sll_ifindex == 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        return fault_raise_cause(f, "announce on %s: %s", x->device, strerror(errno));
    for (size_t i = 0; i < x->count; i++) {
        struct ether_arp arp = { .ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
                                             .ar_pro = htons(ETHERTYPE_IP),
                                             .ar_hln = ETH_ALEN,
                                             .ar_pln = 4,
                                             .ar_op = htons(ARPOP_REQUEST) } };

        if (x->ips[i].family != AF_INET)
            continue;
        memcpy(arp.arp_sha, request.ifr_hwaddr.sa_data, ETH_ALEN);
        memcpy(arp.arp_spa, x->ips[i].bytes, 4);
        memcpy(arp.arp_tpa, x->ips[i].bytes, 4);
        if (sendto(fd, &arp, sizeof(arp), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
            return fault_raise_cause(f, "announce on %s: %s", x->device, strerror(errno));
    }
    return 0;
}

int
device_announce(const char *netns, const char *device, const struct address *ips, size_t count,
                struct fault *f)
{
    struct announcement x = { device, ips, count };

    return netns_run(netns, announce_inside, &x, f);
}
