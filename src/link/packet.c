/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet (lan:IF): AF_PACKET with offload headers both ways.
 *
 * Receiving: on veth, TAP and any offloading NIC frames arrive up to 64 KiB long with unfinished
 * checksums, from senders that do not offload 1,514 bytes long at the most. A ring has slots of one
 * size, so there are two rings on two sockets whose filters divide the frames by length: one with
 * slots for the longest, one with six times as many for those up to TERN_PACKET_SHORT_MAX. Either
 * kind of sender then finds room for 2.7 MB and more. Frames are fetched from both by the kernel's
 * time stamps, so their order is kept. Where only one socket was handed over, its ring takes all.
 *
 * Several links that share an address: the sockets of each kind are one fanout group, which gives a
 * frame to one of them, and each filter sees to it that a link takes nothing of another's queue,
 * whatever the group does while members come and go. ARP is everybody's: a third socket, outside of
 * the groups, brings it to each link.
 *
 * Sending: one sendmmsg() a burst, each frame a virtio header and its pieces. The kernel cuts
 * super-segments and finishes checksums wherever the device does not, so both are always offered
 * to the stack.
 *
 * What becomes of the interface (packet_alive.c) is looked for while nothing arrives. While it is
 * down what we send is lost, as on a network that is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "base/assert.h"
#include "link/packet_alive.h"
#include "link/packet_socket.h"
#include "link/vnet.h"
#include "link/words.h"

/* 27 MB of long frames: more is no longer in the cache when it is written to again
 * (docs/decisions/0034-*.md). */
#define SLOTS_DEFAULT      384u
#define SLOTS_MAX          8192u
#define SHORT_SLOTS_FACTOR 6u
#define ARP_SLOTS          128u
#define LONGEST_PAYLOAD    65536u

struct packet_link {
    struct tern_link link;
    struct tern_packet_socket main;   /* long frames, or all; and sending */
    struct tern_packet_socket second; /* short frames; fd -1: there is none */
    struct tern_packet_socket arp;    /* of a link that shares its address; fd -1: there is none */
    int epoll_fd;                     /* all sockets; -1: there is only one */
    struct tern_packet_alive alive;
    struct tern_link_counters counters;
};

static struct packet_link *packet_of(const struct tern_link *link)
{
    return (struct packet_link *)(uintptr_t)link;
}

/*
 * The ring with the oldest frame; NULL: all are empty. ARP goes first, when it came matters to
 * nobody. Of the others: a frame that came earlier was visible
 * earlier, so the ring that seemed empty is looked at again once the other one was seen to have a
 * frame.
 */
static struct tern_packet_ring *oldest(struct packet_link *p)
{
    struct tern_packet_ring *a = &p->main.ring, *b = &p->second.ring;
    bool in_a = tern_packet_ring_ready(a);
    bool in_b = tern_packet_ring_ready(b);

    if (tern_packet_ring_ready(&p->arp.ring))
        return &p->arp.ring;
    if (in_b && !in_a)
        in_a = tern_packet_ring_ready(a);
    if (in_a && in_b)
        return tern_packet_ring_time(a) <= tern_packet_ring_time(b) ? a : b;
    if (in_a)
        return a;
    return in_b ? b : NULL;
}

/* Nothing arrives: is the interface still there? */
static int check_alive(struct packet_link *p, tern_time now)
{
    const int fds[TERN_PACKET_SOCKETS] = {p->main.fd, p->second.fd, p->arp.fd};

    return tern_packet_alive_look(&p->alive, fds, now, &p->link.info.mtu_bytes);
}

static void packet_release(struct tern_link *link)
{
    struct packet_link *p = packet_of(link);

    tern_packet_ring_give(&p->main.ring);
    tern_packet_ring_give(&p->second.ring);
    tern_packet_ring_give(&p->arp.ring);
}

