/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which connection a segment belongs to. The same two ports may be used again and again, and frames
 * of an earlier connection may still be about: a segment belongs to the newest record of its ports
 * in whose streams it has a place. What arrives is told by the tag of the frame that was sent.
 * See observer.h.
 */
#include "observer_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALKS_MAX  2048
#define BUCKETS    256
#define NEAR_BYTES (UINT32_C(1) << 24) /* more than any stream here is long */

struct observer {
    struct talk talk[TALKS_MAX];
    uint32_t talks_count;
    struct talk *bucket[BUCKETS]; /* newest first, of all ports with this hash */
    uint32_t mtu_bytes[2];
    bool show;
    uint32_t script_number,
        suspect_number; /* a connection of which a script is printed; the worst */
    int script_side, suspect_side;
    int64_t script_last;
    bool broken;
    char words[360];
};

struct observer *observer_create(void)
{
    struct observer *o = calloc(1, sizeof(*o));

    if (o == NULL)
        abort();
    return o;
}

void observer_destroy(struct observer *o)
{
    for (uint32_t i = 0; i < TALKS_MAX; i++)
        for (int k = 0; k < 2; k++) {
            spans_fini(&o->talk[i].half[k].arrived);
            spans_fini(&o->talk[i].half[k].said);
            free(o->talk[i].half[k].text);
        }
    free(o);
}

void observer_reset(struct observer *o, const uint32_t mtu_bytes[2])
{
    o->talks_count = 0;
    memset(o->bucket, 0, sizeof(o->bucket));
    memcpy(o->mtu_bytes, mtu_bytes, sizeof(o->mtu_bytes));
    o->broken = false;
    o->suspect_number = 0;
    o->script_last = 0;
}

void observer_transcribe(struct observer *o, uint32_t number, int side)
{
    o->script_number = number;
    o->script_side = side;
}

uint32_t observer_suspect(const struct observer *o, int *side)
{
    *side = o->suspect_side;
    return o->suspect_number > 0 ? o->suspect_number : o->talks_count;
}

void observer_show(struct observer *o, bool show)
{
    o->show = show;
}

bool observer_first(const struct observer *o, int side, uint32_t *isn, uint32_t *stamp)
{
    const struct half *h = &o->talk[0].half[side];

    if (o->talks_count == 0 || !h->open)
        return false;
    *isn = h->opening[0].isn;
    *stamp = h->syn.ts_value;
    return true;
}

/* Is there a multiple of 2^31 behind the first one, up to the last? */
static bool passes(uint32_t first, uint32_t last)
{
    return (first ^ last) >> 31 != 0;
}

void observer_wraps(const struct observer *o, uint64_t *numbers, uint64_t *stamps)
{
    *numbers = *stamps = 0;
    for (uint32_t i = 0; i < o->talks_count; i++)
        for (int k = 0; k < 2; k++) {
            const struct half *h = &o->talk[i].half[k];

            *numbers += h->open && passes(h->opening[0].isn, h->opening[0].isn + (uint32_t)h->end);
            *stamps += h->ts_sent && passes(h->syn.ts_value, h->ts_value);
        }
}

const char *observer_complaint(const struct observer *o)
{
    return o->broken ? o->words : NULL;
}

static int flag_words(const struct wire_segment *s, char *out)
{
    static const char letters[] = "FSRP.UEW";
    int n = 0;

    for (int i = 0; i < 8; i++)
        if ((s->flags >> i & 1) != 0)
            out[n++] = letters[i];
    out[n] = '\0';
    return n;
}

