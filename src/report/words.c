/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a step. Tone: what one side says to the other, in plain words, the flags of
 * the segment first. Bytes are counted from 0, the last one included, as in "bytes 0-77".
 */
#include "report/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "report/text.h"
#include "wire/icmp.h"

#define LASTED_MIN (50 * TERN_US) /* less reads "0.0 ms" */

__attribute__((format(printf, 2, 3))) static void say(struct tern_words *w, const char *format, ...)
{
    va_list args;

    TERN_ASSERT(w->count < TERN_WORDS_PARTS_MAX);
    va_start(args, format);
    (void)vsnprintf(w->part[w->count], sizeof w->part[0], format, args);
    va_end(args);
    w->count++;
}

char *tern_words_time(tern_time t, char *out)
{
    double ms = (double)t / 1e6;

    if (ms < 1000)
        (void)snprintf(out, 32, "%.1f ms", ms);
    else
        (void)snprintf(out, 32, "%.1f s", ms / 1e3);
    return out;
}

char *tern_words_range(uint64_t start, uint64_t end, char *out, size_t out_bytes)
{
    char a[TERN_NUMBER_TEXT_MAX], b[TERN_NUMBER_TEXT_MAX];

    if (end <= start + 1)
        (void)snprintf(out, out_bytes, "byte %s", tern_text_number(start, a));
    else
        (void)snprintf(out, out_bytes, "bytes %s-%s", tern_text_number(start, a),
                       tern_text_number(end - 1, b));
    return out;
}

char *tern_words_lost(const struct tern_step_lost *lost, char *out)
{
    char range[80], after[32];

    (void)snprintf(out, TERN_WORDS_LOST_BYTES, "%s · lost: sent again %s later",
                   tern_words_range(lost->start, lost->end, range, sizeof range),
                   tern_words_time(lost->again_at - lost->at, after));
    return out;
}

uint32_t tern_words_lost_shown(const struct tern_step_data *data)
{
    return data->lost_count < TERN_STEP_LOST_MAX ? data->lost_count : TERN_STEP_LOST_MAX;
}

bool tern_words_lost_more(const struct tern_step_data *data, char *out)
{
    const uint32_t more = data->lost_count - tern_words_lost_shown(data);
    char n[TERN_NUMBER_TEXT_MAX];

    (void)snprintf(out, TERN_WORDS_LOST_BYTES, "… and %s more of these lost",
                   tern_text_number(more, n));
    return more > 0;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- ARP ---- */

static void claim_words(const struct tern_step *s, struct tern_words *w)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    tern_addr_text(s->address, address);
    if (s->conflict)
        say(w, "ARP: is %s anyone's? Yes: %s has it", address, tern_mac_text(s->mac, mac));
    else if (s->count == 0)
        say(w, "ARP: %s is %s (told everybody)", address,
            s->from == TERN_LANE_LEFT ? "ours" : "theirs");
    else if (s->announces > 0)
        say(w, "ARP: is %s anyone's? (%u time%s, silence: %s now)", address, s->count,
            plural(s->count), s->from == TERN_LANE_LEFT ? "ours" : "theirs");
    else
        say(w, "ARP: is %s anyone's? (%u time%s)", address, s->count, plural(s->count));
}

static void arp_words(const struct tern_step *s, struct tern_words *w)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    if (s->kind == TERN_STEP_ARP_ASK)
        say(w, "ARP: who has %s?", tern_addr_text(s->address, address));
    else
        say(w, "ARP: at %s", tern_mac_text(s->mac, mac));
}

/* ---- data ---- */

/* Why bytes were sent again, as far as it can be seen from outside. */
static const char *again_seen(const struct tern_step_data *d)
{
    switch (d->again) {
    case TERN_AGAIN_FAST:
        return "ACKs told of the loss";
    case TERN_AGAIN_TIMEOUT:
        return "no ACK in time";
    case TERN_AGAIN_PROBE:
        return "was the last one lost?";
    default:
        return "";
    }
}

