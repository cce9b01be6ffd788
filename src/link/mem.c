/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem: a cable in memory with a link at each end, for tests, simulations, and two stacks that talk
 * within one process. Both ends belong to one thread.
 *
 * Each direction is a ring of slots; a frame is copied in when it is sent and lent from its slot
 * when it is received. What is known about its checksum and its super-segment travels with it, as
 * over a veth. A full ring takes no more (transmit() returns fewer): nothing is lost in the cable.
 * There is no time in it either: what was sent is there at once, and deadline() says so, since
 * there is no descriptor to poll.
 *
 * A frame that no device of this MTU and these offloads could take is dropped and counted.
 * Once one end is closed, the other drains what had been sent and then reports TERN_ERR_LINK.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern/link.h>

#include "base/assert.h"
#include "link/frame.h"

#define ETH_BYTES       14u
#define SLOT_ALIGN      64u
#define HOLD_DEFAULT    512u
#define HOLD_MAX        65536u
#define MTU_BYTES_LEAST 68u /* RFC 791 §3.2 */

struct mem_queue {
    struct tern_frame *frame; /* one a slot; its only piece points into bytes */
    uint8_t *bytes;
    uint32_t head; /* the oldest slot in use */
    uint32_t used;
};

struct mem_cable;

struct mem_end {
    struct tern_link link;
    struct mem_cable *cable;
    struct mem_queue in; /* what the other end sent */
    uint32_t lent;
    bool open;
    struct tern_link_counters counters;
};

struct mem_cable {
    struct mem_end end[2];
    size_t slot_bytes;
    uint32_t slots;
};

static struct mem_end *end_of(const struct tern_link *link)
{
    return (struct mem_end *)(uintptr_t)link;
}

static struct mem_end *other_end(struct mem_end *end)
{
    return end == &end->cable->end[0] ? &end->cable->end[1] : &end->cable->end[0];
}

static int mem_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct mem_end *end = end_of(link);
    const struct mem_queue *q = &end->in;
    int n = 0;

    (void)now;
    TERN_ASSERT(end->open);
    TERN_ASSERT(end->lent == 0);
    if (q->used == 0)
        return other_end(end)->open ? 0 : TERN_ERR_LINK;
    for (; n < max && (uint32_t)n < q->used; n++) {
        frames[n] = q->frame[(q->head + (uint32_t)n) % end->cable->slots];
        end->counters.frames_in++;
        end->counters.bytes_in += frames[n].bytes;
    }
    end->lent = (uint32_t)n;
    return n;
}

static void mem_release(struct tern_link *link)
{
    struct mem_end *end = end_of(link);

    TERN_ASSERT(end->lent <= end->in.used);
    end->in.head = (end->in.head + end->lent) % end->cable->slots;
    end->in.used -= end->lent;
    end->lent = 0;
}

/* Would a device with this MTU and these offloads send it? */
static bool sendable(const struct mem_end *end, const struct tern_frame *frame)
{
    const struct tern_link_info *info = &end->link.info;
    uint32_t payload = frame->bytes;

    if (frame->bytes < ETH_BYTES || frame->bytes > end->cable->slot_bytes)
        return false;
    if (frame->csum == TERN_CSUM_NEEDS && (info->offloads & TERN_OFFLOAD_CSUM_TX) == 0)
        return false;
    if (frame->gso == TERN_GSO_TCP4 && (info->offloads & TERN_OFFLOAD_TSO4) == 0)
        return false;
    if (frame->gso == TERN_GSO_TCP6 && (info->offloads & TERN_OFFLOAD_TSO6) == 0)
        return false;
    if (frame->gso != TERN_GSO_NONE)
        payload = (uint32_t)frame->header_bytes + frame->gso_bytes;
    return payload <= info->mtu_bytes + ETH_BYTES;
}

