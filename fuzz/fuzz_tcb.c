/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP engine alone. The first byte of the input chooses a state of RFC 9293 §3.3.2, which a
 * little script reaches; the second the options that both sides have. Then each command is a
 * segment from the peer, a call of the application, or a wait. After each one the engine says all
 * that it has to say, its text is read to the last byte, and its structures are checked. At the end
 * all memory is back in its pools.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "proto/tcp/internal.h"
#include "segment.h"

const size_t fuzz_head_bytes = 3;

#define CHUNK_SHIFT  10
#define CHUNKS       48
#define MAP_COUNT    32
#define BUFFER_BYTES 20000
#define RANGES       4
#define COMMANDS_MAX 400
#define AT_ONCE_MAX  2000 /* segments at one moment: what buffers and window allow, and far more */

struct world {
    struct tern_tcp_env env;
    struct tern_trace_ring traces;
    uint64_t drops[TERN_DROP_COUNT];
    struct tern_tcb tcb;
    struct fuzz_peer peer;
    tern_time now;
    bool closed; /* the application gave up its handle */
    uint8_t ecn; /* of the segment at hand */
};

static uint8_t text[FUZZ_TEXT_BYTES_MAX];

static void init_pool(struct tern_pool *pool, void **memory, size_t item_bytes, uint32_t count)
{
    const size_t bytes = (tern_pool_bytes(item_bytes, count) + 63) / 64 * 64;

    if (*memory == NULL)
        *memory = aligned_alloc(64, bytes);
    TERN_ASSERT(*memory != NULL);
    memset(*memory, 0, bytes);
    tern_pool_init(pool, *memory, item_bytes, count);
}

static void init_env(struct world *w, uint8_t options)
{
    static void *memory[4];

    init_pool(&w->env.chunks.chunks, &memory[0], 1u << CHUNK_SHIFT, CHUNKS);
    init_pool(&w->env.chunks.maps, &memory[1], MAP_COUNT * sizeof(uint32_t), 2);
    init_pool(&w->env.ranges, &memory[2],
              sizeof(struct tern_ranges) + TERN_TCP_SACK_RANGES * sizeof(struct tern_range),
              RANGES);
    init_pool(&w->env.logs, &memory[3], sizeof(struct tern_sentlog), 1);
    w->env.chunks.chunk_shift = CHUNK_SHIFT;
    w->env.chunks.map_count = MAP_COUNT;
    w->env.ranges_count = TERN_TCP_SACK_RANGES;
    w->env.traces = &w->traces;
    w->env.drops = w->drops;
    w->env.mtu_bytes = (options & 1) != 0 ? 576 : 1500;
    w->env.tso = (options & 2) != 0;
    w->env.super_bytes_max = 6u << CHUNK_SHIFT;
    w->env.send_buffer_bytes = BUFFER_BYTES;
    w->env.receive_buffer_bytes = BUFFER_BYTES;
    w->env.hold_frames = (options & 4) != 0 ? 8 : 0;
    w->env.hold_bytes = 8 * 65536;
}

/* ---- what comes out ---- */

static void judge(struct world *w, const struct tern_segment_out *out)
{
    const uint8_t flags = out->h.flags;
    uint64_t at = out->text_at;
    uint32_t left = out->text_bytes;

    TERN_ASSERT(out->cause < TERN_CAUSE_COUNT);
    TERN_ASSERT(tern_tcp_header_bytes(&out->h) <= TERN_TCP_HEADER_BYTES_MAX);
    TERN_ASSERT(left == 0 || (flags & TERN_TCP_RST) == 0);
    TERN_ASSERT(left == 0 || (flags & TERN_TCP_SYN) == 0 || out->h.cookie_bytes > 0);
    if (out->piece_bytes == 0)
        TERN_ASSERT(tern_tcp_header_bytes(&out->h) + 20 + left <= w->env.mtu_bytes);
    while (left > 0) {
        const struct tern_slice s = tern_bytequeue_slice(&w->tcb.sendq, &w->env.chunks, at, left);

        for (size_t i = 0; i < s.bytes; i++)
            TERN_ASSERT(s.data[i] == 0x5a);
        at += s.bytes;
        left -= (uint32_t)s.bytes;
    }
}

static void drain(struct world *w)
{
    struct tern_segment_out out;
    uint32_t count = 0;

    while (tern_tcb_output(&w->tcb, w->now, &out)) {
        const uint8_t flags = out.h.flags;

        judge(w, &out);
        fuzz_hear_segment(&w->peer, &out.h,
                          out.text_bytes + ((flags & TERN_TCP_SYN) != 0) +
                              ((flags & TERN_TCP_FIN) != 0));
        TERN_ASSERT(++count < AT_ONCE_MAX);
    }
    w->tcb.events = 0;
    tern_tcb_check(&w->tcb);
    TERN_ASSERT(w->env.send_chunks == w->tcb.sendq.held);
    TERN_ASSERT(tern_tcb_unread(&w->tcb) <= BUFFER_BYTES + (2u << CHUNK_SHIFT));
    TERN_ASSERT(tern_tcb_deadline(&w->tcb) > w->now);
}

