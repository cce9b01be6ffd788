/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thin layer over libmnl: each function builds one request of rtnetlink(7), sends it, and
 * reads answers until the acknowledgment (or the end of a dump). No other program is run.
 */
#include "os/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "base/assert.h"
#include "base/bytes.h"

#define REQUEST_BYTES 4096
#define ANSWER_BYTES  32768

struct tern_netlink {
    struct mnl_socket *socket;
    uint32_t sequence;
    union {
        struct nlmsghdr header; /* for its alignment */
        uint8_t bytes[REQUEST_BYTES];
    } request;
    union {
        struct nlmsghdr header;
        uint8_t bytes[ANSWER_BYTES];
    } answer;
};

int tern_netlink_open(struct tern_netlink **out)
{
    struct tern_netlink *nl = calloc(1, sizeof(*nl));
    int error;

    if (nl == NULL)
        return ENOMEM;
    nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (nl->socket != NULL && mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) == 0) {
        *out = nl;
        return 0;
    }
    error = errno;
    tern_netlink_close(nl);
    return error;
}

void tern_netlink_close(struct tern_netlink *nl)
{
    if (nl == NULL)
        return;
    if (nl->socket != NULL)
        (void)mnl_socket_close(nl->socket);
    free(nl);
}

static struct nlmsghdr *begin(struct tern_netlink *nl, uint16_t type, unsigned flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(nl->request.bytes);

    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    h->nlmsg_seq = ++nl->sequence;
    return h;
}