/* "0>1 1000:80 P. 1:101 ack 1 win 500 <…>" */
static void segment_words(const struct look *l, char *out, size_t bytes)
{
    const struct wire_segment *s = l->s;
    char flags[12];
    int n;

    flag_words(s, flags);
    n = snprintf(out, bytes, "%.6f s, %d>%d %u:%u #%u %s %llu:%llu", (double)l->now / 1e9, l->from,
                 1 - l->from, s->source_port, s->destination_port, l->talk->number, flags,
                 (unsigned long long)l->start, (unsigned long long)(l->start + s->text_bytes));
    if ((s->flags & WIRE_ACK) != 0)
        n += snprintf(out + n, bytes - (size_t)n, " ack %llu win %llu", (unsigned long long)l->ack,
                      (unsigned long long)s->window << l->shift);
    for (uint32_t i = 0; i < s->sack_count; i++)
        n += snprintf(out + n, bytes - (size_t)n, "%s%lld:%lld", i == 0 ? " sack " : ",",
                      (long long)l->ack + (int32_t)(s->sack[i][0] - s->ack),
                      (long long)l->ack + (int32_t)(s->sack[i][1] - s->ack));
}

void observer_complain(const struct look *l, const char *rule, const char *format, ...)
{
    struct observer *o = l->o;
    va_list arguments;
    size_t n;

    if (o->broken)
        return;
    o->broken = true;
    o->suspect_number = l->talk->number;
    o->suspect_side = l->from;
    n = (size_t)snprintf(o->words, sizeof(o->words), "rule \"%s\": ", rule);
    va_start(arguments, format);
    vsnprintf(o->words + n, sizeof(o->words) - n, format, arguments);
    va_end(arguments);
    n = strlen(o->words);
    n += (size_t)snprintf(o->words + n, sizeof(o->words) - n, "; ");
    if (n < sizeof(o->words))
        segment_words(l, o->words + n, sizeof(o->words) - n);
}

static void clear_half(struct half *h)
{
    const struct half fresh = {
        .text = h->text, .text_room = h->text_room, .arrived = h->arrived, .said = h->said};

    *h = fresh;
    spans_clear(&h->arrived);
    spans_clear(&h->said);
}

static struct talk **bucket_of(struct observer *o, const uint32_t port[2])
{
    return &o->bucket[(port[0] * 31 + port[1]) % BUCKETS];
}

static struct talk *open_talk(struct observer *o, const uint32_t port[2])
{
    struct talk **bucket = bucket_of(o, port);
    struct talk *t = &o->talk[o->talks_count % TALKS_MAX];

    if (o->talks_count == TALKS_MAX)
        return NULL;
    t->number = ++o->talks_count;
    t->port[0] = port[0];
    t->port[1] = port[1];
    clear_half(&t->half[0]);
    clear_half(&t->half[1]);
    t->older = *bucket;
    *bucket = t;
    return t;
}

static bool is_between(const struct talk *t, const uint32_t port[2])
{
    return t->port[0] == port[0] && t->port[1] == port[1];
}

/* The number that it is, or those that it may be. */
static uint32_t candidates(const struct half *h)
{
    return h->settled ? 1 : h->openings;
}

/* Is a number near those that the half has used or may use next? */
static bool is_near(const struct half *h, uint32_t seq)
{
    for (uint32_t i = 0; i < candidates(h); i++)
        if ((uint32_t)(seq + 1 - h->opening[i].isn) < NEAR_BYTES)
            return true;
    return false;
}

/* In TIME-WAIT, or beyond: both FINs were heard and answered. */
static bool is_finished(const struct half *h, const struct half *other)
{
    return h->fin > 0 && other->ack_arrived > h->fin && other->fin > 0 &&
           spans_gap(&other->arrived, 0) > other->fin;
}

static bool is_over(const struct half *h, const struct half *other)
{
    return h->reset || h->may_be_reset || is_finished(h, other);
}

static bool is_known(const struct half *h, uint32_t isn)
{
    for (uint32_t i = 0; i < candidates(h); i++)
        if (h->opening[i].isn == isn)
            return true;
    return false;
}

/* A listener says something by another number than that which the other side holds to: it answered
 * a SYN that came late, or one before it kept what it began. A record of what it says there, while
 * the other side stays with the old one. */