/* ---- what goes in ---- */

static void segment(struct world *w, struct tern_tcp_header *h, uint32_t bytes, uint32_t piece)
{
    struct tern_segment seg = {.h = *h, .text = tern_span_of(text, bytes), .piece_bytes = piece};

    seg.ecn = w->ecn;
    if (w->tcb.state == TERN_TCP_CLOSED)
        return; /* nothing reaches a closed connection */
    tern_tcb_input(&w->tcb, &seg, w->now);
    if ((h->flags & TERN_TCP_ACK) != 0 && (int32_t)(h->ack.value - w->peer.our_una) > 0 &&
        (int32_t)(h->ack.value - w->peer.our_nxt) <= 0)
        w->peer.our_una = h->ack.value;
    drain(w);
}

static void write_some(struct world *w, uint8_t amount)
{
    static uint8_t bytes[8192];

    memset(bytes, 0x5a, sizeof bytes);
    if (!w->closed && !w->tcb.snd.fin_queued && w->tcb.state != TERN_TCP_CLOSED &&
        w->tcb.state != TERN_TCP_TIME_WAIT)
        (void)tern_tcb_write(&w->tcb, bytes, amount * 32u + 1);
}

static void read_some(struct world *w, uint8_t amount)
{
    const uint64_t unread = tern_tcb_unread(&w->tcb);

    if (!w->closed)
        tern_tcb_skip(&w->tcb, (size_t)tern_min_u64(unread, amount * 64u), w->now);
}

/* Settings, as settings_of() has them from one byte. */
static struct tern_tcp_settings settings_of(uint8_t how)
{
    static const char *const congestion[] = {NULL, "bbr", "reno", "cubic"};
    struct tern_tcp_settings set;

    tern_tcp_settings_defaults(&set);
    set.congestion = congestion[how & 3];
    set.ecn = (how & 4) == 0;
    set.keepalive = (how & 8) != 0;
    set.user_timeout = (how & 8) != 0 ? 5 * TERN_SECOND : 0;
    set.cork = (how & 16) != 0;
    set.urgent_inline = (how & 32) == 0;
    set.mtu_probe = (how & 64) != 0 ? TERN_MTU_PROBE_ALWAYS : TERN_MTU_PROBE_BLACK_HOLE;
    set.window_clamp_bytes = (how & 128) != 0 ? 1000 : 0;
    set.nodelay = (how & 192) == 192;
    return set;
}

static void mark(struct world *w, uint8_t which)
{
    static const uint8_t byte = 0x5a;

    if (w->tcb.snd.fin_queued || tern_tcb_write(&w->tcb, &byte, 1) == 0)
        return;
    if (which == 0)
        tern_tcb_mark_urgent(&w->tcb);
    else if (which == 2)
        tern_tcb_mark_record(&w->tcb);
    else
        tern_tcb_mark_more(&w->tcb);
}

static void call_rare(struct world *w, uint8_t which)
{
    struct tern_tcp_settings set = settings_of((uint8_t)(which * 37u));
    uint8_t byte;

    switch (which & 7) {
    case 0: /* they follow a write */
    case 2:
    case 3:
        mark(w, which & 7);
        break;
    case 1:
        (void)tern_tcb_read_urgent(&w->tcb, &byte, (which & 8) != 0);
        break;
    case 4:
        w->env.mtu_bytes = which < 128 ? 576 : 1500;
        tern_tcb_own_mtu(&w->tcb, w->env.mtu_bytes);
        break;
    case 5:
        tern_tcb_fastopen_go(&w->tcb);
        break;
    default:
        set.timestamps = set.sack = set.window_scale = true;
        TERN_ASSERT(tern_tcp_settings_valid(&set));
        tern_tcb_set(&w->tcb, &set, w->now);
        if (tern_tcb_deadline(&w->tcb) <= w->now) /* it had waited for longer than it now may */
            tern_tcb_expire(&w->tcb, w->now);
    }
}

static void call_more(struct world *w, uint8_t amount)
{
    if (amount < 16) {
        tern_tcb_abort(&w->tcb, TERN_CAUSE_RST_ABORT, w->now);
        w->closed = true;
    } else if (!w->closed && w->tcb.state != TERN_TCP_CLOSED &&
               w->tcb.state != TERN_TCP_TIME_WAIT) {
        call_rare(w, amount);
    }
}