/* Why bytes were sent again, in few words: as their sender said, else as it can be seen. */
static const char *again_reason(const struct tern_step *s)
{
    if (s->data.probe)
        return "";
    switch (s->data.cause) {
    case TERN_CAUSE_RTO:
        return "no ACK in time";
    case TERN_CAUSE_FAST_RETRANSMIT:
        return "duplicate ACKs: lost";
    case TERN_CAUSE_SACK_RETRANSMIT:
        return "SACK shows a hole";
    case TERN_CAUSE_RACK_RETRANSMIT:
        return "later ones arrived";
    case TERN_CAUSE_TAIL_PROBE:
        return "was the last one lost?";
    case TERN_CAUSE_WINDOW_PROBE:
        return "is the window open?";
    default:
        return s->near ? "" : again_seen(&s->data);
    }
}

/* Was it needless, and how is that known? */
static const char *needless_words(enum tern_spurious how)
{
    switch (how) {
    case TERN_SPURIOUS_ACKED:
        return "needless: already ACKed";
    case TERN_SPURIOUS_DSACK:
        return "needless: it came twice";
    case TERN_SPURIOUS_TIMESTAMPS:
        return "needless: the first came";
    case TERN_SPURIOUS_EARLY:
        return "needless: the first came";
    default:
        return "";
    }
}

static void segments_words(const struct tern_step *s, const char *adjective, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX];

    say(w, "%s %s%ssegment%s", tern_text_number(s->data.segments, n), adjective,
        adjective[0] == '\0' ? "" : " ", plural(s->data.segments));
}

/* How long a step took, where that is anything. */
static void lasted_words(const struct tern_step *s, struct tern_words *w)
{
    char time[32];

    if (s->until - s->at >= LASTED_MIN)
        say(w, "%s", tern_words_time(s->until - s->at, time));
}

static void burst_time_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->data.segments > 1)
        lasted_words(s, w);
}

/* Do the first bytes read like a line of a text protocol: "GET / HTTP/1.1", "220 hello"? */
static bool has_first_line(const struct tern_step_data *d)
{
    const void *line_end = memchr(d->head, '\n', d->head_bytes);
    const void *blank = memchr(d->head, ' ', d->head_bytes < 10 ? d->head_bytes : 10);

    if (d->start != 0 || !tern_text_is_words(d->head, d->head_bytes))
        return false;
    return line_end != NULL || blank != NULL || d->head_bytes < TERN_STEP_HEAD_BYTES;
}

static void new_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80], head[64];
    const struct tern_step_data *d = &s->data;

    tern_words_range(d->start, d->end, range, sizeof range);
    (void)tern_text_escape(d->head, d->head_bytes, head, sizeof head);
    if (d->segments == 1) {
        if (has_first_line(d))
            say(w, "%s", head);
        say(w, "%s", range);
        return;
    }
    segments_words(s, "", w);
    say(w, "%s", range);
    burst_time_words(s, w);
}

/* How long after the first, or after it was missed. */
static void late_words(const struct tern_step *s, struct tern_words *w)
{
    char t[32];

    if (s->near || s->data.first_at <= 0)
        return;
    say(w, s->data.class == TERN_DATA_FILL ? "%s late" : "%s after the first",
        tern_words_time(s->at - s->data.first_at, t));
}

static void probe_words(const struct tern_step *s, struct tern_words *w)
{
    say(w, s->data.class == TERN_DATA_AGAIN ? "keep-alive" : "window probe");
    say(w, "%llu byte%s", (unsigned long long)(s->data.end - s->data.start),
        plural(s->data.end - s->data.start));
}

