/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP segment: its connection, what its flags say, and in which order the other files of the
 * model see it. It may take part in several steps: its data in one, its FIN in the next.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

static struct tern_step *step_add(const struct segment *s, enum tern_step_kind kind)
{
    struct tern_step *step = model_step_add(s->m, s->c, kind, s->from, s->p->at);

    if (step == NULL)
        return NULL;
    step->why = s->p->cause;
    model_step_words(step, s->p->comment);
    return step;
}

/* Any segment, even without data, tells by its number how far its sender had come. */
static void told(struct segment *s)
{
    int64_t end = model_offset(s->own, s->h.seq) + (int64_t)s->payload_bytes +
                  ((s->h.flags & TERN_TCP_FIN) != 0 ? 1 : 0);

    if (end > s->own->told && !s->window_probe)
        s->own->told = end;
}

/* ---- SYN ---- */

static void syn_options(struct segment *s)
{
    struct tern_model_side *side = s->side;

    side->mss = s->h.has_mss ? s->h.mss : 0;
    side->has_wscale = s->h.has_wscale;
    side->wscale = s->h.wscale > 14 ? 14 : s->h.wscale; /* RFC 7323 §2.3 */
    side->sack_permitted = s->h.sack_permitted;
    side->timestamps = s->h.has_timestamps;
    side->syn_seen = true;
    s->own->wscale_seen = side->has_wscale;
    s->own->wscale = side->wscale;
    s->own->window_last = s->h.window;
}

static void on_syn(struct segment *s)
{
    bool is_ack = (s->h.flags & TERN_TCP_ACK) != 0;
    tern_seq zero = tern_seq_add(s->h.seq, 1);
    bool is_again = s->own->known && s->own->syn_seen && tern_seq_eq(s->own->zero, zero);

    if (is_again) {
        s->own->syn_again = true;
        /* Where its text went by before as well, that is judged, and both are one packet. */
        if (s->payload_bytes == 0 || s->own->max == 0)
            model_judge_again(s, s->own->syn_at);
    } else {
        model_dir_begin(s->own, zero, true);
        s->own->syn_at = s->p->at;
    }
    s->own->sent_at = s->p->at;
    syn_options(s);
    if (is_ack && s->other->syn_at >= 0 && !s->other->syn_again && !is_again)
        model_quantile_add(&s->other->rtt, s->p->at - s->other->syn_at);
    struct tern_step *step = step_add(s, is_ack ? TERN_STEP_SYN_ACK : TERN_STEP_SYN);

    if (step == NULL)
        return;
    step->again = is_again;
    step->data.first_at = s->first_at;
    step->mss = s->side->mss > UINT16_MAX ? UINT16_MAX : (uint16_t)s->side->mss;
    model_step_settled(s->m, s->c, step);
}

/* Text that rides on a SYN (RFC 7413 §4.2) begins behind the SYN's own number. */
static void syn_text(struct segment *s)
{
    s->h.seq = tern_seq_add(s->h.seq, 1);
    if (s->payload_bytes == 0)
        return;
    s->again = TERN_AGAIN_NOT; /* that was of the SYN */
    model_data(s);
    s->own->syn_text = s->end;
    told(s);
}

/* The client's first ACK after both SYNs: the handshake is complete, whatever was reset before. */
static void handshake_ends(struct segment *s)
{
    if (s->c->is_open || !s->own->syn_seen || !s->other->syn_seen)
        return;
    bool clean = !s->own->syn_again && !s->other->syn_again;

    s->c->out.closed_by_reset = false;
    if (s->own->syn_at >= 0 && s->other->syn_at >= s->own->syn_at && clean) {
        if (s->p->at - s->own->syn_at <= MODEL_TRIP_MAX)
            s->c->out.handshake = s->p->at - s->own->syn_at;
        model_quantile_add(&s->other->rtt, s->p->at - s->other->syn_at);
    }
}

/* ---- FIN and RST ---- */

static void on_fin(struct segment *s)
{
    int64_t offset = model_offset(s->own, s->h.seq) + (int64_t)s->payload_bytes;
    /* Mid-stream, what this side said before may show that it comes again. */
    bool is_again = s->own->fin_seen || offset < 0;

    s->own->fin_again = is_again;
    if (is_again && s->payload_bytes == 0)
        model_judge_again(s, s->own->fin_time);
    if (!is_again)
        s->own->fin_time = s->p->at;
    /* A FIN that came before the last bytes tells how many there are. */
    if (offset > (int64_t)s->own->max) {
        model_data_missing(s, (uint64_t)offset);
        model_dir_rose(s);
        s->own->max = (uint64_t)offset;
    }
    struct tern_step *step = step_add(s, TERN_STEP_FIN);

    s->own->sent_at = s->p->at;
    s->own->fin_seen = true;
    s->own->fin_at = offset < 0 ? 0 : (uint64_t)offset;
    s->side->fin_seen = true;
    s->c->out.closed_by_fin = s->own->fin_seen && s->other->fin_seen;
    if (step == NULL)
        return;
    step->again = is_again;
    step->data.first_at = is_again ? s->own->fin_time : -1;
    step->acks_fin = (s->h.flags & TERN_TCP_ACK) != 0 && !s->own->ack_fin && model_acks_fin(s);
    model_step_settled(s->m, s->c, step);
}

