/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACKs: what they say, and the steps of those that come without data. An ACK that answers the
 * burst before it belongs to that step; those of one class that follow each other are one.
 *
 * A duplicate ACK is counted as RFC 5681 §2 defines it: no data, no SYN, FIN or RST, the same
 * number as the greatest so far, and the same window as the last; but not the answer to a
 * keep-alive. Wireshark takes the last number in place of the greatest, which is another one where
 * ACKs overtake each other. An ACK that the other side cannot have earned by what this capture
 * holds tells that the capture lacks something.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

static uint64_t not_negative(int64_t offset)
{
    return offset < 0 ? 0 : (uint64_t)offset;
}

uint64_t model_window(const struct segment *s)
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
    int64_t upto = model_offset(s->other, s->h.ack);

    return covers_fin(s->other, upto) ? (int64_t)s->other->fin_at : upto;
}

bool model_acks_fin(const struct segment *s)
{
    return covers_fin(s->other, model_offset(s->other, s->h.ack));
}

static enum tern_ack_class ack_class(const struct segment *s, int64_t upto, uint64_t window)
{
    const struct model_dir *own = s->own;

    if (model_acks_fin(s) && !own->ack_fin)
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

/* ---- steps ---- */

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
    struct tern_step *last = model_step_last(s->m, s->c);

    if (last == NULL || s->p->at - last->until > s->m->options.fold_gap)
        return NULL;
    /* The FIN that a burst ended with is a step of its own; the ACKs are still the burst's. */
    if (last->kind == TERN_STEP_FIN && last->from != s->from && s->c->steps.count > 1 &&
        last[-1].kind == TERN_STEP_DATA && last[-1].data.fin && last[-1].serial >= s->m->barrier)
        last = last - 1;
    bool is_answer = last->kind == TERN_STEP_DATA && last->from != s->from;
    bool is_sequel = last->kind == TERN_STEP_ACK && last->from == s->from;

    if ((!is_answer && !is_sequel) || last->asks_alive || last->asks_window || last->answers_alive)
        return NULL;
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
    a->sack_lo = not_negative(model_offset(s->other, s->h.sack[newest].start));
    a->sack_hi = not_negative(model_offset(s->other, s->h.sack[newest].end));
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
    a->fin = model_acks_fin(s);
    ack_note_sack(s, a);
    if (s->p->at > step->until)
        step->until = s->p->at;
}

/* ---- counting ---- */

/* Just below the highest byte, without data: asks for an ACK. */
static bool is_asking(const struct segment *s)
{
    return s->own->max > 0 && !s->own->fin_seen && s->own->acked_by_peer &&
           model_offset(s->own, s->h.seq) == (int64_t)s->own->max - 1;
}

static void count_asking(struct segment *s)
{
    s->window_probe = s->other->window_seen && s->other->window_last == 0;
    s->keep_alive = !s->window_probe;
    s->side->window_probes += s->window_probe;
    s->side->keep_alives += s->keep_alive;
}

/* An ACK from before what its sender has said since was late on its way, and repeats nothing. */
static bool is_at_the_end(const struct segment *s)
{
    return model_offset(s->own, s->h.seq) == s->own->told;
}

static void count_ack(struct segment *s, uint64_t upto, uint64_t window)
{
    const struct model_dir *own = s->own;
    bool same = own->acked && upto == own->ack_last && own->ack_fin == model_acks_fin(s);

    s->side->acks++;
    s->side->sack_acks += s->h.sack_count > 0;
    if (!same || !is_at_the_end(s) || window == 0)
        return;
    if (window != own->window_last)
        s->side->window_updates++;
    else if (s->other->keep_alive_asked)
        s->side->keep_alive_acks++;
    else
        s->side->duplicate_acks++;
}

void model_pure_ack(struct segment *s)
{
    int64_t upto = ack_offset(s);
    uint64_t window = model_window(s);
    enum tern_ack_class class = ack_class(s, upto, window);
    bool asking = is_asking(s);
    bool answering = s->other->keep_alive_asked;
    struct tern_step *step = asking || answering ? NULL : ack_home(s, class);

    if (asking) {
        count_asking(s);
        model_mark(s, TERN_MARK_PROBE, s->by, s->own->max, s->own->max);
    }
    count_ack(s, not_negative(upto), window);
    if (step == NULL) {
        step = model_step_add(s->m, s->c, TERN_STEP_ACK, s->from, s->p->at);
        if (step == NULL)
            return;
        step->why = s->p->cause;
        step->asks_alive = s->keep_alive;
        step->answers_alive = answering && !asking;
        step->asks_window = s->window_probe;
        model_step_words(step, s->p->comment);
    }
    ack_note(s, step, class, upto, window);
    model_step_settled(s->m, s->c, step);
}

