/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_VNET_H
#define TERN_LINK_VNET_H
/* A frame's offloads as the kernel's virtio header tells them: what packet sockets and TAP share.
 */
#include <tern/link.h>

#include <linux/virtio_net.h>

/* For a frame that is sent. */
struct virtio_net_hdr tern_vnet_of_frame(const struct tern_frame *frame);
/*
 * For a frame that came: fill in *frame's checksum and super-segment; its piece 0 holds all of its
 * bytes. False: of a kind that cannot be passed on.
 */
bool tern_vnet_to_frame(const struct virtio_net_hdr *v, struct tern_frame *frame);

#endif
