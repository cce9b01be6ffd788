/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules that each segment must keep, each with its name. They know what was said and what
 * arrived, nothing else, and so hold for any TCP. A duplicate's or a probe's freedom is written
 * beside the rule.
 */
#include "observer_parts.h"

#include <stdlib.h>
#include <string.h>

#define ECHOES_MAX 4

static bool has(const struct look *l, uint32_t flags)
{
    return (l->s->flags & flags) != 0;
}

static bool is_bare(const struct look *l)
{
    return l->s->text_bytes == 0 && !has(l, WIRE_SYN | WIRE_FIN | WIRE_RST);
}

static bool both(const struct look *l, bool mine, bool theirs)
{
    return l->me->open && l->other->open && mine && theirs;
}

/* "options": those of SYNs on SYNs alone, timestamps on all or none, SACK only where agreed. */
static void judge_options(const struct look *l)
{
    const struct wire_segment *s = l->s;
    const bool ts = both(l, l->me->syn.has_ts, l->other->syn.has_ts);
    const bool sack = both(l, l->me->syn.has_sack_ok, l->other->syn.has_sack_ok);

    if (has(l, WIRE_SYN)) {
        if (!s->has_mss || s->sack_count > 0)
            observer_complain(l, "options", "a SYN without MSS, or with SACK blocks");
        return;
    }
    if (s->has_mss || s->has_scale || s->has_sack_ok || s->has_fastopen)
        observer_complain(l, "options", "a SYN's option on another segment");
    if (s->sack_count > 0 && !sack)
        observer_complain(l, "options", "SACK blocks that were not agreed on");
    if (!has(l, WIRE_RST) && l->me->settled && s->has_ts != ts)
        observer_complain(l, "options", "timestamps against the agreement");
}

/* "timestamps": never back, and no echo of what did not come. */
static void judge_timestamps(const struct look *l)
{
    if (!l->s->has_ts || has(l, WIRE_RST))
        return;
    if (l->me->ts_sent && l->me->settled && (int32_t)(l->s->ts_value - l->me->ts_value) < 0)
        observer_complain(l, "timestamps", "%u after %u", l->s->ts_value, l->me->ts_value);
    if (has(l, WIRE_ACK) && l->other->syn_arrived &&
        (int32_t)(l->s->ts_echo - l->other->ts_arrived) > 0)
        observer_complain(l, "timestamps", "an echo of %u, the last that came was %u",
                          l->s->ts_echo, l->other->ts_arrived);
}

/* "length": no packet longer than the link, no text longer than the peer's MSS allows, once that
 * is known: text on a SYN goes by an older connection's (RFC 7413 §4.1.3). */
static void judge_length(const struct look *l)
{
    const uint32_t header = l->s->header_bytes;
    const uint32_t mss = l->other->syn.has_mss ? l->other->syn.mss : 536;
    uint32_t text = l->s->text_bytes;

    if (l->f->cut_bytes > 0) {
        if (l->f->cut_bytes > text || l->f->header_bytes != 34 + header)
            observer_complain(l, "length", "a super-segment that says it is none");
        text = l->f->cut_bytes;
    }
    if (20 + header + text > l->mtu_bytes)
        observer_complain(l, "length", "%u bytes of text, %u of header, MTU %u", text, header,
                          l->mtu_bytes);
    if (text > 0 && text + header - 20 > mss && l->other->syn_arrived)
        observer_complain(l, "length", "%u bytes of text, %u of options, the peer's MSS is %u",
                          text, header - 20, mss);
    if (text > 0 && !l->s->df)
        observer_complain(l, "length", "may be fragmented");
}

/* What a stack had for a next hop that does not answer is lost before the wire: text up to the
 * window's edge, one byte beyond as a probe, and a FIN. */
static void note_unsent(const struct look *l)
{
    if (l->f->unsent == l->me->unsent)
        return;
    l->me->unsent = l->f->unsent;
    l->me->lost_end = l->other->edge_arrived + 2;
}

static bool is_in_place(const struct look *l)
{
    const uint64_t most = l->me->lost_end > l->me->end ? l->me->lost_end : l->me->end;

    return l->start <= (has(l, WIRE_SYN) ? 1 : most);
}

/* "place": text follows what was sent without a gap; nothing stands beyond it. */
static void judge_place(const struct look *l)
{
    if (!is_in_place(l))
        observer_complain(l, "place", "at %llu, but only %llu were sent",
                          (unsigned long long)l->start, (unsigned long long)l->me->end);
}

