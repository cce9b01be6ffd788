/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP header and its options (RFC 9293 §3.1, §3.2).
 *
 * Options in: unknown kinds are skipped by their length (RFC 9293 §3.1, MUST-6); a length that is
 * impossible, or wrong for its kind, ends the parsing of options (MUST-7), and those read before
 * stay. Where a kind comes twice the last one counts. Which options mean something on which segment
 * is the engine's business.
 *
 * Options out, in this order, each group filled up to four bytes with NOPs in front, so that no
 * padding is needed at the end: MSS; SACK-permitted with timestamps (RFC 7323 appendix A's layout
 * for timestamps alone); window scale; SACK blocks, as many as the 40 bytes still hold; a fast-open
 * cookie, filled up behind. A cookie of an impossible length counts as no cookie at all
 * (RFC 7413 §4.1.1), and ends nothing.
 */
#include "wire/tcp.h"

#include "base/assert.h"

#define OFF_SRC_PORT 0
#define OFF_DST_PORT 2
#define OFF_SEQ      4
#define OFF_ACK      8
#define OFF_OFFSET   12
#define OFF_FLAGS    13
#define OFF_WINDOW   14
#define OFF_URGENT   18

#define OPTIONS_BYTES_MAX (TERN_TCP_HEADER_BYTES_MAX - TERN_TCP_HEADER_BYTES)
#define SACK_BLOCK_BYTES  8

enum option_kind {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,            /* RFC 9293 §3.7.1 */
    KIND_WSCALE = 3,         /* RFC 7323 §2.2 */
    KIND_SACK_PERMITTED = 4, /* RFC 2018 §2 */
    KIND_SACK = 5,           /* RFC 2018 §3 */
    KIND_TIMESTAMPS = 8,     /* RFC 7323 §3.2 */
    KIND_FASTOPEN = 34,      /* RFC 7413 §4.1.1 */
    KIND_EXPERIMENT = 254,   /* RFC 6994 §3 */
};

/* Whole options, with kind and length. */
enum option_bytes {
    BYTES_MSS = 4,
    BYTES_WSCALE = 3,
    BYTES_SACK_PERMITTED = 2,
    BYTES_SACK_EMPTY = 2,
    BYTES_TIMESTAMPS = 10,
    BYTES_FASTOPEN_EMPTY = 2,
    BYTES_EXPERIMENT_EMPTY = 4,
};

/* What nearly every segment carries: two NOPs, kind and length, and the two numbers. */
#define TWO_NOPS               (KIND_NOP << 24 | KIND_NOP << 16)
#define TIMESTAMPS_ALONE       (TWO_NOPS | KIND_TIMESTAMPS << 8 | BYTES_TIMESTAMPS)
#define TIMESTAMPS_ALONE_BYTES (TERN_TCP_HEADER_BYTES + 2 + BYTES_TIMESTAMPS)

#define EXPERIMENT_FASTOPEN 0xf989 /* IANA's list of TCP experimental option identifiers */

/* The blocks of a SACK option of this many bytes. False: no whole number of them, or 0, or > 4. */
static bool parse_sack(struct tern_reader *r, size_t bytes, struct tern_tcp_header *out)
{
    size_t count = (bytes - BYTES_SACK_EMPTY) / SACK_BLOCK_BYTES;

    if ((bytes - BYTES_SACK_EMPTY) % SACK_BLOCK_BYTES != 0)
        return false;
    if (count == 0 || count > TERN_TCP_SACK_BLOCKS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        out->sack[i].start = tern_seq_of(tern_read_be32(r));
        out->sack[i].end = tern_seq_of(tern_read_be32(r));
    }
    out->sack_count = (uint8_t)count;
    return true;
}

