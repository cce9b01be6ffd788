/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet (lan:IF): AF_PACKET with offload headers both ways.
 *
 * Receiving: a TPACKET_V2 ring that the kernel fills; frames are lent straight from their slots and given
 * back by release(). On veth, TAP and any offloading NIC they arrive up to 64 KiB long with unfinished
 * checksums; the virtio header in front of each says so. A slot belongs to whom its status word names, and
 * the status is read and written with acquire and release.
 *
 * Sending: one sendmmsg() a burst, each frame a virtio header and its pieces. The kernel cuts super-segments
 * and finishes checksums wherever the device does not, so both are always offered to the stack.
 *
 * hold: a slot holds one frame however short. hold_bytes is for the longest ones; a sender that
 * does not offload fills the ring with hold_frames frames of the MTU.
 *
 * An interface that goes down or away shows as ENETDOWN on the socket, looked for while nothing
 * arrives, at most once in CHECK_NS.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "base/assert.h"
#include "link/frame.h"
#include "link/packet_socket.h"

#define CHECK_NS         (5 * TERN_MS)
#define SLOT_PAYLOAD_MAX 65536u
#define GSO_KIND(type)   ((type) & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN)
/* The sender's address follows the slot's header, aligned to 16 (TPACKET_ALIGN). */
#define SENDER_OFFSET    ((sizeof(struct tpacket2_hdr) + 15) / 16 * 16)

struct packet_link {
    struct tern_link link;
    struct tern_packet_socket socket;
    uint32_t next;     /* the slot that the kernel fills next, as far as we have read */
    uint32_t consumed; /* slots before it that release() gives back */
    bool gone;
    tern_time checked_at;
    struct tern_link_counters counters;
};

static struct packet_link *packet_of(const struct tern_link *link)
{
    return (struct packet_link *)(uintptr_t)link;
}

static struct tpacket2_hdr *slot_at(const struct packet_link *p, uint32_t index)
{
    void *slot = p->socket.ring + (size_t)index * TERN_PACKET_SLOT_BYTES;

    return slot;
}

static bool is_for_us(const struct tpacket2_hdr *slot)
{
    const struct sockaddr_ll *from =
        (const void *)((const uint8_t *)(const void *)slot + SENDER_OFFSET);
    bool tagged = (slot->tp_status & TP_STATUS_VLAN_VALID) != 0 && (slot->tp_vlan_tci & 0xfff) != 0;

    return from->sll_pkttype != PACKET_OUTGOING && !tagged;
}