/* Who still has the connection before this one answers its SYN with an ACK of that one's numbers
 * (RFC 5961 §4.2). As long as all that its peer has said is the SYN, a number that this does not
 * reach is one of those. */
static bool is_earlier(const struct segment *s)
{
    int64_t upto = ack_offset(s);

    return s->other->syn_seen && !s->other->acked && !s->own->syn_seen && s->payload_bytes == 0 &&
           (s->h.flags & (TERN_TCP_ACK | TERN_TCP_FIN)) == TERN_TCP_ACK &&
           (upto < 0 || upto > (int64_t)s->other->max);
}

bool model_earlier_ack(struct segment *s)
{
    struct tern_step *step;

    if (!is_earlier(s))
        return false;
    s->is_earlier = true;
    s->side->acks++;
    step = model_step_add(s->m, s->c, TERN_STEP_ACK, s->from, s->p->at);
    if (step == NULL)
        return true;
    step->why = s->p->cause;
    step->acks = (struct tern_step_acks){
        .class = TERN_ACK_EARLIER, .count = 1, .at = s->p->at, .until = s->p->at};
    model_step_words(step, s->p->comment);
    return true;
}

/* ---- any segment's ACK field ---- */

/* Bytes that the other side must have sent, and that did not go by here. */
static void capture_lacks(struct segment *s, uint64_t upto)
{
    struct model_dir *d = s->other;

    model_probe_taken(d, upto);
    struct tern_model_side *side = &s->c->out.side[tern_side_other(s->by)];
    uint64_t beyond = upto > d->max ? upto - d->max : 0;

    if (upto <= d->next)
        return;
    /* One byte more than was seen may be a FIN that was not. */
    if (beyond == 1 && d->next == d->max)
        return;
    side->lacks_bytes += model_dir_saw(d, d->next, upto);
    side->stream_bytes = d->max;
}

static void remember_window(struct segment *s)
{
    uint64_t window = model_window(s);
    struct tern_model_side *side = s->side;

    s->own->window_last = window;
    s->own->window_seen = true;
    if (window < side->window_min)
        side->window_min = window;
    if (window > side->window_max)
        side->window_max = window;
    side->zero_windows += s->h.window == 0 && (s->h.flags & TERN_TCP_FIN) == 0;
}

void model_ack_field(struct segment *s)
{
    struct model_dir *own = s->own;

    if ((s->h.flags & TERN_TCP_ACK) == 0 || !s->other->known)
        return;
    int64_t offset = ack_offset(s);

    if ((s->h.flags & TERN_TCP_SYN) != 0) {
        own->window_last = s->h.window; /* a SYN's is never scaled (RFC 7323 §2.2) */
        if (offset > 0 && offset <= (int64_t)s->other->max)
            model_judge_ack(s, (uint64_t)offset); /* it took what rode on the SYN */
        return;
    }
    uint64_t upto = not_negative(offset);
    bool advances = !own->acked || upto > own->ack_last;

    if (s->payload_bytes == 0 && !advances && upto == own->ack_last &&
        model_window(s) == own->window_last)
        own->duplicates++;
    else if (advances)
        own->duplicates = 0;
    if (offset >= 0) {
        capture_lacks(s, upto);
        model_judge_ack(s, upto);
    }
    if (model_acks_fin(s) && !own->ack_fin && s->other->fin_time >= 0 && !s->other->fin_again)
        model_quantile_add(&s->other->rtt, s->p->at - s->other->fin_time);
    remember_window(s);
    model_mark(s, TERN_MARK_ACK, tern_side_other(s->by), upto, upto + own->window_last);
    own->ack_fin = own->ack_fin || model_acks_fin(s);
    own->acked = true;
    if (upto > own->ack_last)
        own->ack_last = upto;
    own->ack_at = s->p->at;
}