/* Why it comes again tells more than where it ends. */
static void may_be_brief(const struct tern_step *s, struct tern_words *w)
{
    char from[TERN_NUMBER_TEXT_MAX];
    bool is_burst = s->data.segments > 1;

    w->must = w->count;
    w->spare = is_burst;
    w->brief[0] = '\0';
    if (!is_burst)
        (void)snprintf(w->brief, sizeof w->brief, "%s from %s",
                       s->data.class == TERN_DATA_AGAIN ? "again"
                       : s->data.reordered              ? "overtaken"
                                                        : "missing",
                       tern_text_number(s->data.start, from));
}

static void old_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80];
    const struct tern_step_data *d = &s->data;
    const char *why = again_reason(s), *needless = needless_words(d->spurious);
    bool is_fill = d->class == TERN_DATA_FILL;

    tern_words_range(d->start, d->end, range, sizeof range);
    if (d->segments > 1) {
        segments_words(s, d->reordered ? "overtaken" : is_fill ? "missing" : "repeated", w);
        say(w, "%s", range);
    } else if (is_fill) {
        say(w, d->reordered ? "overtaken on the way: %s" : "the missing %s", range);
    } else {
        say(w, "again: %s", range);
    }
    if (needless[0] != '\0' && !s->near)
        say(w, "%s", needless);
    else if (why[0] != '\0')
        say(w, "%s", why);
    else if (!is_fill && s->near && s->from == TERN_LANE_RIGHT)
        say(w, "we had %s", d->segments > 1 || d->end > d->start + 1 ? "them" : "it");
    may_be_brief(s, w);
    late_words(s, w);
}

static void mixed_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80], all[128], n[TERN_NUMBER_TEXT_MAX];
    const struct tern_step_data *d = &s->data;
    int n0 = snprintf(all, sizeof all, "%s segment%s", tern_text_number(d->segments, n),
                      plural(d->segments));

    if (d->again_segments > 0)
        n0 += snprintf(all + n0, sizeof all - (size_t)n0, ", %s again",
                       tern_text_number(d->again_segments, n));
    if (d->missing_segments > 0)
        (void)snprintf(all + n0, sizeof all - (size_t)n0, ", %s missing",
                       tern_text_number(d->missing_segments, n));
    say(w, "%s", all);
    say(w, "%s", tern_words_range(d->start, d->end, range, sizeof range));
    burst_time_words(s, w);
}

static void data_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->data.probe && !s->near) {
        probe_words(s, w);
        return;
    }
    switch (s->data.class) {
    case TERN_DATA_NEW:
    case TERN_DATA_BEYOND:
        new_data_words(s, w);
        break;
    case TERN_DATA_FILL:
    case TERN_DATA_AGAIN:
        old_data_words(s, w);
        break;
    case TERN_DATA_MIXED:
        mixed_data_words(s, w);
        break;
    }
}

/* Data both ways, folded. */
static void talk_words(const struct tern_step *s, struct tern_words *w)
{
    bool left = s->from != TERN_LANE_RIGHT;
    uint64_t there = left ? s->data.segments : s->back_segments;
    uint64_t back = left ? s->back_segments : s->data.segments;
    char n[TERN_NUMBER_TEXT_MAX];

    say(w, "%s segment%s there", tern_text_number(there, n), plural(there));
    say(w, "%s back", tern_text_number(back, n));
    if (s->data.again_segments > 0)
        say(w, "%s again", tern_text_number(s->data.again_segments, n));
    lasted_words(s, w);
}

static void hole_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80], n[TERN_NUMBER_TEXT_MAX];

    tern_words_range(s->data.start, s->data.end, range, sizeof range);
    say(w, "✗ %s: missing", range);
    if (s->data.segments > 1)
        say(w, "%s segments", tern_text_number(s->data.segments, n));
}

/* ---- ACKs ---- */

