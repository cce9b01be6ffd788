/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_QUEUE_HUB_H
#define TERN_LINK_QUEUE_HUB_H
/*
 * Frames that came to one of several links and are for another are passed on here. Each link has a
 * box: a ring of frames that others put there, and a descriptor that polls readable while it holds
 * some. Links belong to different threads; each takes from its own box only.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/link.h>

struct tern_queue_hub;

/* NULL: no memory, or no descriptors. It goes with the last link that leaves. */
struct tern_queue_hub *tern_queue_hub_create(uint32_t queues);
/* Nothing is put into its box any more. Exactly once for each queue. */
void tern_queue_hub_leave(struct tern_queue_hub *hub, uint32_t queue);

int tern_queue_hub_fd(const struct tern_queue_hub *hub, uint32_t queue);
/* A copy of a frame in one piece, into the box of `to`. False: it is full, or has left; counted. */
bool tern_queue_hub_put(struct tern_queue_hub *hub, uint32_t to, const struct tern_frame *frame);
/* Up to max frames from the box of `queue`, which stay there until they are released. */
int tern_queue_hub_take(struct tern_queue_hub *hub, uint32_t queue, struct tern_frame *frames,
                        int max);
void tern_queue_hub_release(struct tern_queue_hub *hub, uint32_t queue);
/* What others could not put into it. */
uint64_t tern_queue_hub_dropped(const struct tern_queue_hub *hub, uint32_t queue);

#endif
