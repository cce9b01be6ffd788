/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_TCP_H
#define TERN_WIRE_TCP_H
/* TCP's header and options (RFC 9293 §3.1; RFC 7323 §2, §3; RFC 2018 §2, §3; RFC 7413 §4.1.1). */
#include "base/bytes.h"
#include "base/seq.h"

#define TERN_TCP_HEADER_BYTES     20
#define TERN_TCP_HEADER_BYTES_MAX 60
#define TERN_TCP_SACK_BLOCKS_MAX  4
#define TERN_TCP_COOKIE_BYTES_MIN 4 /* of a fast-open cookie (RFC 7413 §4.1.1) */
#define TERN_TCP_COOKIE_BYTES_MAX 16

enum {
    TERN_TCP_FIN = 0x01,
    TERN_TCP_SYN = 0x02,
    TERN_TCP_RST = 0x04,
    TERN_TCP_PSH = 0x08,
    TERN_TCP_ACK = 0x10,
    TERN_TCP_URG = 0x20,
    TERN_TCP_ECE = 0x40,
    TERN_TCP_CWR = 0x80,
};

struct tern_sack_block {
    tern_seq start, end;
};

struct tern_tcp_header {
    uint16_t src_port, dst_port;
    tern_seq seq, ack;
    uint8_t flags;
    uint16_t window; /* as it stands in the header, unscaled */
    uint16_t urgent;
    /* options; a present flag each where zero is a value */
    bool has_mss, has_wscale, has_timestamps, sack_permitted;
    uint16_t mss;
    uint8_t wscale; /* as sent; RFC 7323 §2.3's limit of 14 is the engine's business */
    uint32_t ts_value, ts_echo;
    uint8_t sack_count;
    struct tern_sack_block sack[TERN_TCP_SACK_BLOCKS_MAX];
    bool has_fastopen;
    bool fastopen_experimental; /* in the form from before RFC 7413: an experiment (RFC 6994) */
    uint8_t cookie_bytes;       /* 0: a cookie is asked for; else 4 to 16, and even */
    uint8_t cookie[TERN_TCP_COOKIE_BYTES_MAX];
};

/* False: short, or a data offset that is impossible. Options that are malformed end the parsing of
 * options (RFC 9293 §3.1: must not crash); unknown ones are skipped. The checksum is not read. */
bool tern_tcp_parse(tern_span in, struct tern_tcp_header *out, tern_span *body);

/* Bytes that the header will take with its options, padded to 4. SACK blocks that do not fit 40
 * bytes of options are left out (the last first). A fast-open cookie leaves no room for them where
 * it is longer than 8 bytes. */
size_t tern_tcp_header_bytes(const struct tern_tcp_header *tcp);
/* Header and options, checksum field zero: the caller sums what follows. */
void tern_tcp_emit(const struct tern_tcp_header *tcp, struct tern_writer *w);

#define TERN_TCP_OFF_SEQ      4
#define TERN_TCP_OFF_FLAGS    13
#define TERN_TCP_OFF_CHECKSUM 16

#endif