static struct talk *open_late(struct observer *o, const struct talk *old, int from)
{
    const struct half *was = &old->half[1 - from];
    struct talk *t = open_talk(o, old->port);
    struct half *other;

    if (t == NULL)
        return NULL;
    other = &t->half[1 - from];
    other->open = other->settled = other->syn_arrived = true;
    other->opening[0] = was->opening[0];
    other->openings = 1;
    other->syn = was->syn;
    other->ecn_arrived = was->ecn_arrived;
    other->ts_arrived = was->ts_arrived;
    other->ts_came = was->ts_came;
    other->end = 1;
    spans_add(&other->arrived, 0, spans_gap(&was->arrived, 0));
    return t;
}

/* Of a number of a listener's that the other side does not hold to: which? 0: of none. */
static uint32_t spare_of(const struct half *h, uint32_t isn)
{
    for (uint32_t i = 1; h->settled && i < h->openings; i++)
        if (h->opening[i].isn == isn)
            return i;
    return 0;
}

/* The listener keeps it half-open, and has said no more there than a SYN-ACK. */
static struct talk *open_spare(struct observer *o, const struct talk *old, int from, uint32_t which)
{
    struct talk *t = open_late(o, old, from);
    struct half *me;

    if (t == NULL)
        return NULL;
    me = &t->half[from];
    me->open = true;
    me->opening[0] = old->half[from].opening[which];
    me->openings = 1;
    me->syn = me->opening[0].syn;
    me->end = 1;
    return t;
}

/* Which SYN does one answer: the newest that it acknowledges alone, else one with text. */
static struct talk *talk_answered(struct observer *o, int from, const uint32_t port[2],
                                  const struct wire_segment *s)
{
    struct talk *t, *near = NULL;

    for (t = *bucket_of(o, port); t != NULL; t = t->older) {
        const struct half *other = &t->half[1 - from];

        if (!is_between(t, port) || !other->open)
            continue;
        if (is_known(other, s->ack - 1))
            return t;
        near = near == NULL && is_near(other, s->ack - 1) ? t : near;
    }
    return near;
}

/* A SYN: of a connection that knows its number or waits for it, or of a new one. Who has reset a
 * connection and asks again means another, be it by the same number. */
static struct talk *talk_of_syn(struct observer *o, int from, const uint32_t port[2],
                                const struct wire_segment *s)
{
    struct talk *t = (s->flags & WIRE_ACK) != 0 ? talk_answered(o, from, port, s) : NULL;

    if (t != NULL) {
        const struct half *me = &t->half[from];

        return (is_over(me, &t->half[1 - from]) || me->settled) && !is_known(me, s->seq)
                   ? open_late(o, t, from)
                   : t;
    }
    for (t = *bucket_of(o, port); t != NULL; t = t->older) {
        struct half *me = &t->half[from], *other = &t->half[1 - from];

        if (!is_between(t, port))
            continue;
        if ((s->flags & WIRE_ACK) == 0 && me->reset)
            return open_talk(o, port);
        if (is_known(me, s->seq))
            return t;
        if ((s->flags & WIRE_ACK) == 0 && !me->open && other->open && !other->syn_arrived)
            return t; /* both at once */
    }
    return open_talk(o, port);
}

/* Has a number its place in what a half said, or right behind it? */
static bool has_place(const struct half *h, uint32_t seq)
{
    const uint64_t said = h->end > h->lost_end ? h->end : h->lost_end;

    for (uint32_t i = 0; i < candidates(h); i++)
        if ((uint32_t)(seq - h->opening[i].isn) <= said)
            return true;
    return false;
}

