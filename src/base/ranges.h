/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_RANGES_H
#define TERN_BASE_RANGES_H
/*
 * A sorted set of disjoint, non-touching ranges [start, end) of 64-bit stream offsets, in a fixed
 * array that the caller brings. Holds the out-of-order bytes of a receiver and the SACKed bytes of
 * a sender.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tern_range {
    uint64_t start, end;
};

struct tern_ranges {
    struct tern_range *item;
    uint16_t count;
    uint16_t count_max;
};

void tern_ranges_init(struct tern_ranges *r, struct tern_range *item, uint16_t count_max);
/* Add [start, end), merging with what it overlaps or touches. False, and nothing changed, where it
 * would need one range more than there is room for. start <= end; an empty range is fine. */
bool tern_ranges_add(struct tern_ranges *r, uint64_t start, uint64_t end);
/* Take [start, end) out. What is left of a range on both sides of it needs one range more: false,
 * and nothing changed, where there is no room for it. */
bool tern_ranges_remove(struct tern_ranges *r, uint64_t start, uint64_t end);
/* Forget everything below an offset. */
void tern_ranges_trim(struct tern_ranges *r, uint64_t below);
/* Forget everything at and above an offset. */
void tern_ranges_cut(struct tern_ranges *r, uint64_t from);
void tern_ranges_clear(struct tern_ranges *r);
/* Index of the first range whose end is above pos; count where there is none. Binary search. */
uint16_t tern_ranges_seek(const struct tern_ranges *r, uint64_t pos);
/* Is every byte of [start, end) inside? */
bool tern_ranges_covers(const struct tern_ranges *r, uint64_t start, uint64_t end);
/* The first stretch of [start, end) that is in no range; false: there is none. */
bool tern_ranges_gap(const struct tern_ranges *r, uint64_t start, uint64_t end,
                     struct tern_range *out);
/* Bytes of the set within [start, end). */
uint64_t tern_ranges_bytes_within(const struct tern_ranges *r, uint64_t start, uint64_t end);
uint64_t tern_ranges_bytes(const struct tern_ranges *r);
void tern_ranges_check(const struct tern_ranges *r);

#endif
