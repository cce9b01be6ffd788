/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a TCP segment to a step.
 *
 * Each direction of a connection is followed as a stream of offsets: what was seen in order (next),
 * what was seen beyond a hole, and the highest byte. By that a segment's data is new, beyond a
 * hole, the filling of a hole, or seen before. Segments of one class that follow each other, and
 * the ACKs of one class that come back for them, are one step. Everything else (SYN, FIN, RST, a
 * hole, a silence) ends a burst.
 *
 * A segment may take part in several steps: its data in one, its FIN in the next.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

struct segment {
    struct tern_model *m;
    const struct model_packet *p;
    struct tern_tcp_header h;
    struct model_conn *c;
    uint16_t conn;
    struct model_dir *own, *other; /* the sender's direction, and the opposite one */
    struct tern_model_side *side;
    uint64_t payload_bytes;
    tern_span payload; /* as much of it as was recorded */
};

/* The offset of a sequence number, near the highest byte seen; negative: before the stream. */
static int64_t offset_of(const struct model_dir *d, tern_seq seq)
{
    tern_seq max = tern_seq_add(d->zero, (uint32_t)d->max);

    return (int64_t)d->max + tern_seq_diff(seq, max);
}

static uint64_t not_negative(int64_t offset)
{
    return offset < 0 ? 0 : (uint64_t)offset;
}

static uint64_t pieces_of(uint64_t bytes, uint64_t piece_bytes)
{
    return piece_bytes == 0 ? 1 : (bytes + piece_bytes - 1) / piece_bytes;
}

static void dir_begin(struct model_dir *d, tern_seq zero, bool syn)
{
    memset(d, 0, sizeof *d);
    d->known = true;
    d->syn_seen = syn;
    d->zero = zero;
    tern_ranges_init(&d->beyond, d->item, MODEL_RANGES_MAX);
}

static bool conn_is(const struct model_conn *c, const struct tern_endpoint *us,
                    const struct tern_endpoint *peer)
{
    return tern_endpoint_equal(&c->out.us, us) && tern_endpoint_equal(&c->out.peer, peer);
}

/* Is this SYN the beginning of another connection between the same endpoints? */
static bool is_reincarnation(const struct model_conn *c, const struct segment *s)
{
    const struct model_dir *d = &c->dir[s->p->from == TERN_LANE_PEER];

    return (s->h.flags & TERN_TCP_SYN) != 0 && (s->h.flags & TERN_TCP_ACK) == 0 && d->known &&
           !tern_seq_eq(tern_seq_add(s->h.seq, 1), d->zero);
}

static struct model_conn *conn_add(struct tern_model *m, const struct tern_endpoint *us,
                                   const struct tern_endpoint *peer)
{
    if (m->conn_count == MODEL_CONNS_MAX)
        return NULL;
    struct model_conn *c = &m->conn[m->conn_count++];

    memset(c, 0, sizeof *c);
    c->out.us = *us;
    c->out.peer = *peer;
    for (size_t i = 0; i < 2; i++)
        tern_ranges_init(&c->dir[i].beyond, c->dir[i].item, MODEL_RANGES_MAX);
    model_conn_started(m, c);
    return c;
}

static struct model_conn *conn_find(struct segment *s)
{
    struct tern_model *m = s->m;
    struct tern_endpoint src = {.addr = s->p->ip.src, .port = s->h.src_port};
    struct tern_endpoint dst = {.addr = s->p->ip.dst, .port = s->h.dst_port};
    bool is_peers = s->p->from == TERN_LANE_PEER;
    const struct tern_endpoint *us = is_peers ? &dst : &src;
    const struct tern_endpoint *peer = is_peers ? &src : &dst;

    for (size_t i = m->conn_count; i-- > 0;)
        if (conn_is(&m->conn[i], us, peer) && !is_reincarnation(&m->conn[i], s))
            return &m->conn[i];
    return conn_add(m, us, peer);
}

