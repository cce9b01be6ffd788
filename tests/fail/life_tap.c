/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life on a TAP, in a network namespace of this process's own: at the interface's other end is
 * the kernel, with a server of ours that sends everything back. The kernel answers within the call
 * that brings it a frame, so that time can be ours here too; its own timers need no turn, for tern
 * sends again first. The device is made once and stays, since the kernel takes 20 ms to unmake one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "echo.h"
#include "half.h"

#define NAME         "fail0"
#define KERNEL       ((uint32_t)10 << 24 | 2 << 8 | 2) /* 10.0.2.2 */
#define NETMASK      0xffffff00u
#define DEVICE_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

struct tap_world {
    struct half client;
    struct echo server;
    struct life_end *end;
};

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done;

    if (fd < 0)
        return false;
    done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    (void)close(fd);
    return done;
}

static bool own_network(void)
{
    char line[64];

    (void)snprintf(line, sizeof line, "0 %u 1", (unsigned)geteuid());
    if (geteuid() == 0)
        return unshare(CLONE_NEWNET) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_file("/proc/self/uid_map", line);
}

static bool make_device(void)
{
    struct ifreq r = {.ifr_flags = (short)DEVICE_FLAGS};
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    bool done;

    memcpy(r.ifr_name, NAME, sizeof NAME);
    if (fd < 0)
        return false;
    done = ioctl(fd, TUNSETIFF, &r) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0;
    (void)close(fd);
    return done;
}

static bool set_address(int fd, unsigned long what, uint32_t address)
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};
    struct ifreq r = {0};

    memcpy(r.ifr_name, NAME, sizeof NAME);
    memcpy(&r.ifr_addr, &at, sizeof at);
    return ioctl(fd, what, &r) == 0;
}

/* The kernel's end: an address, up, and silent where nobody asks. */
static bool set_up(void)
{
    struct ifreq r = {.ifr_flags = IFF_UP | IFF_RUNNING};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    memcpy(r.ifr_name, NAME, sizeof NAME);
    if (fd < 0)
        return false;
    (void)write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    done = set_address(fd, SIOCSIFADDR, KERNEL) && set_address(fd, SIOCSIFNETMASK, NETMASK) &&
           ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    (void)close(fd);
    return done;
}

const char *life_tap_prepare(void)
{
    if (!own_network())
        return "no network namespace to be had";
    if (!make_device())
        return "no TAP to be had";
    return set_up() ? NULL : "the TAP takes no address";
}

static bool live(struct tap_world *w)
{
    const struct tern_link_tap_options options = {.name = NAME, .fd = -1, .seed = 1};
    char text[TERN_LINK_ERROR_MAX] = "";
    struct tern_link *link = NULL;
    enum tern_err err = tern_link_tap_open(&options, &link, text);

    if (err != TERN_ERR_OK)
        return life_refused(w->end, "tern_link_tap_open", err, text);
    w->client.fills_up = true;
    w->client.meanwhile = echo_turn;
    w->client.user = &w->server;
    return half_open(&w->client, link, "10.0.2.15/24", w->end) && half_claimed(&w->client) &&
           half_echo(&w->client, tern_addr_v4(10, 0, 2, 2), ntohs(w->server.at.sin_port));
}

void life_tap(struct life_end *end)
{
    struct tap_world w = {.end = end};

    if (echo_open(&w.server, KERNEL, end))
        (void)live(&w);
    half_close(&w.client);
    echo_close(&w.server);
}