static void call(struct world *w, uint8_t which, uint8_t amount)
{
    switch (which) {
    case 0:
        write_some(w, amount);
        break;
    case 1:
        read_some(w, amount);
        break;
    case 2:
        if (!w->closed)
            tern_tcb_shutdown(&w->tcb, w->now);
        break;
    case 3:
        if (!w->closed)
            tern_tcb_close(&w->tcb, w->now);
        w->closed = true;
        break;
    case 4:
        tern_tcb_icmp(&w->tcb, tern_seq_of(w->peer.our_una + (amount >> 1)), amount & 1,
                      TERN_ERR_UNREACHABLE, w->now);
        break;
    case 5:
        tern_tcb_path_mtu(&w->tcb, tern_seq_of(w->peer.our_una), amount * 8u, amount * 9u, w->now);
        break;
    case 6:
        tern_tcb_unreachable(&w->tcb, w->now);
        break;
    default:
        call_more(w, amount);
    }
    drain(w);
}

static void pass_time(struct world *w, uint8_t amount)
{
    const tern_time at = tern_tcb_deadline(&w->tcb);
    const tern_time step = amount < 128 ? amount * TERN_MS : (amount - 127) * TERN_SECOND;

    w->now = amount == 0 && at != TERN_TIME_NEVER ? at : w->now + step;
    w->peer.ts += (uint32_t)(step / TERN_MS);
    if (tern_tcb_deadline(&w->tcb) <= w->now)
        tern_tcb_expire(&w->tcb, w->now);
    drain(w);
}

/* ---- the way to a state ---- */

/* A segment that is just right. */
static void proper(struct world *w, uint8_t flags, uint8_t options, uint32_t bytes)
{
    struct tern_tcp_header h = {.src_port = w->peer.port, .dst_port = w->peer.our_port};
    const uint8_t none[16] = {5, 0xb4, 7};
    struct tern_reader in = tern_reader_of(tern_span_of(none, sizeof none));

    h.flags = flags;
    h.seq = tern_seq_of(w->peer.nxt - ((flags & TERN_TCP_SYN) != 0 && w->peer.synchronised));
    h.ack = tern_seq_of(w->peer.our_nxt);
    h.window = 20000;
    fuzz_read_options(&in, &w->peer, options & (uint8_t)~FUZZ_HAS_SACK, &h);
    segment(w, &h, bytes, 0);
}

static void open_active(struct world *w, const struct tern_tcb_options *o)
{
    tern_tcb_open_active(&w->tcb, &w->env, o, w->now);
    drain(w);
}

static void open_passive(struct world *w, const struct tern_tcb_options *o, uint8_t options)
{
    struct tern_segment syn = {.text = tern_span_of(text, 0)};
    const uint8_t none[16] = {5, 0xb4, 7};
    struct tern_reader in = tern_reader_of(tern_span_of(none, sizeof none));

    syn.h.flags = TERN_TCP_SYN;
    syn.h.seq = tern_seq_of(w->peer.nxt);
    syn.h.window = 20000;
    fuzz_read_options(&in, &w->peer, options & (uint8_t)~FUZZ_HAS_SACK, &syn.h);
    tern_tcb_open_passive(&w->tcb, &w->env, o, &syn, w->now);
    drain(w);
}

static void establish(struct world *w, const struct tern_tcb_options *o, uint8_t options)
{
    open_active(w, o);
    tern_tcb_fastopen_go(&w->tcb); /* else its SYN may wait for text */
    drain(w);
    proper(w, TERN_TCP_SYN | TERN_TCP_ACK, options | FUZZ_HAS_MSS | FUZZ_HAS_WSCALE | FUZZ_SACK_OK,
           0);
    TERN_ASSERT(w->tcb.state == TERN_TCP_ESTABLISHED);
}

#define PATHS 12

static void reach(struct world *w, const struct tern_tcb_options *o, uint8_t path, uint8_t options)
{
    const uint8_t ts = options & FUZZ_HAS_TS;

    switch (path) {
    case 0:
        open_active(w, o);
        return;
    case 1:
        open_passive(w, o, options);
        return;
    case 2: /* simultaneous open */
        open_active(w, o);
        proper(w, TERN_TCP_SYN, options, 0);
        return;
    case 3:
        open_passive(w, o, options);
        proper(w, TERN_TCP_ACK, ts, 0);
        return;
    case 4:
        establish(w, o, options);
        return;
    default:
        establish(w, o, options);
        break;
    }
    if (path == 5)
        return;
    if (path == 8 || path == 9) { /* CLOSE-WAIT, LAST-ACK */
        proper(w, TERN_TCP_FIN | TERN_TCP_ACK, ts, 100);
        if (path == 9)
            tern_tcb_shutdown(&w->tcb, w->now);
        drain(w);
        return;
    }
    tern_tcb_shutdown(&w->tcb, w->now); /* FIN-WAIT-1 */
    drain(w);
    if (path == 7 || path == 11) /* FIN-WAIT-2 */
        proper(w, TERN_TCP_ACK, ts, 0);
    if (path == 10) { /* CLOSING */
        w->peer.our_nxt--;
        proper(w, TERN_TCP_FIN | TERN_TCP_ACK, ts, 0);
        w->peer.our_nxt++;
    }
    if (path == 11) /* TIME-WAIT */
        proper(w, TERN_TCP_FIN | TERN_TCP_ACK, ts, 0);
}