/* "same bytes": what is sent again is what was sent first. */
static void judge_bytes(const struct look *l)
{
    const uint64_t text_end = l->start + l->s->text_bytes;
    const uint64_t known = l->me->fin > 0 ? l->me->fin : l->me->end;
    const uint64_t most = text_end < known ? text_end : known;

    if (l->s->text_bytes == 0 || l->start < 1)
        return;
    for (uint64_t at = l->start; at < most; at++)
        if (spans_has(&l->me->said, at, at + 1) &&
            l->me->text[at - 1] != l->s->text[at - l->start]) {
            observer_complain(l, "same bytes", "another byte than before at %llu",
                              (unsigned long long)at);
            return;
        }
}

/* "FIN": its place never moves, and no text stands behind it. Where the first one was lost before
 * the wire, ACKs may have told already that nothing but it stands there. */
static void judge_fin(const struct look *l)
{
    const uint64_t text_end = l->start + l->s->text_bytes;

    if (has(l, WIRE_FIN) && l->me->fin > 0 && l->me->fin != text_end)
        observer_complain(l, "FIN", "at %llu, it was at %llu", (unsigned long long)text_end,
                          (unsigned long long)l->me->fin);
    if (has(l, WIRE_FIN) && l->me->fin == 0 &&
        (text_end < spans_end(&l->me->said) || text_end + 1 < l->me->end))
        observer_complain(l, "FIN", "at %llu, before text up to %llu", (unsigned long long)text_end,
                          (unsigned long long)l->me->end);
    if (l->me->fin > 0 && l->s->text_bytes > 0 && text_end > l->me->fin)
        observer_complain(l, "FIN", "text up to %llu, beyond the FIN at %llu",
                          (unsigned long long)text_end, (unsigned long long)l->me->fin);
}

/* "window": text within what was promised and has arrived, but for one byte beyond (a probe). A FIN
 * may stand right behind the window: it needs no room. */
static void judge_window(const struct look *l)
{
    const uint64_t text_end = l->start + l->s->text_bytes;
    const uint64_t edge = l->other->edge_arrived;

    if (text_end <= l->start || text_end <= l->me->end || text_end <= edge)
        return;
    if (text_end > edge + 1 || text_end - l->start > 1)
        observer_complain(l, "window", "up to %llu, promised was %llu",
                          (unsigned long long)text_end, (unsigned long long)edge);
}

/* "promise": a window's right edge never goes back by a unit of its scale or more. */
static void judge_promise(const struct look *l)
{
    const uint64_t edge = l->ack + ((uint64_t)l->s->window << l->shift);

    if (l->other->fin > 0 && l->ack > l->other->fin)
        return; /* nothing more will come */
    if (has(l, WIRE_SYN))
        return; /* without a scale, and a listener without memory does not know what it said */
    if (edge + (UINT64_C(1) << l->shift) <= l->me->edge)
        observer_complain(l, "promise", "a window up to %llu, promised was %llu",
                          (unsigned long long)edge, (unsigned long long)l->me->edge);
}

/* "ACK": of what arrived, without a hole, and never less than before. */
static void judge_ack(const struct look *l)
{
    const uint64_t most = spans_gap(&l->other->arrived, 0);

    if (l->ack > most)
        observer_complain(l, "ACK", "of %llu, what arrived is %llu", (unsigned long long)l->ack,
                          (unsigned long long)most);
    if (l->ack < l->me->ack)
        observer_complain(l, "ACK", "of %llu after %llu", (unsigned long long)l->ack,
                          (unsigned long long)l->me->ack);
}

/* "SACK": bytes that arrived, beyond the ACK; the first block may tell of a duplicate. */
static void judge_sack(const struct look *l)
{
    for (uint32_t i = 0; i < l->s->sack_count; i++) {
        const uint64_t start = l->ack + (uint32_t)(l->s->sack[i][0] - l->s->ack);
        uint64_t from = start, to = start + (uint32_t)(l->s->sack[i][1] - l->s->sack[i][0]);

        if (i == 0 && (int32_t)(l->s->sack[i][0] - l->s->ack) < 0)
            from = l->ack - (uint32_t)(l->s->ack - l->s->sack[i][0]);
        to = from + (uint32_t)(l->s->sack[i][1] - l->s->sack[i][0]);
        if (from > l->ack + (UINT32_C(1) << 30) || from >= to)
            observer_complain(l, "SACK", "block %u is empty or behind the ACK", i);
        else if (!spans_has(&l->other->arrived, from, to))
            observer_complain(l, "SACK", "of %llu to %llu, which did not arrive",
                              (unsigned long long)from, (unsigned long long)to);
        else if (i > 0 && from <= l->ack)
            observer_complain(l, "SACK", "block %u touches the ACK", i);
    }
}