static void duplicate_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX], at[TERN_NUMBER_TEXT_MAX], range[80];

    tern_text_number(a->upto, at);
    if (a->count == 1)
        say(w, "duplicate ACK");
    else
        say(w, "%s duplicate ACKs", tern_text_number(a->count, n));
    if (a->dsack)
        say(w, "had those already");
    else if (a->fin)
        say(w, "I have it all");
    else
        say(w, "where is byte %s?", at);
    if (a->sack)
        say(w, "have %s", tern_words_range(a->sack_lo, a->sack_hi, range, sizeof range));
}

static void plain_ack_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX], upto[TERN_NUMBER_TEXT_MAX];

    if (a->count == 1)
        say(w, "ACK");
    else
        say(w, "%s ACKs", tern_text_number(a->count, n));
    if (a->upto > 0)
        say(w, "have %s%s", a->upto == 1 ? "byte " : "bytes 0-",
            tern_text_number(a->upto - 1, upto));
    if (a->dsack)
        say(w, "some came twice");
    else if (a->sack)
        say(w, "and some beyond");
}

static void acks_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX];

    switch (a->class) {
    case TERN_ACK_PLAIN:
        plain_ack_words(a, w);
        break;
    case TERN_ACK_HANDSHAKE:
        say(w, "ACK");
        say(w, "and I have yours");
        break;
    case TERN_ACK_DUPLICATE:
        duplicate_words(a, w);
        break;
    case TERN_ACK_WINDOW:
        say(w, "ACK");
        say(w, "there is room for %s bytes", tern_text_number(a->window, n));
        break;
    case TERN_ACK_CLOSED:
        say(w, a->count == 1 ? "ACK" : "%s ACKs", tern_text_number(a->count, n));
        say(w, "no room now: wait");
        break;
    case TERN_ACK_FIN:
        say(w, "ACK");
        say(w, "I have it all, and your FIN");
        break;
    case TERN_ACK_EARLIER:
        say(w, "ACK");
        say(w, "of a connection before this one");
        break;
    }
}

/* A keep-alive and a window probe are ACKs of a number just below the last. */
static void asking_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->answers_alive) {
        w->count = 0;
        say(w, "ACK");
        say(w, "still here");
    } else if (s->asks_alive || s->asks_window) {
        w->count = 0;
        say(w, s->asks_alive ? "keep-alive" : "window probe");
        say(w, s->asks_alive ? "are you still there?" : "is there room now?");
    }
}

/* ---- beginnings and ends ---- */

static void syn_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->kind == TERN_STEP_SYN) {
        say(w, s->again ? "SYN again" : "SYN");
        say(w, s->again ? "is anyone there?" : "my numbers start at 0");
        return;
    }
    say(w, s->again ? "SYN ACK again" : "SYN ACK");
    say(w, "mine too, and I have yours");
}

static void fin_words(const struct tern_step *s, struct tern_words *w)
{
    say(w, "%s%s", s->acks_fin ? "ACK, FIN" : "FIN", s->again ? " again" : "");
    if (s->acks_fin)
        say(w, "I have it all; that was all of mine");
    else
        say(w, "that was all of mine");
}

static void rst_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->count > 1)
        say(w, "RST, %u times", s->count);
    else
        say(w, "RST");
    if (s->from == TERN_LANE_KERNEL)
        say(w, "I asked for nothing!");
    else if (s->why == TERN_CAUSE_RST_ABORT)
        say(w, "I give up");
    else if (s->why == TERN_CAUSE_RST_UNREAD)
        say(w, "I left bytes unread");
    else
        say(w, "this connection is no more");
}

static void icmp_words(const struct tern_step *s, struct tern_words *w)
{
    static const char *const unreachable[] = {
        "network unreachable", "host unreachable",     "protocol unreachable",
        "port unreachable",    "too big for the path",
    };

    if (s->icmp_type == TERN_ICMP_UNREACHABLE &&
        s->icmp_code < sizeof unreachable / sizeof unreachable[0])
        say(w, "ICMP: %s", unreachable[s->icmp_code]);
    else if (s->icmp_type == TERN_ICMP_TIME_EXCEEDED)
        say(w, "ICMP: it lived too long");
    else
        say(w, "ICMP: type %u, code %u", s->icmp_type, s->icmp_code);
}

