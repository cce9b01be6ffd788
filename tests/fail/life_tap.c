/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life on a TAP, in a network namespace of this process's own: at the interface's other end is
 * the kernel, with a server of ours that sends everything back. The kernel answers within the call
 * that brings it a frame, so that time can be ours here too; its own timers need no turn, for tern
 * sends again first. For that the interface must have no queueing discipline, which on a busy
 * machine leaves frames to be sent later, and the kernel's own thread must have heard that it is
 * up. The device is made once and stays, since the kernel takes
 * 20 ms to unmake one. With several queues there is a stack on each of two, with one address.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "echo.h"
#include "faults.h"
#include "half.h"

#define NAME         "fail0"
#define KERNEL       ((uint32_t)10 << 24 | 2 << 8 | 2) /* 10.0.2.2 */
#define NETMASK      0xffffff00u
#define LOOKS_MAX    10000000
#define DEVICE_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

#define QUEUES 2

struct tap_world {
    struct half client;
    struct half second; /* of the same address */
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

static bool make_device(int more_flags)
{
    struct ifreq r = {.ifr_flags = (short)(DEVICE_FLAGS | more_flags)};
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

/* `tc qdisc replace dev NAME root noqueue` */
static bool drop_queue(void)
{
    _Alignas(struct nlmsghdr) char bytes[256];
    struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
    struct tcmsg *message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    bool done;

    header->nlmsg_type = RTM_NEWQDISC;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    message->tcm_ifindex = (int)if_nametoindex(NAME);
    message->tcm_parent = TC_H_ROOT;
    mnl_attr_put_strz(header, TCA_KIND, "noqueue");
    done = s != NULL && mnl_socket_sendto(s, header, header->nlmsg_len) > 0;
    if (done) {
        const ssize_t n = mnl_socket_recvfrom(s, bytes, sizeof bytes);

        done = n > 0 && mnl_cb_run(bytes, (size_t)n, 0, 0, NULL, NULL) >= 0;
    }
    if (s != NULL)
        (void)mnl_socket_close(s);
    return done;
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
           ioctl(fd, SIOCSIFFLAGS, &r) == 0 && drop_queue();
    (void)close(fd);
    return done;
}

static const char *prepare(int more_flags)
{
    if (!own_network())
        return "no network namespace to be had";
    if (!make_device(more_flags))
        return "no TAP to be had";
    return set_up() ? NULL : "the TAP cannot be set up";
}

const char *life_tap_prepare(void)
{
    return prepare(0);
}

const char *life_tap_queues_prepare(void)
{
    return prepare(IFF_MULTI_QUEUE);
}

/* Attached to, the interface is up once a thread of the kernel's says so; until then what the
 * kernel sends is lost. Setting its flags anew waits for what that thread still holds. */
static bool is_up(void)
{
    struct ifreq r = {0};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = false;

    memcpy(r.ifr_name, NAME, sizeof NAME);
    for (int looks = 0; fd >= 0 && !up && looks < LOOKS_MAX; looks++) {
        up = ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_RUNNING) != 0;
        (void)sched_yield();
    }
    up = up && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    (void)close(fd);
    return up;
}

static bool wait_until_up(struct life_end *end)
{
    bool up;

    faults_pause(true);
    up = is_up();
    faults_pause(false);
    return up || life_fail(end, "the interface", ENETDOWN);
}

/* The kernel sends a datagram to the stack's address. */
static bool kernel_speaks(void)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a00020f)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool sent = sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) == 1;

    (void)close(fd);
    return sent;
}

/* No frame more than was asked for: none, where none was, though one waits in what was empty. */
static bool takes_no_more(struct tap_world *w, struct tern_link *link)
{
    struct tern_frame frame[2];
    bool spoken;
    int n;

    do
        n = link->ops->receive(link, 0, frame, 1);
    while (n > 0);
    faults_pause(true);
    spoken = n == 0 && kernel_speaks();
    faults_pause(false);
    if (spoken && link->ops->receive(link, 0, frame, 0) != 0)
        return life_fail(w->end, "receive() of no frame", EINVAL);
    return true;
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
    return half_open(&w->client, link, "10.0.2.15/24", w->end) && wait_until_up(w->end) &&
           half_claimed(&w->client) &&
           half_echo(&w->client, tern_addr_v4(10, 0, 2, 2), ntohs(w->server.at.sin_port)) &&
           takes_no_more(w, link);
}

void life_tap(struct life_end *end)
{
    struct tap_world w = {.end = end};

    if (echo_open(&w.server, KERNEL, end))
        (void)live(&w);
    half_close(&w.client);
    echo_close(&w.server);
}

static bool meanwhile_of_client(void *user)
{
    struct tap_world *w = user;

    return half_turn(&w->second) && echo_turn(&w->server);
}

static bool meanwhile_of_second(void *user)
{
    struct tap_world *w = user;

    return half_turn(&w->client) && echo_turn(&w->server);
}

static void prepare_half(struct half *h, struct tap_world *w, half_meanwhile_fn *meanwhile)
{
    h->fills_up = true;
    h->meanwhile = meanwhile;
    h->user = w;
}

/* Each has its turn with the server. */
static bool echo_both(struct tap_world *w)
{
    const struct tern_addr kernel = tern_addr_v4(10, 0, 2, 2);
    const uint16_t port = ntohs(w->server.at.sin_port);
    bool done = half_echo(&w->client, kernel, port);

    echo_next(&w->server);
    return done && half_echo(&w->second, kernel, port);
}

static bool live_on_both(struct tap_world *w, struct tern_link *link[QUEUES])
{
    prepare_half(&w->client, w, meanwhile_of_client);
    prepare_half(&w->second, w, meanwhile_of_second);
    link[1]->info.private_network = true; /* the first has looked for others by then */
    w->second.link = link[1];
    return half_open(&w->client, link[0], "10.0.2.15/24", w->end) && wait_until_up(w->end) &&
           half_claimed(&w->client) && half_open(&w->second, link[1], "10.0.2.15/24", w->end) &&
           echo_both(w);
}

void life_tap_queues(struct life_end *end)
{
    const struct tern_link_tap_options options = {.name = NAME, .fd = -1, .seed = 1};
    struct tap_world w = {.end = end};
    struct tern_link *link[QUEUES] = {NULL, NULL};
    char text[TERN_LINK_ERROR_MAX] = "";

    if (echo_open(&w.server, KERNEL, end)) {
        const enum tern_err err = tern_link_tap_open_queues(&options, QUEUES, link, text);

        if (err == TERN_ERR_OK)
            (void)live_on_both(&w, link);
        else
            (void)life_refused(end, "tern_link_tap_open_queues", err, text);
    }
    half_close(&w.client);
    half_close(&w.second);
    echo_close(&w.server);
}