/* "echo": a bare ACK that says nothing new answers something that came; a few may answer nothing.
 */
static void judge_echo(const struct look *l)
{
    struct half *me = l->me;
    const bool probe = l->start + 1 == l->me->end || l->start + 1 == l->other->ack_arrived;
    const bool news = l->ack != me->last_ack || l->s->window != me->last_window ||
                      l->s->sack_count != me->last_sacks;

    if (!is_bare(l) || news)
        me->echoes = 0;
    else if (me->unanswered > 0)
        me->unanswered--;
    else if (!probe)
        me->echoes++;
    if (me->echoes > ECHOES_MAX)
        observer_complain(l, "echo", "%u bare ACKs in reply to nothing", me->echoes);
    me->last_ack = l->ack;
    me->last_window = l->s->window;
    me->last_sacks = l->s->sack_count;
}

/* "ECT": only on new text, and only where the other side's SYN agreed to it (RFC 3168 §6.1.1.1,
 * §6.1.4, §6.1.5). */
static void judge_ecn(const struct look *l)
{
    if ((l->s->ip_tos & 3) == 0)
        return;
    if (!l->other->ecn_arrived || l->s->text_bytes == 0 || has(l, WIRE_SYN))
        observer_complain(l, "ECT", "on a segment that must not have it");
    if (l->start < l->me->end)
        observer_complain(l, "ECT", "on what is sent again");
}

/* "after reset": who has reset a connection, or was reset, says no more, but for what it answers to
 * segments that came in one burst with the reset. */
static void judge_after_reset(const struct look *l)
{
    const bool in_burst = l->me->was_reset && !l->me->reset && l->me->reset_at == l->now;

    if ((l->me->reset || l->me->was_reset) && !(in_burst && is_bare(l)))
        observer_complain(l, "after reset", l->me->reset ? "it reset it" : "it was reset");
}

static void keep_text(const struct look *l)
{
    struct half *me = l->me;
    const size_t end = (size_t)(l->start - 1 + l->s->text_bytes);

    if (l->s->text_bytes == 0)
        return;
    if (end > me->text_room) {
        me->text_room = 2 * end < 4096 ? 4096 : 2 * end;
        me->text = realloc(me->text, me->text_room);
        if (me->text == NULL)
            abort();
    }
    memcpy(me->text + l->start - 1, l->s->text, l->s->text_bytes);
    spans_add(&me->said, l->start, l->start + l->s->text_bytes);
}

static void take_note(const struct look *l)
{
    struct half *me = l->me;
    const uint64_t edge = l->ack + ((uint64_t)l->s->window << l->shift);

    if (is_in_place(l))
        keep_text(l);
    if (has(l, WIRE_FIN))
        me->fin = l->start + l->s->text_bytes;
    me->begun = me->begun || !has(l, WIRE_SYN) || !has(l, WIRE_ACK);
    me->end = l->end > me->end ? l->end : me->end;
    if (l->s->has_ts) {
        me->ts_value = l->s->ts_value;
        me->ts_sent = true;
    }
    if (has(l, WIRE_ACK)) {
        me->ack = l->ack > me->ack ? l->ack : me->ack;
        me->edge = edge > me->edge ? edge : me->edge;
    }
}

/* One of its own at the end of what it sent; or, of a connection that was open, the answer of
 * somebody who has none (RFC 9293 §3.10.7.1). */
static void note_own_reset(const struct look *l)
{
    const bool aborts = has(l, WIRE_ACK) && l->start == l->me->end && l->ack > 0;
    const bool has_none = !has(l, WIRE_ACK) && l->me->begun && l->other->ack_arrived > 0;

    l->me->reset = l->me->reset || (l->me->settled && (aborts || has_none));
}

void observer_judge(const struct look *l)
{
    judge_length(l);
    judge_options(l);
    if (has(l, WIRE_RST)) {
        note_own_reset(l);
        return;
    }
    note_unsent(l);
    judge_after_reset(l);
    judge_timestamps(l);
    if (!has(l, WIRE_SYN)) {
        judge_place(l);
        judge_bytes(l);
        judge_fin(l);
        judge_window(l);
    }
    judge_ecn(l);
    if (has(l, WIRE_ACK)) {
        judge_promise(l);
        judge_ack(l);
        judge_sack(l);
        judge_echo(l);
    }
    take_note(l);
}