static int packet_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct packet_link *p = packet_of(link);
    struct tern_packet_ring *ring;
    int n = 0;

    TERN_ASSERT(p->main.ring.consumed == 0);
    TERN_ASSERT(p->second.ring.consumed == 0);
    while (n < max && (ring = oldest(p)) != NULL) {
        switch (tern_packet_ring_read(ring, &frames[n])) {
        case TERN_PACKET_TAKE:
            p->counters.frames_in++;
            p->counters.bytes_in += frames[n].bytes;
            n++;
            break;
        case TERN_PACKET_DROP:
            p->counters.dropped_in++;
            break;
        case TERN_PACKET_SKIP:
            break;
        }
    }
    if (n > 0)
        return n;
    packet_release(link); /* slots that were skipped */
    return check_alive(p, now);
}

/* A burst in the form that sendmmsg() takes. */
struct burst {
    struct mmsghdr message[TERN_BURST_MAX];
    struct iovec piece[TERN_BURST_MAX][TERN_FRAME_PIECES_MAX + 1];
    struct virtio_net_hdr header[TERN_BURST_MAX];
};

static void put_frame(struct burst *b, int at, const struct tern_frame *frame)
{
    struct iovec *piece = b->piece[at];

    TERN_ASSERT(frame->piece_count <= TERN_FRAME_PIECES_MAX);
    b->header[at] = tern_vnet_of_frame(frame);
    piece[0] = (struct iovec){.iov_base = &b->header[at], .iov_len = sizeof(b->header[at])};
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        piece[i + 1] = (struct iovec){
            .iov_base = (void *)(uintptr_t)frame->piece[i].data, /* sendmmsg() only reads */
            .iov_len = frame->piece[i].bytes,
        };
    }
    b->message[at] = (struct mmsghdr){
        .msg_hdr = {.msg_iov = piece, .msg_iovlen = (size_t)frame->piece_count + 1}};
}

enum send_verdict { SEND_FULL, SEND_DOWN, SEND_REFUSED };

static enum send_verdict judge(int error)
{
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
        return SEND_FULL;
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
        return SEND_DOWN;
    default: /* EMSGSIZE, EINVAL, …: this frame, and not the link */
        return SEND_REFUSED;
    }
}

static void count_sent(struct packet_link *p, const struct tern_frame *frames, int count)
{
    p->counters.frames_out += (uint64_t)count;
    for (int i = 0; i < count; i++)
        p->counters.bytes_out += frames[i].bytes;
}

static int packet_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                           int count)
{
    struct packet_link *p = packet_of(link);
    struct burst b;
    int done = 0;

    if (count > TERN_BURST_MAX)
        count = TERN_BURST_MAX;
    for (int i = 0; i < count; i++)
        put_frame(&b, i, &frames[i]);
    while (done < count) {
        int sent = sendmmsg(p->main.fd, b.message + done, (unsigned)(count - done), MSG_DONTWAIT);

        if (sent > 0) {
            count_sent(p, frames + done, sent);
            done += sent;
            continue;
        }
        switch (judge(errno)) {
        case SEND_FULL:
            return done;
        case SEND_DOWN:
            tern_packet_alive_suspect(&p->alive);
            p->counters.dropped_out += (uint64_t)(count - done);
            return check_alive(p, now) < 0 ? TERN_ERR_LINK : count;
        case SEND_REFUSED:
            tern_packet_alive_suspect(&p->alive);
            p->counters.dropped_out++;
            done++;
            break;
        }
    }
    return done;
}

static int packet_fd(const struct tern_link *link)
{
    const struct packet_link *p = packet_of(link);

    return p->epoll_fd >= 0 ? p->epoll_fd : p->main.fd;
}

static tern_time packet_deadline(const struct tern_link *link)
{
    return tern_packet_alive_deadline(&packet_of(link)->alive);
}

static uint64_t ring_drops(int fd)
{
    struct tpacket_stats stats = {0};
    socklen_t bytes = sizeof(stats);

    /* Reading them sets them back to zero. */
    if (fd < 0 || getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) != 0)
        return 0;
    return stats.tp_drops;
}

static void packet_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    struct packet_link *p = packet_of(link);

    p->counters.dropped_in +=
        ring_drops(p->main.fd) + ring_drops(p->second.fd) + ring_drops(p->arp.fd);
    *out = p->counters;
}

