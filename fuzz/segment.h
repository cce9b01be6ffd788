/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_SEGMENT_H
#define TERN_FUZZ_SEGMENT_H
/*
 * TCP segments near the numbers of a connection that lives. No fuzzer guesses 32 bits, so what it
 * draws is how far a number lies from one that matters, and in a byte mostly.
 */
#include "mutate.h"
#include "wire/tcp.h"

#define FUZZ_TEXT_BYTES_MAX 6000
#define FUZZ_SEGMENT_BYTES  10 /* of input, at the most, but for its options */

/* What the peer of a connection knows of it, seen from outside. */
struct fuzz_peer {
    uint16_t our_port, port;
    uint32_t our_una, our_nxt; /* what it has acknowledged, and the end of what we sent */
    uint32_t nxt, edge;        /* what we acknowledged, and the right edge of our window */
    uint32_t our_ts;           /* our last timestamp */
    uint32_t ts;               /* its clock */
    uint8_t our_wscale;        /* what our SYN said */
    uint8_t cookie_bytes;      /* the fast-open cookie that we gave it; 0: none */
    uint8_t cookie[TERN_TCP_COOKIE_BYTES_MAX];
    bool synchronised; /* we have acknowledged something */
};

enum {
    FUZZ_HAS_TS = 1,
    FUZZ_HAS_SACK = 2,
    FUZZ_HAS_MSS = 4,
    FUZZ_HAS_WSCALE = 8,
    FUZZ_SACK_OK = 16,
    FUZZ_HAS_FASTOPEN = 32
};

/* A number near base, or near other, by a byte and for some bytes one more. */
static inline uint32_t fuzz_near(struct tern_reader *in, uint32_t base, uint32_t other)
{
    const uint8_t how = tern_read_u8(in);
    const uint8_t step = how & 0x1f;

    switch (how >> 5) {
    case 0:
        return base;
    case 1:
        return base + step;
    case 2:
        return base - step;
    case 3:
        return base + 100u * step;
    case 4:
        return other - step;
    case 5:
        return other + step;
    case 6:
        return base + tern_read_be16(in);
    default:
        return base + ((uint32_t)step << 27) + tern_read_u8(in);
    }
}

/* A fast-open cookie: none, the one that we gave, or another of any length that may be. */
static inline void fuzz_read_cookie(struct tern_reader *in, const struct fuzz_peer *peer,
                                    struct tern_tcp_header *h)
{
    const uint8_t how = tern_read_u8(in);

    h->has_fastopen = true;
    h->fastopen_experimental = (how & 16) != 0;
    if ((how & 32) != 0) {
        h->cookie_bytes = peer->cookie_bytes;
        memcpy(h->cookie, peer->cookie, sizeof h->cookie);
    } else if ((how & 7) != 0) {
        h->cookie_bytes = (uint8_t)(2 + 2 * (how & 7));
        memset(h->cookie, how, sizeof h->cookie);
    }
    h->cookie[0] ^= how >> 6;
}

static inline void fuzz_read_options(struct tern_reader *in, const struct fuzz_peer *peer,
                                     uint8_t options, struct tern_tcp_header *h)
{
    if ((options & FUZZ_HAS_TS) != 0) {
        h->has_timestamps = true;
        h->ts_value = peer->ts + (options >> 6) - 1;
        h->ts_echo = peer->our_ts;
    }
    if ((options & FUZZ_HAS_MSS) != 0) {
        h->has_mss = true;
        h->mss = tern_read_be16(in);
    }
    if ((options & FUZZ_HAS_WSCALE) != 0) {
        h->has_wscale = true;
        h->wscale = tern_read_u8(in);
    }
    h->sack_permitted = (options & FUZZ_SACK_OK) != 0;
    if ((options & FUZZ_HAS_FASTOPEN) != 0)
        fuzz_read_cookie(in, peer, h);
    if ((options & FUZZ_HAS_SACK) == 0)
        return;
    h->sack_count = (uint8_t)(1 + (tern_read_u8(in) & 3));
    for (uint8_t i = 0; i < h->sack_count; i++) {
        h->sack[i].start = tern_seq_of(fuzz_near(in, peer->our_una, peer->our_nxt));
        h->sack[i].end = tern_seq_of(fuzz_near(in, peer->our_una, peer->our_nxt));
    }
}

/* A segment from the peer: its header, and how many bytes of text. */
static inline uint32_t fuzz_read_segment(struct tern_reader *in, const struct fuzz_peer *peer,
                                         struct tern_tcp_header *h)
{
    const uint8_t options = tern_read_u8(in);
    uint32_t text;