/* ---- commands ---- */

void fuzz_skip_command(struct tern_reader *in)
{
    const struct fuzz_peer nobody = {.port = 80};
    struct tern_tcp_header h;

    if ((tern_read_u8(in) & 7) >= 6)
        (void)tern_read_u8(in);
    else
        (void)fuzz_read_segment(in, &nobody, &h);
}

size_t fuzz_fresh_command(uint32_t *random, uint8_t *out)
{
    const uint32_t kind = fuzz_draw(random, 8);

    if (kind < 5) {
        out[0] = (uint8_t)((fuzz_draw(random, 32) << 3) | fuzz_draw(random, 6));
        return 1 + fuzz_fresh_segment(random, out + 1);
    }
    out[0] = kind == 5 ? 7 : (uint8_t)(6 | fuzz_draw(random, 8) << 3);
    out[1] = kind == 5 && fuzz_draw(random, 2) == 0 ? 0 : (uint8_t)fuzz_draw(random, 256);
    return 2;
}

static void step(struct world *w, struct tern_reader *in)
{
    const uint8_t command = tern_read_u8(in);
    struct tern_tcp_header h;
    uint32_t bytes;

    switch (command & 7) {
    case 6:
        call(w, (command >> 3) & 7, tern_read_u8(in));
        break;
    case 7:
        pass_time(w, tern_read_u8(in));
        break;
    default:
        bytes = fuzz_read_segment(in, &w->peer, &h);
        w->ecn = (command >> 3) & TERN_ECN_MASK;
        segment(w, &h, bytes, (command & 7) == 5 ? 500 : 0);
    }
}

/* Half of the worlds that have settings: with a cookie, or to ask for one. */
static void offer_fastopen(struct tern_tcb_options *o, uint8_t path, uint8_t more)
{
    if ((path & 0xc0) != 0xc0)
        return;
    o->set.fastopen = o->fastopen.option = true;
    o->fastopen.accept = (more & 4) != 0;
    o->fastopen.mss = 1400;
    o->fastopen.cookie.bytes = (more & 8) != 0 ? 8 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct world *w = &world;
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    const uint8_t path = tern_read_u8(&in), options = tern_read_u8(&in);
    const uint8_t isn = tern_read_u8(&in);
    const uint8_t more = (path & 0x80) != 0 ? tern_read_u8(&in) : 0;
    struct tern_tcb_options o = {.id = 1, .ts_offset = 1000};

    memset(w, 0, sizeof *w);
    init_env(w, path >> 4);
    w->now = TERN_SECOND;
    w->peer = (struct fuzz_peer){.our_port = 5000, .port = 80, .ts = 77};
    w->peer.nxt = w->peer.edge = (uint32_t)(isn & 0xc0) << 24;
    w->peer.nxt -= isn & 0x3f;
    o.local = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 1), 5000};
    o.remote = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), 80};
    o.iss = tern_seq_of(((uint32_t)(isn & 0x30) << 26) - 5);
    o.cc = tern_cc_find((options & 0x20) != 0 ? "reno" : "cubic");
    o.ack_every = (options & 0x40) != 0 ? 100 * TERN_MS : 0;
    if ((path & 0x80) != 0)
        o.set = settings_of(more);
    if (o.set.congestion != NULL)
        o.cc = tern_cc_find(o.set.congestion);
    offer_fastopen(&o, path, more);
    o.set.timestamps = o.set.sack = o.set.window_scale = true;
    o.set.nodelay = o.set.nodelay || (options & 0x80) != 0;
    reach(w, &o, (path & 15) % PATHS, options & 0x1f);
    for (int i = 0; i < COMMANDS_MAX && in.left.bytes > 0; i++) {
        struct tern_reader same = in;

        fuzz_skip_command(&same);
        step(w, &in);
        TERN_ASSERT(in.left.data == same.left.data);
    }
    tern_tcb_fini(&w->tcb);
    TERN_ASSERT(w->env.chunks.chunks.used == 0);
    TERN_ASSERT(w->env.chunks.maps.used == 0);
    TERN_ASSERT(w->env.ranges.used == 0);
    TERN_ASSERT(w->env.logs.used == 0);
    TERN_ASSERT(w->env.synchronised_count == 0);
    return 0;
}