/* Free all but the sockets that were handed over, where opening failed. */
static void packet_free(struct packet_link *p, bool keep_sockets)
{
    tern_packet_socket_strip(&p->main);
    tern_packet_socket_strip(&p->second);
    tern_packet_socket_strip(&p->arp);
    if (p->epoll_fd >= 0)
        (void)close(p->epoll_fd);
    if (p->main.fd >= 0 && !keep_sockets)
        (void)close(p->main.fd);
    if (p->second.fd >= 0 && !keep_sockets)
        (void)close(p->second.fd);
    if (p->arp.fd >= 0)
        (void)close(p->arp.fd);
    free(p);
}

static void packet_close(struct tern_link *link)
{
    packet_free(packet_of(link), false);
}

static const struct tern_link_ops packet_ops = {
    .receive = packet_receive,
    .release = packet_release,
    .transmit = packet_transmit,
    .fd = packet_fd,
    .deadline = packet_deadline,
    .counters = packet_counters,
    .close = packet_close,
};

static enum tern_err say_failed(const char *interface, const char *step, char *error_text)
{
    int error = errno;

    if (error == EPERM || error == EACCES) {
        tern_link_say(error_text, "cannot open %s: needs CAP_NET_RAW", interface);
        return TERN_ERR_PERMISSION;
    }
    tern_link_say(error_text, "cannot open %s: %s: %s", interface, step, strerror(error));
    return error == ENOMEM ? TERN_ERR_MEMORY : TERN_ERR_SYSTEM;
}

/* What the links that share an address have in common, and which of them this is. */
struct fan {
    struct tern_packet_queue queue;
    int long_group, short_group; /* -1: none joined yet */
};

static enum tern_err take_sockets(struct packet_link *p,
                                  const struct tern_link_packet_options *options, bool shares,
                                  char *error_text)
{
    if (options->socket_fd >= 0) {
        p->main.fd = options->socket_fd;
        p->second.fd = options->second_socket_fd > 0 ? options->second_socket_fd : -1;
        return TERN_ERR_OK;
    }
    if (!tern_packet_interface_exists(options->interface, error_text))
        return TERN_ERR_NO_DEVICE;
    p->main.fd = tern_packet_socket_make();
    if (p->main.fd >= 0)
        p->second.fd = tern_packet_socket_make();
    if (p->second.fd >= 0 && shares)
        p->arp.fd = tern_packet_socket_make();
    if (p->main.fd < 0 || p->second.fd < 0 || (shares && p->arp.fd < 0))
        return say_failed(options->interface, "socket", error_text);
    return TERN_ERR_OK;
}

static bool watch_all(struct packet_link *p)
{
    struct epoll_event e = {.events = EPOLLIN};

    if (p->second.fd < 0)
        return true;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return p->epoll_fd >= 0 && epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->main.fd, &e) == 0 &&
           epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->second.fd, &e) == 0 &&
           (p->arp.fd < 0 || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->arp.fd, &e) == 0);
}

static enum tern_err setup_sockets(struct packet_link *p,
                                   const struct tern_link_packet_options *options,
                                   const struct tern_packet_facts *facts, struct fan *fan,
                                   char *error_text)
{
    uint32_t slots = options->ring_slots == 0 ? SLOTS_DEFAULT : options->ring_slots;
    struct tern_packet_socket_options socket_options = {
        .facts = facts,
        .address = options->address,
        .lengths = p->second.fd >= 0 ? TERN_PACKET_LONG : TERN_PACKET_ANY_LENGTH,
        .slots = slots > SLOTS_MAX ? SLOTS_MAX : slots,
        .sends = true,
        .queue = fan != NULL ? &fan->queue : NULL,
        .group = fan != NULL ? &fan->long_group : NULL,
    };
    const char *failed = tern_packet_socket_setup(&p->main, &socket_options);

    if (failed == NULL && p->second.fd >= 0) {
        socket_options.lengths = TERN_PACKET_SHORT;
        socket_options.slots *= SHORT_SLOTS_FACTOR;
        socket_options.sends = false;
        socket_options.group = fan != NULL ? &fan->short_group : NULL;
        failed = tern_packet_socket_setup(&p->second, &socket_options);
    }
    if (failed == NULL && p->arp.fd >= 0) {
        socket_options.lengths = TERN_PACKET_ARP_ONLY;
        socket_options.slots = ARP_SLOTS;
        socket_options.queue = NULL;
        failed = tern_packet_socket_setup(&p->arp, &socket_options);
    }
    if (failed == NULL && !watch_all(p))
        failed = "epoll";
    return failed == NULL ? TERN_ERR_OK : say_failed(options->interface, failed, error_text);
}

