/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_LANE_H
#define TERN_APPS_LANE_H
/*
 * A way for bytes from the stack's thread to one other thread, which reads them where they lie: no
 * copy in between, and no lock that the stack's thread could wait for. Two threads, the giver
 * (the stack's) and the reader, hold it; the last of them to let go frees it.
 *
 * The reader has a descriptor for poll(2), which is readable while there is something to read, the
 * end included. What it writes to it arrives at the giver's descriptor, as over any Unix socket;
 * where it closes it, the giver sees POLLHUP.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <tern/link.h>

#define TERN_LANE_SLICES_MAX 256
#define TERN_LANE_WORDS_MAX  64

struct tern_lane;

/* A lane, held by both; *giver_fd and *reader_fd are the ends of a Unix socket that does not block.
 * call: run by the reader where tern_lane_call_at() asks for it. NULL: see errno. */
struct tern_lane *tern_lane_open(void (*call)(void *user), void *user, int *giver_fd,
                                 int *reader_fd);
/* Let go, from either side. The descriptors are closed by whoever has them. */
void tern_lane_give(struct tern_lane *lane);

/* ---- the giver ---- */

/* So many slices have room. */
uint32_t tern_lane_room(const struct tern_lane *lane);
/* Lend slices, in order; they stay as they are until they are read, or the lane was cut or the
 * reader's descriptor is closed: nothing for a loop that borrows frames (tern_loop_borrow()). A
 * reader that waits hears of it by tern_lane_ring() only. */
void tern_lane_put(struct tern_lane *lane, const struct tern_slice *slices, uint32_t count);
void tern_lane_ring(struct tern_lane *lane);
/* Put a few bytes of no connection's, which are copied, and ring: TERN_LANE_WORDS_MAX at most, all
 * told. */
void tern_lane_say(struct tern_lane *lane, const void *data, uint32_t bytes);
/* Bytes put and bytes read, all told. */
uint64_t tern_lane_put_bytes(const struct tern_lane *lane);
uint64_t tern_lane_read_bytes(const struct tern_lane *lane);
/* The reader calls, once, when it has read so many, all told. False: it has already, and will not
 * call. */
bool tern_lane_call_at(struct tern_lane *lane, uint64_t bytes);
/* Nothing more comes: the reader finds the end behind what was put. */
void tern_lane_end(struct tern_lane *lane);
/* From when this returns, the reader touches no slice; its reads fail with ECONNRESET. */
void tern_lane_cut(struct tern_lane *lane);

/* ---- the reader ---- */

/* As recv(2) without blocking: bytes, 0 at the end, or -1 with errno. flags: MSG_PEEK or 0, others
 * change nothing. */
ssize_t tern_lane_read(struct tern_lane *lane, void *data, size_t bytes, int flags);

#endif
