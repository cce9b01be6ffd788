/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAP has two ends: an interface of the kernel, and a descriptor from which its frames are read.
 * A device that is there already (made for this user: `ip tuntap add NAME mode tap user USER`)
 * needs no privilege; one that is not is made, which needs CAP_NET_ADMIN, and goes away with the
 * descriptor. A macvtap is opened by its path, /dev/tapN, and needs to be readable only.
 *
 * Every offload is asked for, but where the user wants none: without them a kernel's sender falls
 * back to single segments, or worse, to one checksum a frame in its slowest path. What a device
 * made here may queue is raised, since its queue is all that holds frames while tern is busy.
 *
 * Facts are read through a Unix socket: an interface's ioctls go through any family, and this
 * process has no business with one of the kernel's internet sockets.
 */
#include "link/tap_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "link/words.h"

#define CLONE_PATH       "/dev/net/tun"
#define QUEUE_FRAMES     4096
#define DEVICE_FLAGS     (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define DEVICE_OFFLOADS  (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define DEVICE_MTU_LEAST 68u

static enum tern_err say_no_tap(const char *path, int error, char *words)
{
    switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        tern_link_say(words, "cannot open %s: this kernel has no TAP; try: sudo modprobe tun",
                      path);
        return TERN_ERR_NO_DEVICE;
    case EACCES:
    case EPERM:
        tern_link_say(words, "cannot open %s: permission denied; try: sudo chmod 666 %s", path,
                      path);
        return TERN_ERR_PERMISSION;
    default:
        tern_link_say(words, "cannot open %s: %s", path, strerror(error));
        return TERN_ERR_SYSTEM;
    }
}

static enum tern_err say_not_attached(const char *name, bool many_queues, int error, char *words)
{
    const char *const mode = many_queues ? "multi_queue " : "";

    switch (error) {
    case EPERM:
    case EACCES:
        tern_link_say(words,
                      "cannot use tap %s: needs CAP_NET_ADMIN, or a device of your own; once: "
                      "sudo ip tuntap add %s mode tap %suser $USER",
                      name, name, mode);
        return TERN_ERR_PERMISSION;
    case EBUSY:
        tern_link_say(words, "cannot use tap %s: somebody else has it open", name);
        return TERN_ERR_SYSTEM;
    case EINVAL:
        tern_link_say(words, "cannot use %s: it is an interface, but no tap%s", name,
                      many_queues ? " that was made with multi_queue"
                                  : ", or one that was made with multi_queue");
        return TERN_ERR_INVAL;
    case E2BIG:
        tern_link_say(words, "cannot use tap %s: it has no more queues", name);
        return TERN_ERR_FULL;
    default:
        tern_link_say(words, "cannot use tap %s: %s", name, strerror(error));
        return TERN_ERR_SYSTEM;
    }
}

/* By name: attached to, or made. */
static enum tern_err attach(const char *name, bool many_queues, struct tern_tap_device *d,
                            char *words)
{
    struct ifreq r = {0};

    d->fd = open(CLONE_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (d->fd < 0)
        return say_no_tap(CLONE_PATH, errno, words);
    r.ifr_flags = (short)(many_queues ? DEVICE_FLAGS | IFF_MULTI_QUEUE : DEVICE_FLAGS);
    memcpy(r.ifr_name, name, strlen(name) + 1);
    if (ioctl(d->fd, TUNSETIFF, &r) != 0)
        return say_not_attached(name, many_queues, errno, words);
    return TERN_ERR_OK;
}

static enum tern_err open_macvtap(const char *path, struct tern_tap_device *d, char *words)
{
    d->is_macvtap = true;
    d->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    return d->fd < 0 ? say_no_tap(path, errno, words) : TERN_ERR_OK;
}

/* A descriptor that somebody else opened must come to know of offload headers, if it does not. */
static enum tern_err adopt(struct tern_tap_device *d, char *words)
{
    struct ifreq r = {0};

    if (ioctl(d->fd, TUNGETIFF, &r) != 0) {
        tern_link_say(words, "the descriptor handed over is no tap: %s", strerror(errno));
        return TERN_ERR_INVAL;
    }
    memcpy(d->name, r.ifr_name, sizeof(d->name));
    d->name[sizeof(d->name) - 1] = '\0';
    if ((r.ifr_flags & IFF_TAP) == 0) {
        tern_link_say(words, "%s is a tun, which carries no Ethernet; make a tap", d->name);
        return TERN_ERR_INVAL;
    }
    if ((r.ifr_flags & DEVICE_FLAGS) != DEVICE_FLAGS) {
        r.ifr_flags = (short)DEVICE_FLAGS;
        if (ioctl(d->fd, TUNSETIFF, &r) != 0) {
            tern_link_say(words, "tap %s was opened without IFF_VNET_HDR and IFF_NO_PI", d->name);
            return TERN_ERR_INVAL;
        }
    }
    return TERN_ERR_OK;
}

static bool ask_offloads(int fd, unsigned long offloads)
{
    int header_bytes = (int)sizeof(struct virtio_net_hdr);

    return ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) == 0 &&
           ioctl(fd, TUNSETOFFLOAD, offloads) == 0;
}