    memset(h, 0, sizeof *h);
    h->src_port = peer->port;
    h->dst_port = peer->our_port;
    h->flags = tern_read_u8(in);
    h->seq = tern_seq_of(fuzz_near(in, peer->nxt, peer->edge));
    h->ack = tern_seq_of(fuzz_near(in, peer->our_nxt, peer->our_una));
    h->window = (uint16_t)(tern_read_u8(in) * 257u);
    text = tern_read_u8(in);
    if (text >= 64)
        text = (text - 63) * 31;
    fuzz_read_options(in, peer, options, h);
    return text < FUZZ_TEXT_BYTES_MAX ? text : FUZZ_TEXT_BYTES_MAX;
}

/* A segment that a real peer, or one who means harm, might send now; its length. */
static inline size_t fuzz_fresh_segment(uint32_t *random, uint8_t *out)
{
    enum { HERE = 0, AHEAD = 0x60, BEHIND = 0x40, AT_EDGE = 0x80, BEYOND = 0xa0 };
    static const uint8_t flags[] = {TERN_TCP_ACK,
                                    TERN_TCP_ACK,
                                    TERN_TCP_ACK | TERN_TCP_PSH,
                                    TERN_TCP_ACK | TERN_TCP_FIN,
                                    TERN_TCP_SYN,
                                    TERN_TCP_SYN | TERN_TCP_ACK,
                                    TERN_TCP_RST,
                                    TERN_TCP_ACK | TERN_TCP_URG,
                                    TERN_TCP_ACK | TERN_TCP_ECE,
                                    TERN_TCP_ACK | TERN_TCP_CWR};
    static const uint8_t where[] = {HERE, HERE, HERE, AHEAD, AHEAD, BEHIND, AT_EDGE, BEYOND};
    struct tern_writer w = tern_writer_of(out, 40);
    const uint8_t flag = flags[fuzz_draw(random, 10)];
    uint8_t options = (uint8_t)(fuzz_draw(random, 4) << 6);

    if (fuzz_draw(random, 2) == 0)
        options |= FUZZ_HAS_TS;
    if ((flag & TERN_TCP_SYN) != 0)
        options |= (uint8_t)(fuzz_draw(random, 16) << 2);
    else if (fuzz_draw(random, 4) == 0)
        options |= FUZZ_HAS_SACK;
    tern_write_u8(&w, options);
    tern_write_u8(&w, flag);
    tern_write_u8(&w, where[fuzz_draw(random, 8)] | (uint8_t)fuzz_draw(random, 32));
    tern_write_u8(&w, where[fuzz_draw(random, 8)] | (uint8_t)fuzz_draw(random, 32));
    tern_write_u8(&w, fuzz_draw(random, 4) == 0 ? 0 : (uint8_t)fuzz_draw(random, 256)); /* window */
    tern_write_u8(&w, fuzz_draw(random, 2) == 0 ? 0 : (uint8_t)fuzz_draw(random, 256)); /* text */
    if ((options & FUZZ_HAS_MSS) != 0)
        tern_write_be16(&w,
                        (uint16_t)(fuzz_draw(random, 2) == 0 ? 1460 : fuzz_draw(random, 65536)));
    if ((options & FUZZ_HAS_WSCALE) != 0)
        tern_write_u8(&w, (uint8_t)fuzz_draw(random, 16));
    if ((options & FUZZ_HAS_FASTOPEN) != 0)
        tern_write_u8(&w, (uint8_t)fuzz_draw(random, 256));
    if ((options & FUZZ_HAS_SACK) != 0) {
        tern_write_u8(&w, 0);
        tern_write_u8(&w, (uint8_t)(AHEAD | fuzz_draw(random, 16)));
        tern_write_u8(&w, (uint8_t)(AHEAD | (16 + fuzz_draw(random, 16))));
    }
    return w.bytes;
}

/* The peer hears a segment of ours, of so many sequence numbers. */
static inline void fuzz_hear_segment(struct fuzz_peer *peer, const struct tern_tcp_header *h,
                                     uint32_t sequence_length)
{
    const bool syn = (h->flags & TERN_TCP_SYN) != 0;
    const uint32_t end = h->seq.value + sequence_length;

    if ((h->flags & TERN_TCP_RST) != 0)
        return;
    if (syn) {
        peer->our_una = h->seq.value;
        peer->our_nxt = end;
        peer->our_wscale = h->has_wscale ? h->wscale : 0;
        if (h->has_fastopen && h->cookie_bytes > 0) {
            peer->cookie_bytes = h->cookie_bytes;
            memcpy(peer->cookie, h->cookie, sizeof peer->cookie);
        }
    }
    if ((int32_t)(end - peer->our_nxt) > 0)
        peer->our_nxt = end;
    if ((h->flags & TERN_TCP_ACK) != 0) {
        peer->nxt = h->ack.value;
        peer->edge = h->ack.value + ((uint32_t)h->window << (syn ? 0 : peer->our_wscale & 15));
        peer->synchronised = true;
    }
    if (h->has_timestamps)
        peer->our_ts = h->ts_value;
}

#endif