/* One that has a place nowhere is of the newest that it is near: a rule will tell. */
static struct talk *talk_of(struct observer *o, int from, const uint32_t port[2],
                            const struct wire_segment *s)
{
    struct talk *t, *near = NULL;
    uint32_t spare;

    if ((s->flags & WIRE_SYN) != 0)
        return talk_of_syn(o, from, port, s);
    for (t = *bucket_of(o, port); t != NULL; t = t->older) {
        const struct half *me = &t->half[from], *other = &t->half[1 - from];

        if (!is_between(t, port) || !me->open)
            continue;
        spare = spare_of(me, s->seq - 1);
        if (spare > 0)
            return open_spare(o, t, from, spare);
        if (!is_near(me, s->seq))
            continue;
        if (has_place(me, s->seq) &&
            ((s->flags & WIRE_ACK) == 0 || !other->open || has_place(other, s->ack)))
            return t;
        near = near == NULL ? t : near;
    }
    return near;
}

/* A listener without memory gives each SYN another number; whichever is answered or used counts. */
static void settle(struct half *h, uint32_t number)
{
    for (uint32_t i = 0; i < h->openings; i++)
        if ((uint32_t)(number - h->opening[i].isn) < NEAR_BYTES) {
            const struct opening chosen = h->opening[i];

            h->opening[i] = h->opening[0];
            h->opening[0] = chosen;
            h->syn = chosen.syn;
            h->settled = true;
            return;
        }
}

static void note_syn(struct half *me, const struct wire_segment *s)
{
    me->open = true;
    me->syn = *s;
    for (uint32_t i = 0; i < me->openings; i++)
        if (me->opening[i].isn == s->seq) {
            me->opening[i].syn = *s;
            return;
        }
    if (me->settled || me->openings == OBSERVER_ISNS)
        return;
    memmove(me->opening + 1, me->opening, me->openings * sizeof(me->opening[0]));
    me->opening[0] = (struct opening){s->seq, *s};
    me->openings++;
    me->edge = me->ack = 0; /* what the other answers promised is not of this one */
}

static void complain_frame(struct observer *o, int from, const char *why, int64_t now)
{
    if (o->broken)
        return;
    o->broken = true;
    snprintf(o->words, sizeof(o->words), "%.6f s, from %d: %s", (double)now / 1e9, from, why);
}

static void show(const struct look *l, const char *before)
{
    char words[256];

    segment_words(l, words, sizeof(words));
    printf("%s%s %s\n", before, words, l->f->why != NULL ? l->f->why : "");
}

static bool both_scale(const struct look *l)
{
    return l->me->open && l->me->syn.has_scale && l->other->open && l->other->syn.has_scale;
}

static void place(struct look *l)
{
    const struct wire_segment *s = l->s;
    const bool syn = (s->flags & WIRE_SYN) != 0;
    const uint32_t length = s->text_bytes + (syn ? 1 : 0) + ((s->flags & WIRE_FIN) != 0 ? 1 : 0);

    /* A keep-alive may stand one before the first byte, at the SYN's place. */
    l->start = syn ? 1 : (uint32_t)(s->seq - l->me->opening[0].isn);
    l->end = (syn ? 0 : l->start) + length;
    l->ack = (s->flags & WIRE_ACK) != 0 && l->other->open
                 ? (uint32_t)(s->ack - l->other->opening[0].isn)
                 : 0;
    if (!syn && both_scale(l))
        l->shift = l->me->syn.scale;
}