static struct tern_step *step_add(const struct segment *s, enum tern_step_kind kind)
{
    struct tern_step *step = model_step_add(s->m, kind, s->p->from, s->p->at);

    if (step == NULL)
        return NULL;
    step->conn = s->conn;
    step->why = s->p->cause;
    return step;
}

static void step_reaches(struct tern_step *step, tern_time at)
{
    if (at > step->until)
        step->until = at;
}

static bool is_recent(const struct segment *s, const struct tern_step *step)
{
    return step->conn == s->conn && s->p->at - step->until <= s->m->options.fold_gap;
}

/* ---- SYN ---- */

static void on_syn(struct segment *s)
{
    bool is_ack = (s->h.flags & TERN_TCP_ACK) != 0;
    tern_seq zero = tern_seq_add(s->h.seq, 1);
    bool is_again = s->own->known && s->own->syn_seen && tern_seq_eq(s->own->zero, zero);

    if (!is_again)
        dir_begin(s->own, zero, true);
    s->own->wscale_seen = s->h.has_wscale;
    s->own->wscale = s->h.wscale > 14 ? 14 : s->h.wscale; /* RFC 7323 §2.3 */
    s->own->window_last = s->h.window;
    struct tern_step *step = step_add(s, is_ack ? TERN_STEP_SYN_ACK : TERN_STEP_SYN);

    if (step == NULL)
        return;
    step->again = is_again;
    step->mss = s->h.has_mss ? s->h.mss : 0;
    model_step_settled(s->m, step);
}

/* ---- data ---- */

static enum tern_data_class data_class(const struct model_dir *d, uint64_t start, uint64_t end)
{
    if (start >= d->max)
        return d->next == d->max && start == d->max ? TERN_DATA_NEW : TERN_DATA_BEYOND;
    if (end <= d->next || tern_ranges_covers(&d->beyond, start > d->next ? start : d->next, end))
        return TERN_DATA_AGAIN;
    return TERN_DATA_FILL;
}

/* Bytes [start, end) were seen. More holes than there is room for: those behind are forgotten. */
static void dir_saw(struct model_dir *d, uint64_t start, uint64_t end)
{
    if (end > d->max)
        d->max = end;
    if (start <= d->next) {
        if (end > d->next)
            d->next = end;
    } else if (!tern_ranges_add(&d->beyond, start, end)) {
        tern_ranges_trim(&d->beyond, end);
        d->next = end;
    }
    while (d->beyond.count > 0 && d->beyond.item[0].start <= d->next) {
        if (d->beyond.item[0].end > d->next)
            d->next = d->beyond.item[0].end;
        tern_ranges_trim(&d->beyond, d->next);
    }
}

static void step_head(const struct segment *s, struct tern_step_data *data)
{
    size_t n = s->payload.bytes;

    if (n > TERN_STEP_HEAD_BYTES)
        n = TERN_STEP_HEAD_BYTES;
    if (n > 0)
        memcpy(data->head, s->payload.data, n);
    data->head_bytes = (uint8_t)n;
}

/* A burst that these bytes continue; in a crowded list nearly any will do. */
static struct tern_step *burst_find(const struct segment *s, enum tern_data_class class,
                                    uint64_t start)
{
    struct tern_model *m = s->m;
    struct tern_step *last = model_step_last(m);

    if (last == NULL)
        return NULL;
    if (last->kind == TERN_STEP_DATA && last->from == s->p->from && is_recent(s, last) &&
        last->data.class == class && last->data.end == start && !last->data.fin)
        return last;
    if (!model_is_crowded(m))
        return NULL;
    for (size_t i = 0; i < MODEL_LOOK_BACK && i < m->step_count; i++) {
        struct tern_step *step = &m->step[m->step_count - 1 - i];

        if (step->kind == TERN_STEP_FIN || step->kind == TERN_STEP_RST)
            return NULL;
        if (step->kind == TERN_STEP_DATA && step->from == s->p->from && step->conn == s->conn)
            return step;
    }
    return NULL;
}

