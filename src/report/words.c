/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a step. Tone: what one side says to the other, in plain words, the flags of
 * the segment first. Bytes are counted from 0, the last one included, as in "bytes 0-77".
 */
#include "report/words_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "report/text.h"
#include "wire/icmp.h"

void words_say(struct tern_words *w, const char *format, ...)
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

const char *words_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- ARP ---- */

static void claim_words(const struct tern_step *s, struct tern_words *w)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    tern_addr_text(s->address, address);
    if (s->conflict)
        words_say(w, "ARP: is %s anyone's? Yes: %s has it", address, tern_mac_text(s->mac, mac));
    else if (s->count == 0)
        words_say(w, "ARP: %s is %s (told everybody)", address,
                  s->from == TERN_LANE_LEFT ? "ours" : "theirs");
    else if (s->announces > 0)
        words_say(w, "ARP: is %s anyone's? (%u time%s, silence: %s now)", address, s->count,
                  words_plural(s->count), s->from == TERN_LANE_LEFT ? "ours" : "theirs");
    else
        words_say(w, "ARP: is %s anyone's? (%u time%s)", address, s->count, words_plural(s->count));
}

static void arp_words(const struct tern_step *s, struct tern_words *w)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    if (s->kind == TERN_STEP_ARP_ASK)
        words_say(w, "ARP: who has %s?", tern_addr_text(s->address, address));
    else
        words_say(w, "ARP: at %s", tern_mac_text(s->mac, mac));
}

/* ---- ACKs ---- */

static void duplicate_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX], at[TERN_NUMBER_TEXT_MAX], range[80];

    tern_text_number(a->upto, at);
    if (a->count == 1)
        words_say(w, "duplicate ACK");
    else
        words_say(w, "%s duplicate ACKs", tern_text_number(a->count, n));
    if (a->dsack)
        words_say(w, "had those already");
    else if (a->fin)
        words_say(w, "I have it all");
    else
        words_say(w, "where is byte %s?", at);
    if (a->sack)
        words_say(w, "have %s", tern_words_range(a->sack_lo, a->sack_hi, range, sizeof range));
}

static void plain_ack_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX], upto[TERN_NUMBER_TEXT_MAX];

    if (a->count == 1)
        words_say(w, "ACK");
    else
        words_say(w, "%s ACKs", tern_text_number(a->count, n));
    if (a->upto > 0)
        words_say(w, "have %s%s", a->upto == 1 ? "byte " : "bytes 0-",
                  tern_text_number(a->upto - 1, upto));
    if (a->dsack)
        words_say(w, "some came twice");
    else if (a->sack)
        words_say(w, "and some beyond");
}

static void acks_words(const struct tern_step_acks *a, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX];

    switch (a->class) {
    case TERN_ACK_PLAIN:
        plain_ack_words(a, w);
        break;
    case TERN_ACK_HANDSHAKE:
        words_say(w, "ACK");
        words_say(w, "and I have yours");
        break;
    case TERN_ACK_DUPLICATE:
        duplicate_words(a, w);
        break;
    case TERN_ACK_WINDOW:
        words_say(w, "ACK");
        words_say(w, "there is room for %s bytes", tern_text_number(a->window, n));
        break;
    case TERN_ACK_CLOSED:
        words_say(w, a->count == 1 ? "ACK" : "%s ACKs", tern_text_number(a->count, n));
        words_say(w, "no room now: wait");
        break;
    case TERN_ACK_FIN:
        words_say(w, "ACK");
        words_say(w, "I have it all, and your FIN");
        break;
    case TERN_ACK_EARLIER:
        words_say(w, "ACK");
        words_say(w, "of a connection before this one");
        break;
    }
}

/* A keep-alive and a window probe are ACKs of a number just below the last. */
static void asking_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->answers_alive) {
        w->count = 0;
        words_say(w, "ACK");
        words_say(w, "still here");
    } else if (s->asks_alive || s->asks_window) {
        w->count = 0;
        words_say(w, s->asks_alive ? "keep-alive" : "window probe");
        words_say(w, s->asks_alive ? "are you still there?" : "is there room now?");
    }
}

/* ---- beginnings and ends ---- */

static void syn_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->kind == TERN_STEP_SYN) {
        words_say(w, s->again ? "SYN again" : "SYN");
        words_say(w, s->again ? "is anyone there?" : "my numbers start at 0");
        return;
    }
    words_say(w, s->again ? "SYN ACK again" : "SYN ACK");
    words_say(w, "mine too, and I have yours");
}

static void fin_words(const struct tern_step *s, struct tern_words *w)
{
    words_say(w, "%s%s", s->acks_fin ? "ACK, FIN" : "FIN", s->again ? " again" : "");
    if (s->acks_fin)
        words_say(w, "I have it all; that was all of mine");
    else
        words_say(w, "that was all of mine");
}

static void rst_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->count > 1)
        words_say(w, "RST, %u times", s->count);
    else
        words_say(w, "RST");
    if (s->from == TERN_LANE_KERNEL)
        words_say(w, "I asked for nothing!");
    else if (s->why == TERN_CAUSE_RST_ABORT)
        words_say(w, "I give up");
    else if (s->why == TERN_CAUSE_RST_UNREAD)
        words_say(w, "I left bytes unread");
    else
        words_say(w, "this connection is no more");
}

static void icmp_words(const struct tern_step *s, struct tern_words *w)
{
    static const char *const unreachable[] = {
        "network unreachable", "host unreachable",     "protocol unreachable",
        "port unreachable",    "too big for the path",
    };

    if (s->icmp_type == TERN_ICMP_UNREACHABLE &&
        s->icmp_code < sizeof unreachable / sizeof unreachable[0])
        words_say(w, "ICMP: %s", unreachable[s->icmp_code]);
    else if (s->icmp_type == TERN_ICMP_TIME_EXCEEDED)
        words_say(w, "ICMP: it lived too long");
    else
        words_say(w, "ICMP: type %u, code %u", s->icmp_type, s->icmp_code);
}

static void other_words(const struct tern_step *s, struct tern_words *w)
{
    switch (s->kind) {
    case TERN_STEP_PING:
        words_say(w, s->icmp_type == TERN_ICMP_ECHO_REQUEST ? "ping" : "ping: yes");
        words_say(w, "%u byte%s", s->bytes, words_plural(s->bytes));
        break;
    case TERN_STEP_UDP:
        if (s->words != NULL) {
            words_say(w, "%s", s->words);
            break;
        }
        words_say(w, "UDP");
        words_say(w, "%u byte%s", s->bytes, words_plural(s->bytes));
        break;
    case TERN_STEP_OMITTED:
        words_say(w, "… and %u more frame%s", s->count, words_plural(s->count));
        return;
    default:
        words_say(w, "a frame of another kind");
        break;
    }
    if (s->count > 1)
        words_say(w, "%u times", s->count);
}

void tern_words_step(const struct tern_step *s, struct tern_words *w)
{
    w->count = 0;
    w->must = 0;
    switch (s->kind) {
    case TERN_STEP_NOTE:
        words_say(w, "%s", s->words == NULL ? "" : s->words);
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
        words_data(s, w);
        break;
    case TERN_STEP_TALK:
        words_talk(s, w);
        break;
    case TERN_STEP_HOLE:
        words_hole(s, w);
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