/* What the virtio header says about checksum and super-segment. False: of a kind unknown to us. */
static bool read_offload(const struct virtio_net_hdr *v, const uint8_t *data,
                         struct tern_frame *frame)
{
    if ((v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
        frame->csum = TERN_CSUM_NEEDS;
        frame->csum_start = v->csum_start;
        frame->csum_offset = v->csum_offset;
    } else if ((v->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0) {
        frame->csum = TERN_CSUM_VALID;
    }
    if (v->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (GSO_KIND(v->gso_type) != VIRTIO_NET_HDR_GSO_TCPV4)
        return false;
    frame->gso = TERN_GSO_TCP4;
    frame->gso_bytes = v->gso_size;
    /* The kernel's hdr_len is only how much of it was linear. */
    frame->header_bytes = (uint16_t)tern_frame_tcp4_header_bytes(data, frame->bytes);
    return frame->header_bytes != 0 && frame->gso_bytes != 0;
}

/* Describe the frame of a filled slot. False: not for us, or cut. */
static bool read_slot(struct packet_link *p, const struct tpacket2_hdr *slot,
                      struct tern_frame *out)
{
    const uint8_t *base = (const uint8_t *)(const void *)slot;
    struct virtio_net_hdr v;

    if (!is_for_us(slot))
        return false;
    if (slot->tp_snaplen != slot->tp_len ||
        slot->tp_mac + (size_t)slot->tp_snaplen > TERN_PACKET_SLOT_BYTES) {
        p->counters.dropped_in++;
        return false;
    }
    memcpy(&v, base + slot->tp_mac - sizeof(v), sizeof(v));
    *out = (struct tern_frame){.piece_count = 1, .bytes = slot->tp_snaplen};
    out->piece[0] = (struct tern_slice){.data = base + slot->tp_mac, .bytes = slot->tp_snaplen};
    if (read_offload(&v, out->piece[0].data, out))
        return true;
    p->counters.dropped_in++;
    return false;
}

/* Nothing arrives: is the interface still there? */
static int check_alive(struct packet_link *p, tern_time now)
{
    int error = 0;
    socklen_t bytes = sizeof(error);

    if (p->gone)
        return TERN_ERR_LINK;
    if (now - p->checked_at < CHECK_NS)
        return 0;
    p->checked_at = now;
    if (getsockopt(p->socket.fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0)
        return 0;
    p->gone = true;
    return TERN_ERR_LINK;
}

static int packet_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct packet_link *p = packet_of(link);
    int n = 0;

    TERN_ASSERT(p->consumed == 0);
    while (n < max && p->consumed < p->socket.slots) {
        const struct tpacket2_hdr *slot = slot_at(p, p->next);

        if ((__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
            break;
        if (read_slot(p, slot, &frames[n])) {
            p->counters.frames_in++;
            p->counters.bytes_in += frames[n].bytes;
            n++;
        }
        p->next = p->next + 1 == p->socket.slots ? 0 : p->next + 1;
        p->consumed++;
    }
    if (n > 0)
        return n;
    link->ops->release(link); /* slots that were skipped */
    return check_alive(p, now);
}

static void packet_release(struct tern_link *link)
{
    struct packet_link *p = packet_of(link);
    uint32_t at = (p->next + p->socket.slots - p->consumed) % p->socket.slots;

    for (; p->consumed > 0; p->consumed--) {
        struct tpacket2_hdr *slot = slot_at(p, at);

        __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        at = at + 1 == p->socket.slots ? 0 : at + 1;
    }
}

/* A burst in the form that sendmmsg() takes. */
struct burst {
    struct mmsghdr message[TERN_BURST_MAX];
    struct iovec piece[TERN_BURST_MAX][TERN_FRAME_PIECES_MAX + 1];
    struct virtio_net_hdr header[TERN_BURST_MAX];
};

static struct virtio_net_hdr offload_header(const struct tern_frame *frame)
{
    struct virtio_net_hdr v = {0};

    if (frame->csum == TERN_CSUM_NEEDS) {
        v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        v.csum_start = frame->csum_start;
        v.csum_offset = frame->csum_offset;
    }
    if (frame->gso != TERN_GSO_NONE) {
        v.gso_type =
            frame->gso == TERN_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        v.gso_size = frame->gso_bytes;
        v.hdr_len = frame->header_bytes;
    }
    return v;
}

static void put_frame(struct burst *b, int at, const struct tern_frame *frame)
{
    struct iovec *piece = b->piece[at];

    TERN_ASSERT(frame->piece_count <= TERN_FRAME_PIECES_MAX);
    b->header[at] = offload_header(frame);
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

enum send_verdict { SEND_FULL, SEND_GONE, SEND_REFUSED };

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
        return SEND_GONE;
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

    (void)now;
    if (count > TERN_BURST_MAX)
        count = TERN_BURST_MAX;
    for (int i = 0; i < count; i++)
        put_frame(&b, i, &frames[i]);
    while (done < count) {
        int sent = sendmmsg(p->socket.fd, b.message + done, (unsigned)(count - done), MSG_DONTWAIT);

        if (sent > 0) {
            count_sent(p, frames + done, sent);
            done += sent;
            continue;
        }
        switch (judge(errno)) {
        case SEND_FULL:
            return done;
        case SEND_GONE:
            p->gone = true;
            return TERN_ERR_LINK;
        case SEND_REFUSED:
            p->counters.dropped_out++;
            done++;
            break;
        }
    }
    return done;
}

static int packet_fd(const struct tern_link *link)
{
    return packet_of(link)->socket.fd;
}

static tern_time packet_deadline(const struct tern_link *link)
{
    return packet_of(link)->gone ? 0 : TERN_TIME_NEVER;
}

static void packet_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    struct packet_link *p = packet_of(link);
    struct tpacket_stats stats = {0};
    socklen_t bytes = sizeof(stats);

    /* Reading them sets them back to zero. */
    if (getsockopt(p->socket.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
        p->counters.dropped_in += stats.tp_drops;
    *out = p->counters;
}

static void packet_close(struct tern_link *link)
{
    struct packet_link *p = packet_of(link);

    tern_packet_socket_close(&p->socket);
    free(p);
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

enum tern_err tern_link_packet_open(const struct tern_link_packet_options *options,
                                    struct tern_link **out, char *error_text)
{
    struct packet_link *p = calloc(1, sizeof(*p));
    struct tern_link_info *info;
    enum tern_err err;

    if (p == NULL)
        return TERN_ERR_MEMORY;
    err = tern_packet_socket_open(options, &p->socket, error_text);
    if (err != TERN_ERR_OK) {
        free(p);
        return err;
    }
    info = &p->link.info;
    p->link.ops = &packet_ops;
    (void)snprintf(info->name, sizeof(info->name), "lan:%.15s", options->interface);
    info->mac = p->socket.mac;
    info->mtu_bytes = p->socket.mtu_bytes;
    info->offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_TSO6;
    info->hold_frames = p->socket.slots;
    info->hold_bytes = (uint64_t)p->socket.slots * SLOT_PAYLOAD_MAX;
    *out = &p->link;
    return TERN_ERR_OK;
}
