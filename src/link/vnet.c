/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio header before each frame says what is left to do: a checksum of which only the
 * pseudo-header sum is there, a super-segment that is to be cut up. Kinds of super-segments that
 * tern does not know (UDP's, IPv6's as yet) are refused.
 */
#include "link/vnet.h"

#include "link/frame.h"

#define GSO_KIND(type) ((type) & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN)

struct virtio_net_hdr tern_vnet_of_frame(const struct tern_frame *frame)
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

bool tern_vnet_to_frame(const struct virtio_net_hdr *v, struct tern_frame *frame)
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
    frame->header_bytes =
        (uint16_t)tern_frame_tcp4_header_bytes(frame->piece[0].data, frame->bytes);
    return frame->header_bytes != 0 && frame->gso_bytes != 0;
}
