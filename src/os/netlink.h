/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_NETLINK_H
#define TERN_OS_NETLINK_H
/*
 * The kernel's interfaces, addresses and routes, by rtnetlink (libmnl), in the network namespace
 * that the caller is in when it opens. Calls block until the kernel has answered, which it does at
 * once; they are for setting up. All return 0 or an errno.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/addr.h>

struct tern_netlink;

int tern_netlink_open(struct tern_netlink **out);
void tern_netlink_close(struct tern_netlink *nl);

#define TERN_INTERFACE_NAME_MAX 16

struct tern_interface {
    char name[TERN_INTERFACE_NAME_MAX];
    int index;
    uint32_t mtu_bytes;
    struct tern_mac mac;
    bool up, running, loopback;
};

/* Tell of every interface, in the kernel's order. */
typedef void tern_interface_fn(void *user, const struct tern_interface *interface);
int tern_netlink_interfaces(struct tern_netlink *nl, tern_interface_fn *tell, void *user);
/* One interface by name; ENODEV: there is none. */
int tern_netlink_interface(struct tern_netlink *nl, const char *name, struct tern_interface *out);

struct tern_veth_options {
    const char *name, *peer_name;
    struct tern_mac mac, peer_mac;
    int peer_namespace_fd; /* where the other end goes */
};
int tern_netlink_veth_create(struct tern_netlink *nl, const struct tern_veth_options *options);

int tern_netlink_up(struct tern_netlink *nl, int index);
/* No IPv6 address by itself (and so no router solicitations); EAFNOSUPPORT without IPv6. */
int tern_netlink_no_autoconf(struct tern_netlink *nl, int index);
/* prefix_route: let the kernel add the route of the address's network. */
int tern_netlink_address_add(struct tern_netlink *nl, int index, const struct tern_cidr *address,
                             bool prefix_route);

struct tern_route_options {
    struct tern_cidr to; /* host bits are cleared */
    int index;           /* directly reachable there */
    struct tern_addr source;
    uint32_t initcwnd;      /* segments; 0: the kernel's own */
    const char *congestion; /* NULL: the kernel's own */
};
int tern_netlink_route_add(struct tern_netlink *nl, const struct tern_route_options *options);

#endif
