/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Down, for a client that reads by a lane: the receive buffer's own memory is put on it as it
 * comes, and skipped once the client has read it. So unread bytes close TCP's window as ever.
 *
 * When must the client call us, who may be asleep? Not for every byte: a window that opens by less
 * than a quarter of the buffer stops no sender. Where the lane was too short for all that is here,
 * when half of it was read; where an urgent mark keeps the rest back, when the mark is reached.
 *
 * When is the client told? Not for every frame of a stream either, as a change of threads costs as
 * much as a frame: once a turn of the loop has brought nothing more, and so before any sleep, or
 * once there is as much as a client reads in one go.
 */
#include "apps/socks_parts.h"

#define SLICES_A_TURN 64
#define CALL_BYTES    (512u * 1024)
#define RING_BYTES    (512u * 1024)

void tern_socks_lane_skip(struct tern_socks_conn *c)
{
    const uint64_t all = tern_lane_read_bytes(c->lane);
    const uint64_t read = all > c->lane_words ? all - c->lane_words : 0;

    if (read == c->lane_skipped)
        return;
    tern_tcp_skip(c->conn, (size_t)(read - c->lane_skipped));
    c->lane_skipped = read;
}

static uint64_t outstanding(const struct tern_socks_conn *c)
{
    return tern_lane_put_bytes(c->lane) - c->lane_words - c->lane_skipped;
}

/* Returns what stopped it: 0, TERN_ERR_AGAIN, a reason, or 1: the lane is full. */
static int put(struct tern_socks_conn *c)
{
    struct tern_slice slices[SLICES_A_TURN];
    uint32_t room;

    while ((room = tern_lane_room(c->lane)) > 0) {
        const int max = room < SLICES_A_TURN ? (int)room : SLICES_A_TURN;
        const int count = tern_tcp_peekv_from(c->conn, outstanding(c), slices, max);

        if (count <= 0)
            return count;
        tern_lane_put(c->lane, slices, (uint32_t)count);
    }
    return 1;
}

/* When all told so much was read, we are to be called. */
static uint64_t call_at(const struct tern_socks_conn *c, bool full)
{
    const uint64_t lent = outstanding(c), put = tern_lane_put_bytes(c->lane);
    struct tern_tcp_info info;
    uint64_t quarter;
    size_t ahead;

    if (tern_tcp_urgent_mark(c->conn, &ahead) && lent > 0)
        return put;
    tern_tcp_info(c->conn, &info);
    quarter = (info.rcv_wnd_bytes + lent) / 4 + 1;
    if (quarter > CALL_BYTES)
        quarter = CALL_BYTES;
    if (full && lent / 2 < quarter)
        quarter = lent / 2;
    return put - lent + quarter;
}

int tern_socks_lane_down(struct tern_socks_conn *c)
{
    const uint64_t before = tern_lane_put_bytes(c->lane);
    int stop;

    do {
        tern_socks_lane_skip(c);
        stop = put(c);
    } while (!tern_lane_call_at(c->lane, call_at(c, stop > 0)));
    c->lane_unrung = tern_lane_put_bytes(c->lane) > before && outstanding(c) < RING_BYTES &&
                     stop == TERN_ERR_AGAIN;
    if (!c->lane_unrung)
        tern_lane_ring(c->lane);
    return stop > 0 ? TERN_ERR_AGAIN : stop;
}
