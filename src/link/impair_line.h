/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_IMPAIR_LINE_H
#define TERN_LINK_IMPAIR_LINE_H
/*
 * One direction of a bad network: frames are offered, and come out later, or twice, or
 * damaged, or never. Time and seed are arguments; the same ones give the same fate.
 */
#include "base/random.h"
#include "link/impair_words.h"

struct tern_impair_held; /* a frame on its way */

/* What became of the frames, by what befell them. */
struct tern_impair_counts {
    uint64_t offered;
    uint64_t lost;     /* by loss, burst or drop */
    uint64_t too_long; /* for mtu */
    uint64_t full;     /* no room in the queue */
    uint64_t duplicated, corrupted, reordered;
};

/* Where a frame is put together and cut: two of the longest. */
struct tern_impair_scratch {
    uint8_t whole[TERN_FRAME_BYTES_MAX]; /* a frame in one piece */
    uint8_t piece[TERN_FRAME_BYTES_MAX]; /* one of those it is cut into */
};

struct tern_impair_line {
    struct tern_impair_way way;
    /* A generator for each decision, so that one more word does not change the others. */
    struct tern_random loss, burst, jitter, reorder, duplicate, corrupt;
    uint32_t limit;
    struct tern_impair_counts counts;
    uint32_t burst_left; /* losses still to come in the present burst */
    tern_time free_at;   /* when the last bit of the last frame has left (rate) */
    /* Frames on their way: slots of one size, and a heap of them by release time. */
    uint8_t *memory;
    size_t memory_bytes, slot_bytes;
    struct tern_impair_held *held;
    uint32_t *free_slot, free_count;
    uint32_t *heap, heap_count;
    uint32_t *lent, lent_count;
};

/* purpose: "in" or "out". frame_bytes: the longest frame. False: out of memory. */
bool tern_impair_line_init(struct tern_impair_line *line, const struct tern_impair_way *way,
                           uint64_t seed, const char *purpose, size_t frame_bytes);
void tern_impair_line_fini(struct tern_impair_line *line);

/* A frame enters, in one piece, its checksums complete; it is copied where it survives. */
void tern_impair_line_offer(struct tern_impair_line *line, tern_time now, const uint8_t *data,
                            size_t bytes, enum tern_cause cause);
/* A frame as a stack or a socket gives it: put on the line as the wire would carry it, which is cut
 * into what it stands for, and its checksums complete. */
void tern_impair_line_offer_frame(struct tern_impair_line *line, tern_time now,
                                  const struct tern_frame *frame,
                                  struct tern_impair_scratch *scratch);
/* When the next frame comes out; TERN_TIME_NEVER: none is on its way. */
tern_time tern_impair_line_next(const struct tern_impair_line *line);
/* Frames that have come out by now, at most TERN_BURST_MAX at once; lent until give(). */
int tern_impair_line_take(struct tern_impair_line *line, tern_time now, struct tern_frame *frames,
                          int max);
void tern_impair_line_give(struct tern_impair_line *line);

#endif