static void other_words(const struct tern_step *s, struct tern_words *w)
{
    switch (s->kind) {
    case TERN_STEP_PING:
        say(w, s->icmp_type == TERN_ICMP_ECHO_REQUEST ? "ping" : "ping: yes");
        say(w, "%u byte%s", s->bytes, plural(s->bytes));
        break;
    case TERN_STEP_UDP:
        if (s->words != NULL) {
            say(w, "%s", s->words);
            break;
        }
        say(w, "UDP");
        say(w, "%u byte%s", s->bytes, plural(s->bytes));
        break;
    case TERN_STEP_OMITTED:
        say(w, "… and %u more frame%s", s->count, plural(s->count));
        return;
    default:
        say(w, "a frame of another kind");
        break;
    }
    if (s->count > 1)
        say(w, "%u times", s->count);
}

void tern_words_step(const struct tern_step *s, struct tern_words *w)
{
    w->count = 0;
    w->must = 0;
    switch (s->kind) {
    case TERN_STEP_NOTE:
        say(w, "%s", s->words == NULL ? "" : s->words);
        break;
    case TERN_STEP_ARP_CLAIM:
        claim_words(s, w);
        break;
    case TERN_STEP_ARP_ASK:
    case TERN_STEP_ARP_ANSWER:
        arp_words(s, w);
        break;
    case TERN_STEP_SYN:
    case TERN_STEP_SYN_ACK:
        syn_words(s, w);
        break;
    case TERN_STEP_DATA:
        data_words(s, w);
        break;
    case TERN_STEP_TALK:
        talk_words(s, w);
        break;
    case TERN_STEP_HOLE:
        hole_words(s, w);
        break;
    case TERN_STEP_ACK:
        acks_words(&s->acks, w);
        asking_words(s, w);
        break;
    case TERN_STEP_FIN:
        fin_words(s, w);
        break;
    case TERN_STEP_RST:
        rst_words(s, w);
        break;
    case TERN_STEP_ICMP:
        icmp_words(s, w);
        break;
    default:
        other_words(s, w);
        break;
    }
    TERN_ASSERT(w->count > 0);
}

void tern_words_acks(const struct tern_step *s, struct tern_words *w)
{
    TERN_ASSERT(s->acks.count > 0);
    w->count = 0;
    w->must = 0;
    acks_words(&s->acks, w);
}

static const char *part_of(const struct tern_words *words, unsigned i, bool is_brief)
{
    return is_brief && i == words->spare ? words->brief : words->part[i];
}

/* Columns that the parts that must stand take. */
static size_t must_columns(const struct tern_words *words, bool is_brief)
{
    size_t columns = 0;

    for (unsigned i = 0; i < words->must; i++) {
        const char *part = part_of(words, i, is_brief);

        columns += part[0] == '\0' ? 0 : tern_text_columns(part) + (i > 0 ? 3 : 0);
    }
    return columns;
}

void tern_words_join(const struct tern_words *words, size_t columns, char *out, size_t out_bytes)
{
    size_t left = columns;
    bool is_brief = must_columns(words, false) > columns && must_columns(words, true) <= columns;

    out[0] = '\0';
    for (unsigned i = 0; i < words->count; i++) {
        const char *part = part_of(words, i, is_brief);
        size_t wanted = tern_text_columns(part) + (i > 0 ? 3 : 0);

        if (part[0] == '\0')
            continue;
        if (i > 0 && wanted > left)
            return;
        if (i > 0)
            tern_text_append(out, out_bytes, " · ", 3);
        tern_text_append(out, out_bytes, part, i > 0 ? wanted : left);
        left -= wanted < left ? wanted : left;
    }
}