static void put(struct mem_cable *cable, struct mem_queue *q, const struct tern_frame *frame)
{
    uint32_t at = (q->head + q->used) % cable->slots;
    uint8_t *bytes = q->bytes + (size_t)at * cable->slot_bytes;
    struct tern_frame *slot = &q->frame[at];

    *slot = *frame;
    slot->bytes = (uint32_t)tern_frame_copy(frame, bytes, cable->slot_bytes);
    slot->piece[0] = (struct tern_slice){.data = bytes, .bytes = slot->bytes};
    slot->piece_count = 1;
    slot->cause = TERN_CAUSE_NONE;
    slot->mark = 0;
    q->used++;
}

static int mem_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                        int count)
{
    struct mem_end *end = end_of(link);
    struct mem_end *to = other_end(end);
    int n = 0;

    (void)now;
    TERN_ASSERT(end->open);
    TERN_ASSERT(count >= 0);
    if (!to->open)
        return TERN_ERR_LINK;
    for (; n < count && to->in.used < end->cable->slots; n++) {
        if (!sendable(end, &frames[n])) {
            end->counters.dropped_out++;
            continue;
        }
        put(end->cable, &to->in, &frames[n]);
        end->counters.frames_out++;
        end->counters.bytes_out += frames[n].bytes;
    }
    return n;
}

static int mem_fd(const struct tern_link *link)
{
    (void)link;
    return -1;
}

static tern_time mem_deadline(const struct tern_link *link)
{
    struct mem_end *end = end_of(link);

    return end->in.used > 0 || !other_end(end)->open ? 0 : TERN_TIME_NEVER;
}

static void mem_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    *out = end_of(link)->counters;
}

static void cable_free(struct mem_cable *cable)
{
    for (int i = 0; i < 2; i++) {
        free(cable->end[i].in.frame);
        free(cable->end[i].in.bytes);
    }
    free(cable);
}

static void mem_close(struct tern_link *link)
{
    struct mem_end *end = end_of(link);

    TERN_ASSERT(end->open);
    end->open = false;
    if (!other_end(end)->open)
        cable_free(end->cable);
}

static const struct tern_link_ops mem_ops = {
    .receive = mem_receive,
    .release = mem_release,
    .transmit = mem_transmit,
    .fd = mem_fd,
    .deadline = mem_deadline,
    .counters = mem_counters,
    .close = mem_close,
};

static bool end_init(struct mem_cable *cable, int side, const struct tern_link_mem_options *options)
{
    struct mem_end *end = &cable->end[side];
    struct tern_link_info *info = &end->link.info;

    end->link.ops = &mem_ops;
    end->cable = cable;
    end->open = true;
    end->in.frame = calloc(cable->slots, sizeof(*end->in.frame));
    end->in.bytes = calloc(cable->slots, cable->slot_bytes);
    (void)snprintf(info->name, sizeof(info->name), "mem:%d", side);
    info->mac = options->mac[side];
    info->mtu_bytes = options->mtu_bytes;
    info->offloads = options->offloads;
    info->hold_frames = cable->slots;
    info->hold_bytes = (uint64_t)cable->slots * options->mtu_bytes;
    info->private_network = true;
    return end->in.frame != NULL && end->in.bytes != NULL;
}

enum tern_err tern_link_mem_open(const struct tern_link_mem_options *options,
                                 struct tern_link *out[2])
{
    struct mem_cable *cable;

    if (options->mtu_bytes < MTU_BYTES_LEAST || options->mtu_bytes > UINT16_MAX)
        return TERN_ERR_INVAL;
    if (options->hold_frames > HOLD_MAX)
        return TERN_ERR_INVAL;
    cable = calloc(1, sizeof(*cable));
    if (cable == NULL)
        return TERN_ERR_MEMORY;
    cable->slots = options->hold_frames == 0 ? HOLD_DEFAULT : options->hold_frames;
    cable->slot_bytes = options->mtu_bytes + ETH_BYTES;
    if ((options->offloads & (TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_TSO6)) != 0)
        cable->slot_bytes = TERN_FRAME_BYTES_MAX;
    cable->slot_bytes = (cable->slot_bytes + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    if (!end_init(cable, 0, options) || !end_init(cable, 1, options)) {
        cable_free(cable);
        return TERN_ERR_MEMORY;
    }
    out[0] = &cable->end[0].link;
    out[1] = &cable->end[1].link;
    return TERN_ERR_OK;
}