static void parse_fastopen(tern_span value, struct tern_tcp_header *out)
{
    if (value.bytes != 0 && (value.bytes < TERN_TCP_COOKIE_BYTES_MIN ||
                             value.bytes > TERN_TCP_COOKIE_BYTES_MAX || value.bytes % 2 != 0))
        return;
    out->has_fastopen = true;
    out->fastopen_experimental = false;
    out->cookie_bytes = (uint8_t)value.bytes;
    memset(out->cookie, 0, sizeof out->cookie);
    if (value.bytes > 0)
        memcpy(out->cookie, value.data, value.bytes);
}

/* Fast Open as deployed before it had a kind of its own; of both forms, the one with a kind counts.
 */
static void parse_experiment(tern_span value, struct tern_tcp_header *out)
{
    const bool had = out->has_fastopen;

    if (value.bytes < 2 || tern_get_be16(value.data) != EXPERIMENT_FASTOPEN ||
        (had && !out->fastopen_experimental))
        return;
    parse_fastopen(tern_span_from(value, 2), out);
    out->fastopen_experimental = out->has_fastopen;
}

/* One option behind its kind and length; value: exactly what is left of it. False: malformed. */
static bool parse_option(unsigned kind, tern_span value, struct tern_tcp_header *out)
{
    struct tern_reader r = tern_reader_of(value);
    size_t bytes = value.bytes + 2;

    switch (kind) {
    case KIND_MSS:
        if (bytes != BYTES_MSS)
            return false;
        out->has_mss = true;
        out->mss = tern_read_be16(&r);
        return true;
    case KIND_WSCALE:
        if (bytes != BYTES_WSCALE)
            return false;
        out->has_wscale = true;
        out->wscale = tern_read_u8(&r);
        return true;
    case KIND_SACK_PERMITTED:
        if (bytes != BYTES_SACK_PERMITTED)
            return false;
        out->sack_permitted = true;
        return true;
    case KIND_SACK:
        return parse_sack(&r, bytes, out);
    case KIND_TIMESTAMPS:
        if (bytes != BYTES_TIMESTAMPS)
            return false;
        out->has_timestamps = true;
        out->ts_value = tern_read_be32(&r);
        out->ts_echo = tern_read_be32(&r);
        return true;
    case KIND_FASTOPEN:
        parse_fastopen(value, out);
        return true;
    case KIND_EXPERIMENT:
        parse_experiment(value, out);
        return true;
    default:
        return true;
    }
}

static void parse_options(tern_span options, struct tern_tcp_header *out)
{
    struct tern_reader r = tern_reader_of(options);

    for (unsigned i = 0; i < OPTIONS_BYTES_MAX && r.left.bytes > 0; i++) {
        unsigned kind = tern_read_u8(&r);
        const uint8_t *value;
        size_t bytes;

        if (kind == KIND_END)
            return;
        if (kind == KIND_NOP)
            continue;
        bytes = tern_read_u8(&r);
        if (r.failed || bytes < 2)
            return;
        value = tern_read_bytes(&r, bytes - 2);
        if (r.failed || !parse_option(kind, tern_span_of(value, bytes - 2), out))
            return;
    }
}

bool tern_tcp_parse(tern_span in, struct tern_tcp_header *out, tern_span *body)
{
    const uint8_t *p = in.data;
    size_t header_bytes;

    if (in.bytes < TERN_TCP_HEADER_BYTES)
        return false;
    header_bytes = (size_t)(p[OFF_OFFSET] >> 4) * 4;
    if (header_bytes < TERN_TCP_HEADER_BYTES || header_bytes > in.bytes)
        return false;
    *out = (struct tern_tcp_header){
        .src_port = tern_get_be16(p + OFF_SRC_PORT),
        .dst_port = tern_get_be16(p + OFF_DST_PORT),
        .seq = tern_seq_of(tern_get_be32(p + OFF_SEQ)),
        .ack = tern_seq_of(tern_get_be32(p + OFF_ACK)),
        .flags = p[OFF_FLAGS],
        .window = tern_get_be16(p + OFF_WINDOW),
        .urgent = tern_get_be16(p + OFF_URGENT),
    };
    if (header_bytes == TIMESTAMPS_ALONE_BYTES &&
        tern_get_be32(p + TERN_TCP_HEADER_BYTES) == TIMESTAMPS_ALONE) {
        out->has_timestamps = true;
        out->ts_value = tern_get_be32(p + TERN_TCP_HEADER_BYTES + 4);
        out->ts_echo = tern_get_be32(p + TERN_TCP_HEADER_BYTES + 8);
    } else if (header_bytes > TERN_TCP_HEADER_BYTES)
        parse_options(tern_span_from(tern_span_first(in, header_bytes), TERN_TCP_HEADER_BYTES),
                      out);
    *body = tern_span_from(in, header_bytes);
    return true;
}