/* Send a request and read until it is acknowledged; 0 or errno. */
static int ask(struct tern_netlink *nl, const struct nlmsghdr *h, mnl_cb_t answer, void *user)
{
    unsigned port = mnl_socket_get_portid(nl->socket);
    int more = MNL_CB_OK;

    TERN_ASSERT(h->nlmsg_len <= REQUEST_BYTES);
    if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
        return errno;
    while (more == MNL_CB_OK) {
        ssize_t n = mnl_socket_recvfrom(nl->socket, nl->answer.bytes, sizeof(nl->answer.bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        more = mnl_cb_run(nl->answer.bytes, (size_t)n, h->nlmsg_seq, port, answer, user);
    }
    return more < 0 ? errno : 0;
}

static int change(struct tern_netlink *nl, const struct nlmsghdr *h)
{
    return ask(nl, h, NULL, NULL);
}

struct interface_walk {
    tern_interface_fn *tell;
    void *user;
};

static int read_interface_attribute(const struct nlattr *a, void *user)
{
    struct tern_interface *out = user;
    size_t bytes = mnl_attr_get_payload_len(a);

    switch (mnl_attr_get_type(a)) {
    case IFLA_IFNAME:
        if (bytes > 0 && bytes <= sizeof(out->name))
            memcpy(out->name, mnl_attr_get_payload(a), bytes);
        out->name[sizeof(out->name) - 1] = '\0';
        break;
    case IFLA_MTU:
        if (bytes == sizeof(uint32_t))
            out->mtu_bytes = mnl_attr_get_u32(a);
        break;
    case IFLA_ADDRESS:
        if (bytes == sizeof(out->mac.b))
            memcpy(out->mac.b, mnl_attr_get_payload(a), sizeof(out->mac.b));
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static int on_interface(const struct nlmsghdr *h, void *user)
{
    const struct interface_walk *walk = user;
    const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
    struct tern_interface interface = {0};

    if (h->nlmsg_type != RTM_NEWLINK)
        return MNL_CB_OK;
    interface.index = m->ifi_index;
    interface.up = (m->ifi_flags & IFF_UP) != 0;
    interface.running = (m->ifi_flags & IFF_RUNNING) != 0;
    interface.loopback = (m->ifi_flags & IFF_LOOPBACK) != 0;
    (void)mnl_attr_parse(h, sizeof(*m), read_interface_attribute, &interface);
    walk->tell(walk->user, &interface);
    return MNL_CB_OK;
}

int tern_netlink_interfaces(struct tern_netlink *nl, tern_interface_fn *tell, void *user)
{
    struct interface_walk walk = {.tell = tell, .user = user};
    struct nlmsghdr *h = begin(nl, RTM_GETLINK, NLM_F_DUMP);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ifi_family = AF_UNSPEC;
    return ask(nl, h, on_interface, &walk);
}

struct interface_search {
    const char *name;
    struct tern_interface *out;
    bool found;
};

static void match_interface(void *user, const struct tern_interface *interface)
{
    struct interface_search *search = user;

    if (strcmp(interface->name, search->name) != 0)
        return;
    *search->out = *interface;
    search->found = true;
}

int tern_netlink_interface(struct tern_netlink *nl, const char *name, struct tern_interface *out)
{
    struct interface_search search = {.name = name, .out = out};
    int error = tern_netlink_interfaces(nl, match_interface, &search);

    if (error != 0)
        return error;
    return search.found ? 0 : ENODEV;
}

static void put_veth_end(struct nlmsghdr *h, const char *name, const struct tern_mac *mac)
{
    mnl_attr_put_strz(h, IFLA_IFNAME, name);
    mnl_attr_put(h, IFLA_ADDRESS, sizeof(mac->b), mac->b);
}

int tern_netlink_veth_create(struct tern_netlink *nl, const struct tern_veth_options *options)
{
    struct nlmsghdr *h = begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
    struct nlattr *info, *data, *peer;

    (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    put_veth_end(h, options->name, &options->mac);
    info = mnl_attr_nest_start(h, IFLA_LINKINFO);
    mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
    (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    put_veth_end(h, options->peer_name, &options->peer_mac);
    mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)options->peer_namespace_fd);
    mnl_attr_nest_end(h, peer);
    mnl_attr_nest_end(h, data);
    mnl_attr_nest_end(h, info);
    return change(nl, h);
}

int tern_netlink_up(struct tern_netlink *nl, int index)
{
    struct nlmsghdr *h = begin(nl, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

    m->ifi_index = index;
    m->ifi_flags = IFF_UP;
    m->ifi_change = IFF_UP;
    return change(nl, h);
}

int tern_netlink_no_autoconf(struct tern_netlink *nl, int index)
{
    struct nlmsghdr *h = begin(nl, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    struct nlattr *families, *inet6;

    m->ifi_index = index;
    families = mnl_attr_nest_start(h, IFLA_AF_SPEC);
    inet6 = mnl_attr_nest_start(h, AF_INET6);
    mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(h, inet6);
    mnl_attr_nest_end(h, families);
    return change(nl, h);
}

/* An address in its own family's bytes. */
static void put_address(struct nlmsghdr *h, uint16_t type, struct tern_addr address)
{
    uint8_t v4[4];

    if (!tern_addr_is_v4(address)) {
        mnl_attr_put(h, type, sizeof(address.b), address.b);
        return;
    }
    tern_put_be32(v4, tern_addr_to_be32(address));
    mnl_attr_put(h, type, sizeof(v4), v4);
}

static uint8_t family_of(struct tern_addr address)
{
    return tern_addr_is_v4(address) ? AF_INET : AF_INET6;
}

int tern_netlink_address_add(struct tern_netlink *nl, int index, const struct tern_cidr *address,
                             bool prefix_route)
{
    struct nlmsghdr *h = begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
    struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    uint32_t flags = prefix_route ? 0 : IFA_F_NOPREFIXROUTE;

    m->ifa_family = family_of(address->addr);
    m->ifa_prefixlen = address->prefix_bits;
    m->ifa_scope = RT_SCOPE_UNIVERSE;
    m->ifa_index = (uint32_t)index;
    put_address(h, IFA_LOCAL, address->addr);
    put_address(h, IFA_ADDRESS, address->addr);
    mnl_attr_put_u32(h, IFA_FLAGS, flags);
    return change(nl, h);
}

/* The address with its host bits cleared. */
static struct tern_addr network_of(const struct tern_cidr *cidr)
{
    unsigned bits = cidr->prefix_bits + (tern_addr_is_v4(cidr->addr) ? 96u : 0u);
    struct tern_addr network = cidr->addr;

    for (unsigned i = 0; i < sizeof(network.b); i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

        if (keep < 8)
            network.b[i] &= (uint8_t)(0xff00u >> keep);
    }
    return network;
}

int tern_netlink_route_add(struct tern_netlink *nl, const struct tern_route_options *options)
{
    struct nlmsghdr *h = begin(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    struct nlattr *metrics;

    m->rtm_family = family_of(options->to.addr);
    m->rtm_dst_len = options->to.prefix_bits;
    m->rtm_table = RT_TABLE_MAIN;
    m->rtm_protocol = RTPROT_STATIC;
    m->rtm_scope = RT_SCOPE_LINK;
    m->rtm_type = RTN_UNICAST;
    put_address(h, RTA_DST, network_of(&options->to));
    put_address(h, RTA_PREFSRC, options->source);
    mnl_attr_put_u32(h, RTA_OIF, (uint32_t)options->index);
    metrics = mnl_attr_nest_start(h, RTA_METRICS);
    if (options->initcwnd != 0)
        mnl_attr_put_u32(h, RTAX_INITCWND, options->initcwnd);
    if (options->congestion != NULL)
        mnl_attr_put_strz(h, RTAX_CC_ALGO, options->congestion);
    mnl_attr_nest_end(h, metrics);
    return change(nl, h);
}
