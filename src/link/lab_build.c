/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building a laboratory, in the keeper's process: a user namespace where we are root (or,
 * where root may not have one, none), two network namespaces in it, and a veth pair across.
 *
 * The namespaces are kept quiet: no IPv6, no forwarding (a new namespace inherits the host's
 * settings, and a forwarding kernel would touch what is tern's), routes and addresses only as
 * asked. The server's route names the congestion control, since the machine's default may be one
 * that a veth makes slow.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>

#include "base/assert.h"
#include "link/lab_keeper.h"
#include "link/words.h"
#include "os/netlink.h"

const struct tern_mac tern_lab_client_mac = {{0x02, 0x54, 0x45, 0x00, 0x00, 0x0a}};
const struct tern_mac tern_lab_server_mac = {{0x02, 0x54, 0x45, 0x00, 0x00, 0x0b}};

#define LOOPBACK_INDEX 1

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t bytes = strlen(text);
    bool done;

    if (fd < 0)
        return false;
    done = write(fd, text, bytes) == (ssize_t)bytes;
    (void)close(fd);
    return done;
}

/* Say why namespaces are refused, and what lifts it. */
static enum tern_err say_refused(const char *step, int error, char *words)
{
    const char *hint = "";

    if (access("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", F_OK) == 0)
        hint = "; try: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    else if (access("/proc/sys/kernel/unprivileged_userns_clone", F_OK) == 0)
        hint = "; try: sudo sysctl kernel.unprivileged_userns_clone=1";
    else if (error == ENOSPC)
        hint = "; try: sudo sysctl user.max_user_namespaces=10000";
    tern_link_say(words, "namespaces are refused here (%s: %s)%s", step, strerror(error), hint);
    return TERN_ERR_PERMISSION;
}

/* Become root of a user namespace of our own. */
static enum tern_err map_ids(uid_t uid, gid_t gid, char *words)
{
    char line[32];

    /* Without it a user may not map a group; where the file is missing it is not needed. */
    (void)write_file("/proc/self/setgroups", "deny");
    (void)snprintf(line, sizeof(line), "0 %u 1", (unsigned)uid);
    if (!write_file("/proc/self/uid_map", line))
        return say_refused("uid_map", errno, words);
    (void)snprintf(line, sizeof(line), "0 %u 1", (unsigned)gid);
    if (!write_file("/proc/self/gid_map", line))
        return say_refused("gid_map", errno, words);
    return TERN_ERR_OK;
}

static enum tern_err separate(char *words)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return map_ids(uid, gid, words);
    if (uid == 0 && unshare(CLONE_NEWNET) == 0)
        return TERN_ERR_OK;
    return say_refused("unshare", errno, words);
}

/* Settings that a new namespace takes over from the host. Where /proc/sys is read-only the
 * interfaces' own settings have to do. */
static void quieten(void)
{
    (void)write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    (void)write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    (void)write_file("/proc/sys/net/ipv4/ip_forward", "0");
}

static int open_own_namespace(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* The client's namespace is the one that we are in; make the server's, and come back. */
static enum tern_err make_rooms(struct tern_lab_rooms *rooms, char *words)
{
    quieten();
    rooms->namespace_fd[TERN_LAB_CLIENT] = open_own_namespace();
    if (unshare(CLONE_NEWNET) != 0)
        return say_refused("a second namespace", errno, words);
    quieten();
    rooms->namespace_fd[TERN_LAB_SERVER] = open_own_namespace();
    if (rooms->namespace_fd[TERN_LAB_CLIENT] < 0 || rooms->namespace_fd[TERN_LAB_SERVER] < 0)
        return say_refused("/proc/self/ns/net", errno, words);
    if (!tern_lab_enter(rooms, TERN_LAB_CLIENT))
        return say_refused("setns", errno, words);
    return TERN_ERR_OK;
}

bool tern_lab_enter(const struct tern_lab_rooms *rooms, enum tern_lab_side side)
{
    return setns(rooms->namespace_fd[side], CLONE_NEWNET) == 0;
}

static bool ethtool_off(int fd, const char *interface, uint32_t command)
{
    struct ethtool_value value = {.cmd = command, .data = 0};
    struct ifreq r = {0};

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
    r.ifr_data = (void *)&value;
    return ioctl(fd, SIOCETHTOOL, &r) == 0;
}

/* Checksum, TSO, GSO and GRO off: each frame as it would be on a plain wire. */
static int offloads_off(const char *interface)
{
    static const uint32_t off[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM,
                                   ETHTOOL_SRXCSUM};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return errno;
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        if (!ethtool_off(fd, interface, off[i]) && errno != EOPNOTSUPP)
            error = errno;
    }
    (void)close(fd);
    return error;
}

