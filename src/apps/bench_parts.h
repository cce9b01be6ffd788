/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_BENCH_PARTS_H
#define TERN_APPS_BENCH_PARTS_H
/* Between the files of the workloads only: what a client says first, and the state of a run. */
#include "apps/bench.h"
#include "base/bytes.h"

/* The first bytes of a connection: kind, three zeros, message_bytes (32 bits), limit (64 bits:
 * bytes that the peer shall send, 0 for no limit), big-endian. Of a CONN the first byte is all. */
#define TERN_BENCH_HEAD_BYTES  16
#define TERN_BENCH_HEAD_SIZE   4
#define TERN_BENCH_HEAD_LIMIT  8
#define TERN_BENCH_REPLY_BYTES 8 /* after a SEND: bytes that arrived, big-endian */

#define TERN_BENCH_KIND_SOURCE 'r'
#define TERN_BENCH_KIND_SINK   's'
#define TERN_BENCH_KIND_ECHO   'e'
#define TERN_BENCH_KIND_CONN   'c'

/* One connection of a client. */
struct tern_bench_stream {
    struct tern_bench_line *line; /* NULL: closed */
    uint64_t quota;               /* of the limit; 0 with a limit: nothing left to do */
    uint64_t moved;               /* bytes, round trips or connections so far */
    uint32_t owed;                /* bytes of the message under way that are still to be written */
    uint32_t awaited;             /* bytes of the answer that are still to come */
    uint8_t reply[TERN_BENCH_REPLY_BYTES];
    uint32_t reply_bytes;
    tern_time began; /* of the round trip or connection */
    bool open, ending;
};

struct tern_bench_state {
    struct tern_bench_wire *wire;
    const struct tern_bench_plan *plan;
    struct tern_bench_result *result;
    struct tern_bench_stream *streams;
    const uint8_t *message; /* what is sent */
    uint32_t opening, living;
    bool begun;     /* all streams were open, and were told what to do */
    bool timed_out; /* the time of the run is over */
};

/* A workload: what to do when the run begins, when there is something to read, when there is room
 * to write, and when the time is over. An error ends the run. */
struct tern_bench_workload {
    enum tern_err (*begin)(struct tern_bench_state *b, struct tern_bench_stream *s);
    enum tern_err (*readable)(struct tern_bench_state *b, struct tern_bench_stream *s);
    enum tern_err (*writable)(struct tern_bench_state *b, struct tern_bench_stream *s);
    enum tern_err (*end)(struct tern_bench_state *b, struct tern_bench_stream *s);
};
extern const struct tern_bench_workload tern_bench_workloads[TERN_BENCH_WORK_COUNT];

static inline uint64_t tern_bench_get64(const uint8_t *p)
{
    return (uint64_t)tern_get_be32(p) << 32 | tern_get_be32(p + 4);
}

static inline void tern_bench_put64(uint8_t *p, uint64_t v)
{
    tern_put_be32(p, (uint32_t)(v >> 32));
    tern_put_be32(p + 4, (uint32_t)v);
}

/* Write a few bytes that must fit at once. */
enum tern_err tern_bench_say(const struct tern_bench_wire *wire, struct tern_bench_line *line,
                             const uint8_t *data, size_t bytes);
/* TERN_BENCH_MESSAGE_MAX bytes of no meaning, which stay as they are for as long as the process
 * lives: they may be lent. */
const uint8_t *tern_bench_message(void);
/* The stream is done: count what only its line knows, and close it. */
void tern_bench_stream_close(struct tern_bench_state *b, struct tern_bench_stream *s, bool abort);

#endif
