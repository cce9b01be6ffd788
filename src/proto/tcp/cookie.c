/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYN cookies (RFC 4987 §3.6): when a listener can keep no more unfinished handshakes, the SYN-ACK
 * itself carries what must be remembered, and the ACK that answers it brings it back.
 *
 * Our first sequence number is three bits of the peer's MSS, as the number of a row of a table, and
 * 29 bits of a keyed hash of the endpoints, the peer's first number, that row, and a clock that
 * ticks every 64 s. A cookie is good in its own tick and the next: an attacker who cannot see the
 * SYN-ACK has two chances in 2^29 with each ACK. The low six bits of the timestamp, if the peer
 * has them, carry its other options: 4 bits of window scale (15: none), SACK, ECN; with a peer that
 * has none, no option is agreed to. They are not authenticated, since a peer that forges them lies
 * about itself alone.
 *
 * What it costs, and why it is used under pressure only: a SYN-ACK that is lost is not sent again,
 * an option that the timestamp does not hold is lost, and the number does not grow with the clock
 * of RFC 6528.
 *
 * The SYN-ACK is made by a control block like any other, which is forgotten at once.
 */
#include "proto/tcp/cookie.h"

#include "proto/tcp/internal.h"

#define TICK          (64 * TERN_SECOND)
#define HASH_BITS     29
#define HASH_MASK     ((UINT32_C(1) << HASH_BITS) - 1)
#define STAMP_BITS    6
#define STAMP_MASK    ((UINT32_C(1) << STAMP_BITS) - 1)
#define NO_WSCALE     15u
#define STAMP_SACK    16u
#define STAMP_ECN     32u
#define MESSAGE_BYTES (16 + 16 + 2 + 2 + 4 + 8 + 1)

/* What paths commonly leave: IPv6's least, tunnels and Ethernet with and without options,
 * jumbo frames. */
static const uint16_t mss_rows[8] = {
    TERN_TCP_MSS_MIN, 256, TERN_TCP_MSS_DEFAULT, 1220, 1360, 1440, 1460, 8960};

static uint32_t row_of(const struct tern_tcp_header *syn)
{
    const uint32_t mss = syn->has_mss ? syn->mss : TERN_TCP_MSS_DEFAULT;
    uint32_t row = 7;

    while (row > 0 && mss_rows[row] > mss)
        row--;
    return row;
}

static tern_seq make(const struct tern_hash_key *key, const struct tern_tcb_options *o,
                     tern_seq peer_first, uint32_t row, uint64_t tick)
{
    uint8_t message[MESSAGE_BYTES] = {0};
    struct tern_writer w = tern_writer_of(message, sizeof message);

    tern_write_bytes(&w, o->local.addr.b, 16);
    tern_write_bytes(&w, o->remote.addr.b, 16);
    tern_write_be16(&w, o->local.port);
    tern_write_be16(&w, o->remote.port);
    tern_write_be32(&w, peer_first.value);
    tern_write_be32(&w, (uint32_t)(tick >> 32));
    tern_write_be32(&w, (uint32_t)tick);
    tern_write_u8(&w, (uint8_t)row);
    TERN_ASSERT(!w.failed);
    return tern_seq_of(row << HASH_BITS |
                       ((uint32_t)tern_hash(key, message, sizeof message) & HASH_MASK));
}

/* The timestamp with the options in its low bits: never one that lies in the future. */
static uint32_t stamp(uint32_t ts_value, const struct tern_tcp_header *syn, bool ecn)
{
    uint32_t bits = syn->has_wscale ? syn->wscale : NO_WSCALE;
    uint32_t stamped;

    if (syn->has_wscale && bits > TERN_TCP_WSCALE_MAX)
        bits = TERN_TCP_WSCALE_MAX;
    bits |= syn->sack_permitted ? STAMP_SACK : 0;
    bits |= ecn ? STAMP_ECN : 0;
    stamped = (ts_value & ~STAMP_MASK) | bits;
    return (int32_t)(stamped - ts_value) > 0 ? stamped - (1u << STAMP_BITS) : stamped;
}

void tern_cookie_answer(const struct tern_hash_key *key, const struct tern_tcp_env *env,
                        struct tern_tcb_options *o, const struct tern_segment *syn, tern_time now,
                        struct tern_segment_out *out)
{
    struct tern_trace_ring silent = {.count_max = 0};
    struct tern_tcp_env unseen; /* in which nothing is counted, traced or promised */
    struct tern_tcb c;
    bool made;