static void on_rst(struct segment *s)
{
    struct tern_step *last = model_step_last(s->m, s->c);

    s->side->resets++;
    if (s->from != TERN_LANE_KERNEL && !s->c->out.closed_by_reset) {
        s->c->out.closed_by_reset = true;
        s->c->out.reset_by = s->by;
    }
    if (last != NULL && last->kind == TERN_STEP_RST && last->from == s->from &&
        s->p->at - last->until <= s->m->options.fold_gap) {
        last->count++;
        last->until = s->p->at;
        return;
    }
    struct tern_step *step = step_add(s, TERN_STEP_RST);

    if (step != NULL)
        model_step_settled(s->m, s->c, step);
}

/* ---- */

static void segment_tell(struct segment *s)
{
    if ((s->h.flags & TERN_TCP_RST) != 0) {
        on_rst(s);
        return;
    }
    if ((s->h.flags & TERN_TCP_SYN) != 0) {
        on_syn(s);
        syn_text(s);
        model_ack_field(s);
        return;
    }
    if (model_earlier_ack(s))
        return;
    if (!s->own->known)
        model_dir_begin(s->own, s->h.seq, false);
    if (!s->other->known && (s->h.flags & TERN_TCP_ACK) != 0)
        model_dir_begin(s->other, s->h.ack, false);
    if (s->payload_bytes > 0)
        model_data(s);
    if ((s->h.flags & TERN_TCP_FIN) != 0)
        on_fin(s);
    else if (s->payload_bytes == 0 && (s->h.flags & TERN_TCP_ACK) != 0)
        model_pure_ack(s);
    model_ack_field(s);
    told(s);
    s->own->keep_alive_asked = s->keep_alive;
    handshake_ends(s);
}

/* The header, though the capture may hold only the first bytes of it: the rest reads as zeros,
 * which end the options. */
static bool header_parse(const struct tern_dissect *ip, struct segment *s)
{
    uint8_t whole[TERN_TCP_HEADER_BYTES_MAX] = {0};
    size_t have = ip->body.bytes < sizeof whole ? ip->body.bytes : sizeof whole;
    tern_span none;

    if (have < TERN_TCP_HEADER_BYTES || ip->body_bytes < TERN_TCP_HEADER_BYTES)
        return false;
    memcpy(whole, ip->body.data, have);
    size_t header = (size_t)(whole[12] >> 4) * 4;

    if (header > ip->body_bytes || !tern_tcp_parse(tern_span_of(whole, sizeof whole), &s->h, &none))
        return false;
    s->payload_bytes = ip->body_bytes - header;
    s->payload = header <= ip->body.bytes ? tern_span_from(ip->body, header)
                                          : tern_span_of(ip->body.data, 0);
    return true;
}

static void count_packet(struct segment *s, const struct model_before *before)
{
    struct tern_model_conn *c = &s->c->out;

    s->side->packets++;
    if (s->p->ip.body.bytes < s->p->ip.body_bytes && !s->p->is_record)
        c->cut_packets++;
    model_waited(s, before);
    if (s->p->at > c->until)
        c->until = s->p->at;
    if ((s->h.flags & (TERN_TCP_SYN | TERN_TCP_RST)) == 0 && !s->is_earlier)
        s->c->is_open = true;
}

void model_tcp(struct tern_model *m, const struct model_packet *p)
{
    struct segment s = {.m = m, .p = p, .first_at = -1};
    struct model_before before;

    if (!header_parse(&p->ip, &s)) {
        m->other.unreadable++;
        if (p->from_is_known)
            (void)model_step_add(m, NULL, TERN_STEP_FRAME, p->from, p->at);
        return;
    }
    s.c = model_conn_find(&s);
    if (s.c == NULL) {
        m->other.beyond_packets++;
        m->other.beyond_bytes += s.payload_bytes;
        m->other.beyond_opened += (s.h.flags & (TERN_TCP_SYN | TERN_TCP_ACK)) == TERN_TCP_SYN;
        return;
    }
    s.own = &s.c->dir[s.by];
    s.other = &s.c->dir[tern_side_other(s.by)];
    s.side = &s.c->out.side[s.by];
    model_before(s.c, &before);
    segment_tell(&s);
    if ((s.h.flags & (TERN_TCP_SYN | TERN_TCP_FIN | TERN_TCP_RST)) != 0)
        model_mark(&s, TERN_MARK_FLAG, s.by, s.own->max, s.h.flags);
    count_packet(&s, &before);
}