static void burst_join(struct tern_step *step, enum tern_data_class class, uint64_t start,
                       uint64_t end, uint64_t segments)
{
    struct tern_step_data *d = &step->data;

    if (d->class != class || d->end != start) {
        if (d->class == TERN_DATA_AGAIN || d->class == TERN_DATA_FILL)
            d->again_segments += d->segments;
        d->class = TERN_DATA_MIXED;
    }
    if (d->class == TERN_DATA_MIXED && (class == TERN_DATA_AGAIN || class == TERN_DATA_FILL))
        d->again_segments += segments;
    d->segments += segments;
    if (start < d->start)
        d->start = start;
    if (end > d->end)
        d->end = end;
}

/* Bytes are missing before this segment: say so, in a step of its own while there is room. */
static void on_hole(const struct segment *s, uint64_t start)
{
    uint64_t missing = pieces_of(start - s->own->max, s->own->mss);

    s->side->missing_segments += missing;
    if (model_is_crowded(s->m)) {
        struct tern_step *burst = burst_find(s, TERN_DATA_MIXED, start);

        if (burst != NULL)
            burst->data.missing_segments += missing;
        return;
    }
    struct tern_step *step = step_add(s, TERN_STEP_HOLE);

    if (step == NULL)
        return;
    step->data.start = s->own->max;
    step->data.end = start;
    step->data.segments = missing;
}

/* A sender of ours that sends something for the second time, or its first data with a handshake's
 * ACK. */
static void on_data(struct segment *s)
{
    int64_t first = offset_of(s->own, s->h.seq);
    uint64_t start = not_negative(first);
    uint64_t end = not_negative(first + (int64_t)s->payload_bytes);
    uint64_t piece = s->p->gso_bytes > 0 ? s->p->gso_bytes : s->payload_bytes;
    uint64_t segments = pieces_of(s->payload_bytes, piece);
    enum tern_data_class class = data_class(s->own, start, end);

    if (piece > s->own->mss)
        s->own->mss = (uint32_t)piece;
    if (start > s->own->max)
        on_hole(s, start);
    s->side->segments += segments;
    s->side->bytes += s->payload_bytes;
    if (class == TERN_DATA_AGAIN || class == TERN_DATA_FILL)
        s->side->again_segments += segments;
    dir_saw(s->own, start, end);
    s->side->stream_bytes = s->own->max;

    struct tern_step *step = burst_find(s, class, start);

    if (step != NULL) {
        burst_join(step, class, start, end, segments);
    } else {
        step = step_add(s, TERN_STEP_DATA);
        if (step == NULL)
            return;
        step->data = (struct tern_step_data){
            .class = class, .cause = s->p->cause, .segments = segments, .start = start, .end = end};
        step_head(s, &step->data);
        if (!s->own->acked && s->other->syn_seen && (s->h.flags & TERN_TCP_ACK) != 0)
            step->acks.class = TERN_ACK_HANDSHAKE;
        model_step_settled(s->m, step);
    }
    step->data.fin = (s->h.flags & TERN_TCP_FIN) != 0;
    step_reaches(step, s->p->at);
}

/* ---- ACKs ---- */

static uint64_t window_of(const struct segment *s)
{
    bool is_scaled = s->own->wscale_seen && s->other->wscale_seen;

    return (uint64_t)s->h.window << (is_scaled ? s->own->wscale : 0);
}

static bool covers_fin(const struct model_dir *other, int64_t upto)
{
    return other->fin_seen && upto > (int64_t)other->fin_at;
}

/* The offset that an ACK speaks of: the FIN counts as the end of the stream. */
static int64_t ack_offset(const struct segment *s)
{
    int64_t upto = offset_of(s->other, s->h.ack);

    return covers_fin(s->other, upto) ? (int64_t)s->other->fin_at : upto;
}

static bool acks_fin(const struct segment *s)
{
    return covers_fin(s->other, offset_of(s->other, s->h.ack));
}