static int server_route(struct tern_netlink *nl, const struct tern_lab_options *options, int index)
{
    struct tern_route_options route = {
        .to = options->server,
        .index = index,
        .source = options->server.addr,
        .initcwnd = options->server_initcwnd,
        .congestion = options->server_congestion != NULL ? options->server_congestion : "cubic",
    };
    int error = tern_netlink_address_add(nl, index, &options->server, false);

    return error != 0 ? error : tern_netlink_route_add(nl, &route);
}

static int client_address(struct tern_netlink *nl, const struct tern_lab_options *options,
                          int index)
{
    /* All-zero as well as 0.0.0.0 is "none". */
    if (tern_addr_is_any(options->client_kernel.addr))
        return 0;
    return tern_netlink_address_add(nl, index, &options->client_kernel, true);
}

/* In the namespace of the side: bring its interfaces up. */
static int furnish(const struct tern_lab_options *options, enum tern_lab_side side)
{
    const char *name = side == TERN_LAB_CLIENT ? TERN_LAB_CLIENT_NAME : TERN_LAB_SERVER_NAME;
    struct tern_interface interface;
    struct tern_netlink *nl;
    int error = tern_netlink_open(&nl);

    if (error != 0)
        return error;
    error = tern_netlink_interface(nl, name, &interface);
    if (error == 0)
        error = tern_netlink_up(nl, LOOPBACK_INDEX);
    if (error == 0)
        (void)tern_netlink_no_autoconf(nl, interface.index);
    if (error == 0 && options->offloads_off)
        error = offloads_off(name);
    if (error == 0)
        error = tern_netlink_up(nl, interface.index);
    if (error == 0 && side == TERN_LAB_SERVER)
        error = server_route(nl, options, interface.index);
    if (error == 0 && side == TERN_LAB_CLIENT)
        error = client_address(nl, options, interface.index);
    tern_netlink_close(nl);
    return error;
}

static int make_cable(const struct tern_lab_rooms *rooms)
{
    struct tern_veth_options veth = {
        .name = TERN_LAB_CLIENT_NAME,
        .peer_name = TERN_LAB_SERVER_NAME,
        .mac = tern_lab_client_mac,
        .peer_mac = tern_lab_server_mac,
        .peer_namespace_fd = rooms->namespace_fd[TERN_LAB_SERVER],
    };
    struct tern_netlink *nl;
    int error = tern_netlink_open(&nl);

    if (error != 0)
        return error;
    error = tern_netlink_veth_create(nl, &veth);
    tern_netlink_close(nl);
    return error;
}

static enum tern_err say_step(const char *step, int error, char *words)
{
    if (error == EPERM || error == EACCES)
        return say_refused(step, error, words);
    tern_link_say(words, "cannot build the lab: %s: %s", step, strerror(error));
    return error == EOPNOTSUPP ? TERN_ERR_UNSUPPORTED : TERN_ERR_SYSTEM;
}

enum tern_err tern_lab_build(const struct tern_lab_options *options, struct tern_lab_rooms *rooms,
                             char *words)
{
    enum tern_err err = separate(words);
    int error;

    TERN_ASSERT(!tern_addr_is_any(options->server.addr));
    if (err == TERN_ERR_OK)
        err = make_rooms(rooms, words);
    if (err != TERN_ERR_OK)
        return err;
    error = make_cable(rooms);
    if (error != 0)
        return say_step("veth", error, words);
    if (!tern_lab_enter(rooms, TERN_LAB_SERVER))
        return say_step("setns", errno, words);
    error = furnish(options, TERN_LAB_SERVER);
    if (error != 0)
        return say_step("the server's side", error, words);
    if (!tern_lab_enter(rooms, TERN_LAB_CLIENT))
        return say_step("setns", errno, words);
    error = furnish(options, TERN_LAB_CLIENT);
    if (error != 0)
        return say_step("the client's side", error, words);
    return TERN_ERR_OK;
}