/* An eighth is left for what comes on top of a full window: ARP, probes, frames sent twice. */
static uint32_t promised(const struct tern_packet_ring *ring)
{
    return ring->slots - ring->slots / 8;
}

static void fill_info(struct packet_link *p, const char *interface,
                      const struct tern_packet_facts *facts)
{
    struct tern_link_info *info = &p->link.info;

    (void)snprintf(info->name, sizeof(info->name), "lan:%.15s", interface);
    info->mac = facts->mac;
    info->mtu_bytes = facts->mtu_bytes;
    info->offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_TSO6;
    info->hold_frames = promised(&p->main.ring);
    info->hold_bytes = (uint64_t)promised(&p->main.ring) * LONGEST_PAYLOAD;
    if (p->second.fd < 0)
        return;
    /* Where nothing is known of a peer's frames, they may be little longer than short ones: that is
     * what the long slots surely hold. */
    info->hold_frames = promised(&p->second.ring);
    info->hold_bytes = (uint64_t)promised(&p->main.ring) * TERN_PACKET_SHORT_MAX;
    info->hold_long_frames = promised(&p->main.ring);
    info->long_bytes = TERN_PACKET_SHORT_MAX;
}

static enum tern_err open_one(const struct tern_link_packet_options *options, struct fan *fan,
                              struct tern_link **out, char *error_text)
{
    struct packet_link *p = calloc(1, sizeof(*p));
    struct tern_packet_facts facts = {0};
    enum tern_err err;

    TERN_ASSERT(options->interface != NULL);
    if (p == NULL) {
        tern_link_say(error_text, "cannot open %s: out of memory", options->interface);
        return TERN_ERR_MEMORY;
    }
    p->link.ops = &packet_ops;
    p->main.fd = p->second.fd = p->arp.fd = p->epoll_fd = -1;
    err = take_sockets(p, options, fan != NULL, error_text);
    if (err == TERN_ERR_OK)
        err = tern_packet_facts_read(options, p->main.fd, &facts, error_text);
    if (err == TERN_ERR_OK)
        err = setup_sockets(p, options, &facts, fan, error_text);
    if (err != TERN_ERR_OK) {
        packet_free(p, options->socket_fd >= 0);
        return err;
    }
    fill_info(p, options->interface, &facts);
    if (fan != NULL) {
        p->link.info.queue = fan->queue.queue;
        p->link.info.queues = fan->queue.queues;
    }
    tern_packet_alive_init(&p->alive, facts.index);
    *out = &p->link;
    return TERN_ERR_OK;
}

enum tern_err tern_link_packet_open(const struct tern_link_packet_options *options,
                                    struct tern_link **out, char *error_text)
{
    return open_one(options, NULL, out, error_text);
}

enum tern_err tern_link_packet_open_queues(const struct tern_link_packet_options *options,
                                           uint32_t queues, struct tern_link **out,
                                           char *error_text)
{
    struct fan fan = {.queue.queues = queues, .long_group = -1, .short_group = -1};

    if (queues == 0 || queues > TERN_LINK_QUEUES_MAX || options->socket_fd >= 0 ||
        !tern_addr_is_v4(options->address) || tern_addr_is_any(options->address)) {
        tern_link_say(error_text,
                      "links that share an address: one to %d of them, one IPv4 address",
                      TERN_LINK_QUEUES_MAX);
        return TERN_ERR_INVAL;
    }
    /* The order in which they join tells the group who is which. */
    for (uint32_t i = 0; i < queues; i++) {
        enum tern_err err;

        fan.queue.queue = i;
        err = open_one(options, &fan, &out[i], error_text);
        if (err == TERN_ERR_OK)
            continue;
        while (i-- > 0)
            packet_close(out[i]);
        return err;
    }
    return TERN_ERR_OK;
}