static enum tern_ack_class ack_class(const struct segment *s, int64_t upto, uint64_t window)
{
    const struct model_dir *own = s->own;

    if (acks_fin(s) && !own->ack_fin)
        return TERN_ACK_FIN;
    if (!own->acked && s->other->syn_seen && upto <= 0)
        return TERN_ACK_HANDSHAKE;
    if (window == 0)
        return TERN_ACK_CLOSED;
    if (!own->acked || not_negative(upto) != own->ack_last)
        return TERN_ACK_PLAIN;
    if (s->h.sack_count == 0 && window != own->window_last)
        return TERN_ACK_WINDOW;
    return TERN_ACK_DUPLICATE;
}

static bool ack_merges(const struct tern_step_acks *acks, enum tern_ack_class class)
{
    bool is_easy = class == TERN_ACK_PLAIN || class == TERN_ACK_WINDOW;
    bool was_easy = acks->class == TERN_ACK_PLAIN || acks->class == TERN_ACK_WINDOW;

    if (class == TERN_ACK_FIN || class == TERN_ACK_HANDSHAKE)
        return false;
    return acks->count == 0 || acks->class == class || (is_easy && was_easy);
}

static struct tern_step *ack_home(const struct segment *s, enum tern_ack_class class)
{
    struct tern_step *last = model_step_last(s->m);
    bool is_crowded = model_is_crowded(s->m);

    if (last == NULL || last->conn != s->conn || (!is_recent(s, last) && !is_crowded))
        return NULL;
    /* The FIN that a burst ended with is a step of its own; the ACKs are still the burst's. */
    if (last->kind == TERN_STEP_FIN && last->from != s->p->from && s->m->step_count > 1 &&
        last[-1].kind == TERN_STEP_DATA && last[-1].data.fin && last[-1].conn == s->conn)
        last = last - 1;
    bool is_answer = last->kind == TERN_STEP_DATA && last->from != s->p->from;
    bool is_sequel = last->kind == TERN_STEP_ACK && last->from == s->p->from;

    if (!is_answer && !is_sequel)
        return NULL;
    if (is_crowded && class != TERN_ACK_FIN && class != TERN_ACK_HANDSHAKE)
        return last;
    return ack_merges(&last->acks, class) ? last : NULL;
}

/* The first block tells of bytes that came twice, or of the newest beyond a hole. */
static void ack_note_sack(const struct segment *s, struct tern_step_acks *a)
{
    uint8_t newest = 0;

    a->sack = false;
    if (s->h.sack_count == 0)
        return;
    if (tern_seq_le(s->h.sack[0].end, s->h.ack)) {
        a->dsack = true;
        newest = 1;
    }
    if (newest >= s->h.sack_count)
        return;
    a->sack = true;
    a->sack_lo = not_negative(offset_of(s->other, s->h.sack[newest].start));
    a->sack_hi = not_negative(offset_of(s->other, s->h.sack[newest].end));
}

static void ack_note(const struct segment *s, struct tern_step *step, enum tern_ack_class class,
                     int64_t upto, uint64_t window)
{
    struct tern_step_acks *a = &step->acks;

    if (a->count == 0) {
        a->class = class;
        a->cause = s->p->cause;
        a->at = s->p->at;
    } else if (class == TERN_ACK_PLAIN && a->class == TERN_ACK_WINDOW) {
        a->class = TERN_ACK_PLAIN;
    }
    a->count++;
    a->upto = not_negative(upto);
    a->window = window;
    a->until = s->p->at;
    a->fin = acks_fin(s);
    ack_note_sack(s, a);
    step_reaches(step, s->p->at);
}

static void on_pure_ack(struct segment *s)
{
    int64_t upto = ack_offset(s);
    uint64_t window = window_of(s);
    enum tern_ack_class class = ack_class(s, upto, window);
    struct tern_step *step = ack_home(s, class);

    s->side->acks++;
    if (class == TERN_ACK_DUPLICATE)
        s->side->duplicate_acks++;
    if (class == TERN_ACK_CLOSED)
        s->side->zero_windows++;
    if (step == NULL)
        step = step_add(s, TERN_STEP_ACK);
    if (step == NULL)
        return;
    ack_note(s, step, class, upto, window);
    model_step_settled(s->m, step);
}

