/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface that goes down or away shows as ENETDOWN on its packet sockets; what it is of the
 * two its index tells. One that is down may come up again, and then the kernel goes on filling the
 * rings by itself: to TCP that is a network that lost some frames. So it is given DOWN_MAX_NS,
 * after which the link is gone as if the device had been pulled out: nobody waits for ever
 * for an interface that was taken down on purpose.
 *
 * A cable that is pulled shows nowhere here; the interface is up, and TCP's own patience decides.
 *
 * The MTU is asked for each MTU_NS, and at once when a frame was refused: it may have been too
 * long.
 */
#include "link/packet_alive.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* After sys/socket.h. */
#include <net/if.h>

#include "base/assert.h"

#define LOOK_NS      (5 * TERN_MS)
#define MTU_NS       (500 * TERN_MS)
#define DOWN_LOOK_NS (20 * TERN_MS)
#define DOWN_MAX_NS  (10 * TERN_SECOND)

void tern_packet_alive_init(struct tern_packet_alive *a, int index)
{
    *a = (struct tern_packet_alive){.index = index, .down_since = TERN_TIME_NEVER};
}

void tern_packet_alive_suspect(struct tern_packet_alive *a)
{
    a->suspect = true;
}

/* Reading an error clears it, or poll() would return at once for ever. */
static bool has_error(int fd)
{
    int error = 0;
    socklen_t bytes = sizeof(error);

    return fd >= 0 && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0 || error != 0);
}

/* Ask the kernel about the interface. */
static int ask(struct tern_packet_alive *a, int fd, tern_time now, uint32_t *mtu_bytes)
{
    struct ifreq r = {.ifr_ifindex = a->index};

    a->asked_at = now;
    a->suspect = false;
    if (ioctl(fd, SIOCGIFNAME, &r) != 0 || ioctl(fd, SIOCGIFFLAGS, &r) != 0)
        return TERN_ERR_LINK;
    if ((r.ifr_flags & IFF_UP) == 0) {
        if (a->down_since == TERN_TIME_NEVER)
            a->down_since = now;
        return now - a->down_since < DOWN_MAX_NS ? 0 : TERN_ERR_LINK;
    }
    a->down_since = TERN_TIME_NEVER;
    if (ioctl(fd, SIOCGIFMTU, &r) != 0)
        return TERN_ERR_LINK;
    *mtu_bytes = r.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint32_t)r.ifr_mtu;
    return 0;
}

int tern_packet_alive_look(struct tern_packet_alive *a, const int fds[TERN_PACKET_SOCKETS],
                           tern_time now, uint32_t *mtu_bytes)
{
    const tern_time every = a->down_since == TERN_TIME_NEVER ? LOOK_NS : DOWN_LOOK_NS;
    bool error = false;

    TERN_ASSERT(fds[0] >= 0);
    if (a->gone)
        return TERN_ERR_LINK;
    if (now - a->looked_at < every && !a->suspect)
        return 0;
    a->looked_at = now;
    for (int i = 0; i < TERN_PACKET_SOCKETS; i++)
        error = has_error(fds[i]) || error;
    if (!error && !a->suspect && a->down_since == TERN_TIME_NEVER && now - a->asked_at < MTU_NS)
        return 0;
    if (ask(a, fds[0], now, mtu_bytes) == 0)
        return 0;
    a->gone = true;
    return TERN_ERR_LINK;
}

tern_time tern_packet_alive_deadline(const struct tern_packet_alive *a)
{
    if (a->gone)
        return 0;
    return a->down_since == TERN_TIME_NEVER ? TERN_TIME_NEVER : a->looked_at + DOWN_LOOK_NS;
}