static size_t fastopen_bytes(const struct tern_tcp_header *tcp)
{
    return (size_t)tcp->cookie_bytes +
           (tcp->fastopen_experimental ? BYTES_EXPERIMENT_EMPTY : BYTES_FASTOPEN_EMPTY);
}

/* Bytes of all options but SACK blocks, each group with the NOPs in front of it. */
static size_t fixed_option_bytes(const struct tern_tcp_header *tcp)
{
    size_t bytes = 0;

    if (tcp->has_mss)
        bytes += BYTES_MSS;
    if (tcp->has_timestamps)
        bytes += 2 + BYTES_TIMESTAMPS; /* two NOPs, or SACK-permitted in their place */
    else if (tcp->sack_permitted)
        bytes += 2 + BYTES_SACK_PERMITTED;
    if (tcp->has_wscale)
        bytes += 1 + BYTES_WSCALE;
    if (tcp->has_fastopen)
        bytes += (fastopen_bytes(tcp) + 3) & ~(size_t)3;
    return bytes;
}

static size_t sack_blocks_that_fit(const struct tern_tcp_header *tcp)
{
    size_t left = OPTIONS_BYTES_MAX - fixed_option_bytes(tcp);
    size_t fit = left < 2 + BYTES_SACK_EMPTY ? 0 : (left - 2 - BYTES_SACK_EMPTY) / SACK_BLOCK_BYTES;

    TERN_ASSERT(tcp->sack_count <= TERN_TCP_SACK_BLOCKS_MAX);
    TERN_ASSERT(tcp->cookie_bytes <= TERN_TCP_COOKIE_BYTES_MAX);
    TERN_ASSERT(left <= OPTIONS_BYTES_MAX);
    return tcp->sack_count < fit ? tcp->sack_count : fit;
}

/* No options but timestamps, if they are there. */
static bool is_plain(const struct tern_tcp_header *tcp)
{
    return !tcp->has_mss && !tcp->has_wscale && !tcp->sack_permitted && tcp->sack_count == 0 &&
           !tcp->has_fastopen;
}

size_t tern_tcp_header_bytes(const struct tern_tcp_header *tcp)
{
    size_t blocks, sack_bytes;

    if (is_plain(tcp))
        return tcp->has_timestamps ? TIMESTAMPS_ALONE_BYTES : TERN_TCP_HEADER_BYTES;
    blocks = sack_blocks_that_fit(tcp);
    sack_bytes = blocks == 0 ? 0 : 2 + BYTES_SACK_EMPTY + blocks * SACK_BLOCK_BYTES;

    return TERN_TCP_HEADER_BYTES + fixed_option_bytes(tcp) + sack_bytes;
}

static void emit_start(struct tern_writer *w, enum option_kind kind, size_t bytes)
{
    tern_write_u8(w, (uint8_t)kind);
    tern_write_u8(w, (uint8_t)bytes);
}

static void emit_nops(struct tern_writer *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        tern_write_u8(w, KIND_NOP);
}