static bool ask(int socket_fd, unsigned long request, const char *name, struct ifreq *r)
{
    memset(r, 0, sizeof(*r));
    memcpy(r->ifr_name, name, strlen(name) + 1);
    return ioctl(socket_fd, request, r) == 0;
}

/* An interface that is down takes nothing. */
static enum tern_err bring_up(int socket_fd, const struct tern_tap_device *d, char *words)
{
    struct ifreq r;

    if (!ask(socket_fd, SIOCGIFFLAGS, d->name, &r) || (r.ifr_flags & IFF_UP) != 0)
        return TERN_ERR_OK;
    r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
    if (ioctl(socket_fd, SIOCSIFFLAGS, &r) == 0)
        return TERN_ERR_OK;
    tern_link_say(words, "%s is down; try: sudo ip link set %s up", d->name, d->name);
    return TERN_ERR_PERMISSION;
}

static void enlarge_queue(int socket_fd, const char *name)
{
    struct ifreq r;

    if (!ask(socket_fd, SIOCGIFTXQLEN, name, &r) || r.ifr_qlen >= QUEUE_FRAMES)
        return;
    r.ifr_qlen = QUEUE_FRAMES;
    (void)ioctl(socket_fd, SIOCSIFTXQLEN, &r); /* without privilege it stays as it is */
}

/* What the interface says of itself. A device of another namespace cannot be asked: then the
 * options have to tell. */
static enum tern_err read_facts(const struct tern_link_tap_options *o, struct tern_tap_device *d,
                                char *words)
{
    struct ifreq r;
    enum tern_err err = TERN_ERR_OK;
    const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (socket_fd < 0) {
        tern_link_say(words, "cannot ask about tap %s: %s", d->name, strerror(errno));
        return TERN_ERR_SYSTEM;
    }
    if (o->fd < 0) {
        err = bring_up(socket_fd, d, words);
        enlarge_queue(socket_fd, d->name);
    }
    d->mtu_bytes = o->mtu_bytes;
    if (d->mtu_bytes == 0 && ask(socket_fd, SIOCGIFMTU, d->name, &r))
        d->mtu_bytes = (uint32_t)r.ifr_mtu;
    d->queue_frames = 0;
    if (ask(socket_fd, SIOCGIFTXQLEN, d->name, &r) && r.ifr_qlen > 0)
        d->queue_frames = (uint32_t)r.ifr_qlen;
    if (ioctl(d->fd, SIOCGIFHWADDR, &r) == 0)
        memcpy(d->mac.b, r.ifr_hwaddr.sa_data, sizeof(d->mac.b));
    (void)close(socket_fd);
    if (err == TERN_ERR_OK && d->mtu_bytes < DEVICE_MTU_LEAST) {
        tern_link_say(words, "the MTU of tap %s is not known: say it in the options", d->name);
        return TERN_ERR_INVAL;
    }
    return err;
}

static enum tern_err get_hold(const struct tern_link_tap_options *o, bool many_queues,
                              struct tern_tap_device *d, char *words)
{
    enum tern_err err;

    if (o->fd >= 0) {
        const int flags = fcntl(o->fd, F_GETFL);

        d->fd = o->fd;
        d->is_macvtap = o->macvtap;
        if (flags < 0 || fcntl(d->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
            tern_link_say(words, "the descriptor handed over is none: %s", strerror(errno));
            return TERN_ERR_INVAL;
        }
        return adopt(d, words);
    }
    TERN_ASSERT(o->name != NULL);
    if (o->name[0] == '/') {
        err = open_macvtap(o->name, d, words);
        return err == TERN_ERR_OK ? adopt(d, words) : err;
    }
    if (strlen(o->name) >= IFNAMSIZ || o->name[0] == '\0') {
        tern_link_say(words, "no such tap: '%s' (a name has 1 to %d characters)", o->name,
                      IFNAMSIZ - 1);
        return TERN_ERR_INVAL;
    }
    memcpy(d->name, o->name, strlen(o->name) + 1);
    return attach(o->name, many_queues, d, words);
}

enum tern_err tern_tap_device_open(const struct tern_link_tap_options *options, bool many_queues,
                                   struct tern_tap_device *out, char *error_text)
{
    enum tern_err err;

    *out = (struct tern_tap_device){.fd = -1};
    err = get_hold(options, many_queues, out, error_text);
    if (err == TERN_ERR_OK && !ask_offloads(out->fd, options->no_offloads ? 0 : DEVICE_OFFLOADS)) {
        tern_link_say(error_text, "tap %s: this kernel knows no offload headers", out->name);
        err = TERN_ERR_UNSUPPORTED;
    }
    if (err == TERN_ERR_OK)
        err = read_facts(options, out, error_text);
    if (err != TERN_ERR_OK && out->fd >= 0 && options->fd < 0)
        (void)close(out->fd);
    return err;
}