/* Any segment's ACK field, for judging the next one's. */
static void remember_ack(struct segment *s)
{
    if ((s->h.flags & TERN_TCP_ACK) == 0 || !s->other->known)
        return;
    s->own->window_last = window_of(s);
    if ((s->h.flags & TERN_TCP_SYN) != 0)
        return;
    s->own->ack_fin = s->own->ack_fin || acks_fin(s);
    s->own->acked = true;
    s->own->ack_last = not_negative(ack_offset(s));
}

/* ---- FIN and RST ---- */

static void on_fin(struct segment *s)
{
    uint64_t at = not_negative(offset_of(s->own, s->h.seq) + (int64_t)s->payload_bytes);
    bool is_again = s->own->fin_seen;
    struct tern_step *step = step_add(s, TERN_STEP_FIN);

    s->own->fin_seen = true;
    s->own->fin_at = at;
    s->c->out.closed_by_fin = s->own->fin_seen && s->other->fin_seen;
    if (step == NULL)
        return;
    step->again = is_again;
    step->acks_fin = (s->h.flags & TERN_TCP_ACK) != 0 && !s->own->ack_fin &&
                     covers_fin(s->other, offset_of(s->other, s->h.ack));
    model_step_settled(s->m, step);
}

static void on_rst(struct segment *s)
{
    struct tern_step *last = model_step_last(s->m);

    s->side->resets++;
    if (s->p->from != TERN_LANE_KERNEL)
        s->c->out.closed_by_reset = true;
    if (last != NULL && last->kind == TERN_STEP_RST && last->from == s->p->from &&
        is_recent(s, last)) {
        last->count++;
        step_reaches(last, s->p->at);
        return;
    }
    struct tern_step *step = step_add(s, TERN_STEP_RST);

    if (step != NULL)
        model_step_settled(s->m, step);
}

static void segment_tell(struct segment *s)
{
    if ((s->h.flags & TERN_TCP_RST) != 0) {
        on_rst(s);
        return;
    }
    if ((s->h.flags & TERN_TCP_SYN) != 0) {
        on_syn(s);
        remember_ack(s);
        return;
    }
    if (!s->own->known)
        dir_begin(s->own, s->h.seq, false);
    if (!s->other->known && (s->h.flags & TERN_TCP_ACK) != 0)
        dir_begin(s->other, s->h.ack, false);
    if (s->payload_bytes > 0)
        on_data(s);
    if ((s->h.flags & TERN_TCP_FIN) != 0)
        on_fin(s);
    else if (s->payload_bytes == 0 && (s->h.flags & TERN_TCP_ACK) != 0)
        on_pure_ack(s);
    remember_ack(s);
}

void model_tcp(struct tern_model *m, const struct model_packet *p)
{
    struct segment s = {.m = m, .p = p};

    if (!tern_tcp_parse(p->body, &s.h, &s.payload)) {
        (void)model_step_add(m, TERN_STEP_FRAME, p->from, p->at);
        return;
    }
    size_t before = (size_t)(s.payload.data - p->body.data);

    s.payload_bytes = s.payload.bytes;
    s.payload = tern_span_first(s.payload, p->known_bytes > before ? p->known_bytes - before : 0);
    s.c = conn_find(&s);
    if (s.c == NULL) {
        (void)model_step_add(m, TERN_STEP_FRAME, p->from, p->at);
        return;
    }
    s.conn = (uint16_t)(s.c - m->conn);
    s.own = &s.c->dir[p->from == TERN_LANE_PEER];
    s.other = &s.c->dir[p->from != TERN_LANE_PEER];
    s.side = p->from == TERN_LANE_PEER ? &s.c->out.from_peer : &s.c->out.from_us;
    segment_tell(&s);
}