uint32_t observer_sent(struct observer *o, int from, const struct observed *f, int64_t now)
{
    struct wire_segment s;
    struct look l = {.o = o, .s = &s, .f = f, .from = from, .now = now};
    const char *why;
    uint32_t port[2];

    l.mtu_bytes = o->mtu_bytes[from];
    switch (wire_read(f, true, &s, &why)) {
    case WIRE_BAD:
        complain_frame(o, from, why, now);
        return OBSERVER_NO_TAG;
    case WIRE_OTHER:
        return OBSERVER_NO_TAG;
    case WIRE_TCP:
        break;
    }
    port[from] = s.source_port;
    port[1 - from] = s.destination_port;
    l.talk = talk_of(o, from, port, &s);
    if (l.talk == NULL) {
        if ((s.flags & WIRE_RST) == 0)
            complain_frame(o, from, "rule \"nobody's\": a segment of no connection", now);
        return OBSERVER_NO_TAG;
    }
    l.me = &l.talk->half[from];
    l.other = &l.talk->half[1 - from];
    if ((s.flags & WIRE_SYN) != 0)
        note_syn(l.me, &s);
    else if (!l.me->settled)
        settle(l.me, s.seq);
    if ((s.flags & WIRE_ACK) != 0 && l.other->open && !l.other->settled)
        settle(l.other, s.ack - 1);
    place(&l);
    if (o->show)
        show(&l, "");
    if (o->script_number == l.talk->number && o->script_side == from)
        transcript_print(&l, false, &o->script_last);
    observer_judge(&l);
    return (uint32_t)(l.talk - o->talk);
}

/* RFC 9293 §3.10.7.4 (RFC 5961 §3.2): a reset counts at the next place that is waited for. That is
 * known where all that came was acknowledged; else text may have found no room. In TIME-WAIT
 * resets are not obeyed (RFC 1337 §4, F1). */
static void note_reset(const struct look *l)
{
    const uint64_t most = spans_gap(&l->me->arrived, 0);

    if (!l->other->begun || !l->me->syn_arrived || is_finished(l->other, l->me) ||
        l->start < l->other->ack || l->start > most)
        return;
    l->other->may_be_reset = true;
    if (l->other->ack != most || l->other->was_reset)
        return;
    l->other->was_reset = true;
    l->other->reset_at = l->now;
}

void observer_delivered(struct observer *o, int to, uint32_t tag, const uint8_t *data,
                        uint32_t bytes, int64_t now)
{
    const struct observed f = {.data = data, .bytes = bytes};
    struct wire_segment s;
    struct look l = {.o = o, .s = &s, .f = &f, .from = 1 - to, .now = now};
    const char *why;
    uint64_t edge;

    if (tag == OBSERVER_NO_TAG || wire_read(&f, false, &s, &why) != WIRE_TCP)
        return;
    l.talk = &o->talk[tag];
    l.me = &l.talk->half[1 - to];
    l.other = &l.talk->half[to];
    for (struct talk *t = *bucket_of(o, l.talk->port); t != NULL; t = t->older)
        if (is_between(t, l.talk->port))
            t->half[to].unanswered++; /* the newest answers, whichever it was sent in */
    place(&l);
    if ((s.flags & WIRE_RST) != 0)
        note_reset(&l);
    if (o->show)
        show(&l, "  arrives: ");
    if (o->script_number == l.talk->number && o->script_side == to)
        transcript_print(&l, true, &o->script_last);
    if ((s.flags & WIRE_SYN) != 0) {
        l.me->syn_arrived = true;
        l.me->ecn_arrived = l.me->ecn_arrived || (s.flags & WIRE_ECE) != 0;
        spans_add(&l.me->arrived, 0, 1);
    }
    spans_add(&l.me->arrived, l.start, (s.flags & WIRE_SYN) != 0 ? l.start + s.text_bytes : l.end);
    if (s.has_ts && (!l.me->ts_came || (int32_t)(s.ts_value - l.me->ts_arrived) > 0)) {
        l.me->ts_arrived = s.ts_value;
        l.me->ts_came = true;
    }
    if ((s.flags & (WIRE_ACK | WIRE_SYN)) == 0)
        return;
    edge = l.ack + ((uint64_t)s.window << l.shift);
    edge = (s.flags & WIRE_ACK) == 0 ? 1 + (uint64_t)s.window : edge;
    l.me->edge_arrived = edge > l.me->edge_arrived ? edge : l.me->edge_arrived;
    l.me->ack_arrived = l.ack > l.me->ack_arrived ? l.ack : l.me->ack_arrived;
}
