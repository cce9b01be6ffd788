/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about an interface come from ioctls on the packet socket itself: they answer for the
 * network namespace that the socket was made in, which may be another than ours when it was handed
 * over, and they open no socket of another family. Only for words is rtnetlink asked.
 *
 * Refused here: loopback (its frames do not come back from AF_PACKET), interfaces that are down or
 * not Ethernet, an address that this machine's kernel holds on whatever interface (it would
 * answer for it as well), and the host's MAC while the kernel forwards (it would forward our
 * frames).
 */
#include "link/packet_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* After sys/socket.h. */
#include <net/if.h>
#include <net/if_arp.h>

#include "base/bytes.h"
#include "link/own_mac.h"
#include "link/words.h"
#include "os/netlink.h"

#define ADDRESSES_MAX 256

struct name_list {
    char text[160];
    bool found;
    const char *wanted;
};

static void add_name(void *user, const struct tern_interface *interface)
{
    struct name_list *list = user;
    size_t used = strlen(list->text);

    if (strcmp(interface->name, list->wanted) == 0)
        list->found = true;
    if (interface->loopback || used + strlen(interface->name) + 3 > sizeof(list->text))
        return;
    (void)snprintf(list->text + used, sizeof(list->text) - used, "%s%s", used == 0 ? "" : ", ",
                   interface->name);
}

static enum tern_err say_no_interface(const char *name, char *error_text)
{
    struct name_list list = {.wanted = name};
    struct tern_netlink *nl;

    if (tern_netlink_open(&nl) == 0) {
        (void)tern_netlink_interfaces(nl, add_name, &list);
        tern_netlink_close(nl);
    }
    if (list.text[0] == '\0')
        tern_link_say(error_text, "no such interface: %.15s", name);
    else
        tern_link_say(error_text, "no such interface: %.15s; there are: %s", name, list.text);
    return TERN_ERR_NO_DEVICE;
}

bool tern_packet_interface_exists(const char *name, char *error_text)
{
    struct tern_interface interface;
    struct tern_netlink *nl;
    int error;

    if (tern_netlink_open(&nl) != 0)
        return true;
    error = tern_netlink_interface(nl, name, &interface);
    tern_netlink_close(nl);
    if (error != ENODEV)
        return true;
    (void)say_no_interface(name, error_text);
    return false;
}

static struct ifreq request_for(const char *name)
{
    struct ifreq r = {0};

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    return r;
}

/* Index, flags, kind, MAC and MTU. */
static enum tern_err read_interface(const char *name, int fd, struct tern_packet_facts *facts,
                                    char *error_text)
{
    struct ifreq r = request_for(name);

    if (strlen(name) >= IFNAMSIZ || ioctl(fd, SIOCGIFINDEX, &r) != 0)
        return say_no_interface(name, error_text);
    facts->index = r.ifr_ifindex;
    if (ioctl(fd, SIOCGIFFLAGS, &r) != 0)
        return say_no_interface(name, error_text);
    if ((r.ifr_flags & IFF_LOOPBACK) != 0) {
        tern_link_say(error_text,
                      "%s is the loopback: the kernel keeps its frames to itself; use --link lab, "
                      "or --link slirp, which reaches this machine at 10.0.2.2",
                      name);
        return TERN_ERR_UNSUPPORTED;
    }
    if ((r.ifr_flags & IFF_UP) == 0) {
        tern_link_say(error_text, "%s is down; try: sudo ip link set %s up", name, name);
        return TERN_ERR_LINK;
    }
    if (ioctl(fd, SIOCGIFHWADDR, &r) != 0 || r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        tern_link_say(error_text, "%s is not an Ethernet interface", name);
        return TERN_ERR_UNSUPPORTED;
    }
    memcpy(facts->host_mac.b, r.ifr_hwaddr.sa_data, sizeof(facts->host_mac.b));
    if (ioctl(fd, SIOCGIFMTU, &r) != 0)
        return say_no_interface(name, error_text);
    facts->mtu_bytes = r.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint32_t)r.ifr_mtu;
    return TERN_ERR_OK;
}

static bool kernel_forwards(const char *interface)
{
    char path[80];
    char value = '0';
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/forwarding", interface);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, &value, 1);
    (void)close(fd);
    return n == 1 && value == '1';
}

static enum tern_err choose_mac(const struct tern_link_packet_options *options,
                                struct tern_packet_facts *facts, char *error_text)
{
    switch (options->mac_choice) {
    case TERN_MAC_HOST:
        facts->mac = facts->host_mac;
        break;
    case TERN_MAC_GIVEN:
        facts->mac = options->mac;
        break;
    case TERN_MAC_OWN:
        facts->mac = tern_link_own_mac(options->seed);
        break;
    }
    if (tern_mac_is_group(facts->mac)) {
        tern_link_say(error_text, "a group address (odd first byte) cannot be a host's MAC");
        return TERN_ERR_INVAL;
    }
    /* A socket handed over may be of another namespace, whose settings are not ours to read. */
    if (options->socket_fd < 0 && tern_mac_equal(facts->mac, facts->host_mac) &&
        kernel_forwards(options->interface)) {
        tern_link_say(error_text,
                      "%s forwards packets (ip_forward is 1): with the host's MAC the kernel would "
                      "forward ours; use --mac own, or: sudo sysctl net.ipv4.ip_forward=0",
                      options->interface);
        return TERN_ERR_UNSUPPORTED;
    }
    return TERN_ERR_OK;
}

/* Is the address one that this kernel answers for, on whatever interface? */
static enum tern_err refuse_kernel_address(const struct tern_link_packet_options *options, int fd,
                                           char *error_text)
{
    struct ifreq list[ADDRESSES_MAX];
    struct ifconf conf = {.ifc_len = (int)sizeof(list), .ifc_req = list};
    char text[TERN_ADDR_TEXT_MAX];

    if (options->allow_kernel_address || !tern_addr_is_v4(options->address))
        return TERN_ERR_OK;
    if (ioctl(fd, SIOCGIFCONF, &conf) != 0)
        return TERN_ERR_OK;
    for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof(list[0]); i++) {
        const uint8_t *raw = (const uint8_t *)list[i].ifr_addr.sa_data + 2; /* behind the port */

        if (tern_get_be32(raw) != tern_addr_to_be32(options->address))
            continue;
        tern_link_say(error_text,
                      "%s is this machine's own address (%.15s): the kernel would answer for it "
                      "too; take one that nobody has",
                      tern_addr_text(options->address, text), list[i].ifr_name);
        return TERN_ERR_ADDRESS_IN_USE;
    }
    return TERN_ERR_OK;
}

enum tern_err tern_packet_facts_read(const struct tern_link_packet_options *options, int fd,
                                     struct tern_packet_facts *out, char *error_text)
{
    enum tern_err err = read_interface(options->interface, fd, out, error_text);

    if (err == TERN_ERR_OK)
        err = choose_mac(options, out, error_text);
    if (err == TERN_ERR_OK)
        err = refuse_kernel_address(options, fd, error_text);
    return err;
}