    TERN_ASSERT(now >= 0);
    memcpy(&unseen, env, offsetof(struct tern_tcp_env, borrow));
    unseen.borrow.count = 0;
    unseen.traces = &silent;
    unseen.observer.tell = NULL;
    o->iss = make(key, o, syn->h.seq, row_of(&syn->h), (uint64_t)now / (uint64_t)TICK);
    tern_tcb_open_passive(&c, &unseen, o, syn, now);
    if (!c.opt.timestamps) /* nothing will bring the other options back: agree to none */
        tern_tcb_forgo_options(&c);
    made = tern_tcb_output(&c, now, out);
    TERN_ASSERT(made);
    out->cause = TERN_CAUSE_SYN_COOKIE;
    if (out->h.has_timestamps)
        out->h.ts_value = stamp(out->h.ts_value, &syn->h, (out->h.flags & TERN_TCP_ECE) != 0);
}

/* What the SYN said, as far as its ACK brings it back. */
static void recall(const struct tern_segment *ack, uint32_t row, struct tern_segment *syn)
{
    const uint32_t bits = ack->h.ts_echo & STAMP_MASK;

    *syn = (struct tern_segment){.h = ack->h};
    syn->h.seq = tern_seq_of(ack->h.seq.value - 1);
    syn->h.flags = TERN_TCP_SYN;
    syn->h.has_mss = true;
    syn->h.mss = mss_rows[row];
    if (!ack->h.has_timestamps)
        return;
    syn->h.sack_permitted = (bits & STAMP_SACK) != 0;
    syn->h.has_wscale = (bits & NO_WSCALE) != NO_WSCALE;
    syn->h.wscale = bits & NO_WSCALE;
    if ((bits & STAMP_ECN) != 0)
        syn->h.flags |= TERN_TCP_ECE | TERN_TCP_CWR;
}

bool tern_cookie_accept(const struct tern_hash_key *key, struct tern_tcb_options *o,
                        const struct tern_segment *ack, tern_time now, struct tern_segment *syn)
{
    const uint64_t tick = (uint64_t)now / (uint64_t)TICK;
    const tern_seq cookie = tern_seq_of(ack->h.ack.value - 1);
    const tern_seq peer_first = tern_seq_of(ack->h.seq.value - 1);
    const uint32_t row = cookie.value >> HASH_BITS;

    if ((ack->h.flags & (TERN_TCP_ACK | TERN_TCP_SYN | TERN_TCP_RST)) != TERN_TCP_ACK)
        return false;
    if (!tern_seq_eq(cookie, make(key, o, peer_first, row, tick)) &&
        (tick == 0 || !tern_seq_eq(cookie, make(key, o, peer_first, row, tick - 1))))
        return false;
    o->iss = cookie;
    recall(ack, row, syn);
    return true;
}

bool tern_cookie_may_answer(const struct tern_tcb *c, const struct tern_segment *ack,
                            struct tern_segment *first)
{
    const uint64_t seq = tern_tcb_unwrap(c->rcv.nxt, ack->h.seq);
    const uint64_t number = tern_tcb_unwrap(c->snd.nxt, ack->h.ack);

    if (c->state != TERN_TCP_SYN_RECEIVED || seq < c->rcv.nxt || seq > c->rcv.adv ||
        (number > c->snd.iss && number <= c->snd.max))
        return false;
    *first = *ack;
    first->h.seq = tern_tcb_wrap(c->rcv.irs + 1);
    return true;
}

void tern_tcb_give_way(struct tern_tcb *c, tern_time now)
{
    TERN_ASSERT(c->state == TERN_TCP_SYN_RECEIVED);
    TERN_ASSERT(!c->rst_due);
    c->stray_rst_due = false;
    tern_tcb_finish(c, TERN_ERR_ABORTED, now);
}

void tern_tcb_open_cookie(struct tern_tcb *c, struct tern_tcp_env *env,
                          const struct tern_tcb_options *o, const struct tern_segment *syn,
                          tern_time now)
{
    tern_tcb_open_passive(c, env, o, syn, now);
    c->syn_due = false;
    c->snd.nxt = c->snd.max = c->snd.iss + 1;
    /* What the SYN-ACK promised is not remembered, but it was no more than this; what now finds no
     * room is dropped, and sent again (RFC 9293 §3.8.6: a window does not shrink). */
    c->rcv.adv = c->rcv.nxt + tern_tcb_syn_promise_max(c);
    tern_tcb_note_promise(c);
}