static void emit_sack(const struct tern_tcp_header *tcp, struct tern_writer *w)
{
    size_t blocks = sack_blocks_that_fit(tcp);

    if (blocks == 0)
        return;
    emit_nops(w, 2);
    emit_start(w, KIND_SACK, BYTES_SACK_EMPTY + blocks * SACK_BLOCK_BYTES);
    for (size_t i = 0; i < blocks; i++) {
        tern_write_be32(w, tcp->sack[i].start.value);
        tern_write_be32(w, tcp->sack[i].end.value);
    }
}

static void emit_fastopen(const struct tern_tcp_header *tcp, struct tern_writer *w)
{
    if (tcp->fastopen_experimental) {
        emit_start(w, KIND_EXPERIMENT, fastopen_bytes(tcp));
        tern_write_be16(w, EXPERIMENT_FASTOPEN);
    } else {
        emit_start(w, KIND_FASTOPEN, fastopen_bytes(tcp));
    }
    tern_write_bytes(w, tcp->cookie, tcp->cookie_bytes);
    emit_nops(w, fastopen_bytes(tcp) % 4 == 0 ? 0 : 2);
}

static void emit_options(const struct tern_tcp_header *tcp, struct tern_writer *w)
{
    if (tcp->has_mss) {
        emit_start(w, KIND_MSS, BYTES_MSS);
        tern_write_be16(w, tcp->mss);
    }
    if (tcp->sack_permitted != tcp->has_timestamps)
        emit_nops(w, 2);
    if (tcp->sack_permitted)
        emit_start(w, KIND_SACK_PERMITTED, BYTES_SACK_PERMITTED);
    if (tcp->has_timestamps) {
        emit_start(w, KIND_TIMESTAMPS, BYTES_TIMESTAMPS);
        tern_write_be32(w, tcp->ts_value);
        tern_write_be32(w, tcp->ts_echo);
    }
    if (tcp->has_wscale) {
        emit_nops(w, 1);
        emit_start(w, KIND_WSCALE, BYTES_WSCALE);
        tern_write_u8(w, tcp->wscale);
    }
    emit_sack(tcp, w);
    if (tcp->has_fastopen)
        emit_fastopen(tcp, w);
}

static void emit_fixed(const struct tern_tcp_header *tcp, size_t header_bytes, uint8_t *p)
{
    tern_put_be16(p + OFF_SRC_PORT, tcp->src_port);
    tern_put_be16(p + OFF_DST_PORT, tcp->dst_port);
    tern_put_be32(p + OFF_SEQ, tcp->seq.value);
    tern_put_be32(p + OFF_ACK, tcp->ack.value);
    p[OFF_OFFSET] = (uint8_t)(header_bytes / 4 << 4);
    p[OFF_FLAGS] = tcp->flags;
    tern_put_be16(p + OFF_WINDOW, tcp->window);
    tern_put_be16(p + TERN_TCP_OFF_CHECKSUM, 0);
    tern_put_be16(p + OFF_URGENT, tcp->urgent);
}

static void emit_timestamps_alone(const struct tern_tcp_header *tcp, uint8_t *p)
{
    tern_put_be32(p, TIMESTAMPS_ALONE);
    tern_put_be32(p + 4, tcp->ts_value);
    tern_put_be32(p + 8, tcp->ts_echo);
}

void tern_tcp_emit(const struct tern_tcp_header *tcp, struct tern_writer *w)
{
    const bool plain = is_plain(tcp);
    size_t header_bytes = tern_tcp_header_bytes(tcp);
    size_t before = w->bytes;
    uint8_t *p = tern_write_room(w, plain ? header_bytes : TERN_TCP_HEADER_BYTES);

    TERN_ASSERT(header_bytes % 4 == 0);
    TERN_ASSERT(header_bytes <= TERN_TCP_HEADER_BYTES_MAX);
    if (p == NULL)
        return;
    emit_fixed(tcp, header_bytes, p);
    if (!plain)
        emit_options(tcp, w);
    else if (tcp->has_timestamps)
        emit_timestamps_alone(tcp, p + TERN_TCP_HEADER_BYTES);
    TERN_ASSERT(w->failed || w->bytes - before == header_bytes);
}
