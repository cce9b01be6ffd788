/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs scripts of packets: run SCRIPT...
 *
 * Each script runs once wherever its numbers fall, and then for each pair of starting points of
 * the two sides: 0, just below 2^31, just below 2^32, so that every script is a test of the
 * wrap as well. The peer's first number is the script's to choose. Ours is a keyed hash plus a
 * clock of 4 us (RFC 6528 §3), so it is chosen by choosing when the world begins: from the
 * number of the first run it is arithmetic, and the core needs no back door.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE (1 * TERN_MS) /* the timer wheel's resolution, with room */
#define WHENEVER  (200 * TERN_SECOND)
#define PEER_ISN  12345
#define BORDER_MS 150 /* before our timestamps pass 2^31 or 2^32 */

bool script_take_sent(struct script_world *w, struct script_sent *out)
{
    struct script_segment *s = &out->segment;

    if (w->sent_count == 0)
        return false;
    *out = w->sent[w->sent_first];
    w->sent_first = (w->sent_first + 1) % SCRIPT_SENT_MAX;
    w->sent_count--;
    s->seq -= w->flow->n.our_isn;
    s->ack = (s->flags & 0x10) != 0 ? s->ack - w->start.peer_isn : s->ack;
    for (uint32_t i = 0; i < s->block_count; i++) {
        s->block[i].start -= w->start.peer_isn;
        s->block[i].end -= w->start.peer_isn;
    }
    s->ts_value -= w->flow->n.our_ts;
    if ((s->flags & 0x10) != 0)
        s->ts_echo -= w->start.peer_isn;
    return true;
}

void script_peer_sends(struct script_world *w, const struct script_segment *relative)
{
    static uint8_t frame[SCRIPT_SUPER_MAX], text[SCRIPT_SUPER_MAX];
    struct script_segment raw = *relative;

    for (uint32_t i = 0; i < raw.length; i++)
        text[i] = script_byte(raw.seq - !(raw.flags & 2) + i); /* a SYN has a number of its own */
    if (raw.any_cookie) {
        raw.cookie_bytes = w->cookie_bytes;
        memcpy(raw.cookie, w->cookie, sizeof raw.cookie);
    }
    raw.seq += w->start.peer_isn;
    if ((raw.flags & 0x10) != 0) {
        raw.ack += w->flow->n.our_isn;
        raw.ts_echo += w->flow->n.our_ts;
    }
    raw.ts_value += w->start.peer_isn; /* timestamps wrap where the numbers do */
    for (uint32_t i = 0; i < raw.block_count; i++) {
        raw.block[i].start += w->flow->n.our_isn;
        raw.block[i].end += w->flow->n.our_isn;
    }
    script_world_input(w, frame, script_frame_build(&raw, w->flow->ports, text, frame),
                       raw.piece_bytes);
}

/* icmp TYPE CODE [mtu N]: about the packet that the stack sent last. */
static void peer_icmp(struct script_world *w, const struct script_step *step)
{
    uint8_t frame[128];
    const uint16_t mtu = step->word_count == 4 && strcmp(step->word[2], "mtu") == 0
                             ? (uint16_t)atol(step->word[3])
                             : 0;

    script_world_input(w, frame,
                       script_frame_icmp((uint8_t)atol(step->word[0]), (uint8_t)atol(step->word[1]),
                                         mtu, w->last_packet, frame),
                       0);
}

static bool near(uint32_t a, uint32_t b)
{
    return a - b + 1 <= 2; /* a millisecond either way: the clock ticks between two steps */
}

static bool same_options(const struct script_segment *want, const struct script_segment *got)
{
    if (want->any_options)
        return true;
    if (want->has_mss != got->has_mss || (want->has_mss && want->mss != got->mss) ||
        want->has_wscale != got->has_wscale || (want->has_wscale && want->wscale != got->wscale) ||
        want->sack_permitted != got->sack_permitted ||
        want->has_timestamps != got->has_timestamps || want->has_cookie != got->has_cookie ||
        want->block_count != got->block_count)
        return false;
    if (want->has_cookie && !want->any_cookie &&
        (want->cookie_bytes != got->cookie_bytes ||
         memcmp(want->cookie, got->cookie, want->cookie_bytes) != 0))
        return false;
    for (uint32_t i = 0; i < want->block_count; i++) {
        if (want->block[i].start != got->block[i].start || want->block[i].end != got->block[i].end)
            return false;
    }
    return !want->has_timestamps || ((want->any_ts_value || near(want->ts_value, got->ts_value)) &&
                                     want->ts_echo == got->ts_echo);
}

static bool same_segment(const struct script_segment *want, const struct script_segment *got)
{
    return want->flags == got->flags && want->seq == got->seq && want->length == got->length &&
           want->ack == got->ack && want->ecn == got->ecn &&
           (want->has_urgent ? want->urgent == got->urgent : got->urgent == 0) &&
           (!want->has_tos || want->tos == got->tos) && (!want->has_ttl || want->ttl == got->ttl) &&
           (!want->has_window || want->window == got->window) &&
           (!want->has_cause || want->cause == got->cause) && same_options(want, got);
}

static bool is_our_stream(const struct script_sent *sent)
{
    const struct script_segment *s = &sent->segment;

    for (uint32_t i = 0; i < s->length; i++) {
        if (sent->bytes[i] != script_byte(s->seq - !(s->flags & 2) + i))
            return false;
    }
    return true;
}

static void we_send(struct script_world *w, const struct script_step *step)
{
    const tern_time due = w->last + step->delay;
    char want[400], got[400], both[900];
    struct script_sent sent;

    script_segment_print(&step->segment, want, sizeof want);
    script_world_await(w, step->any_time ? w->now + WHENEVER : due + TOLERANCE);
    if (!script_take_sent(w, &sent)) {
        script_fail(w, step->line, "nothing was sent, expected", want);
        return;
    }
    script_segment_print(&sent.segment, got, sizeof got);
    snprintf(both, sizeof both, "%.6f s after the last step\n     sent     %s\n     expected %s",
             (double)(sent.at - w->last) / 1e9, got, want);
    if (sent.ends_super)
        sent.segment.flags = (uint8_t)((sent.segment.flags & ~8) | (step->segment.flags & 8));
    if (!same_segment(&step->segment, &sent.segment))
        script_fail(w, step->line, "another segment", both);
    else if (!step->any_time && (sent.at < due - TOLERANCE || sent.at > due + TOLERANCE))
        script_fail(w, step->line, "another time", both);
    else if (sent.dst_port != w->flow->ports.peers || sent.src_port != w->flow->ports.ours)
        script_fail(w, step->line, "other ports", both);
    else if (!is_our_stream(&sent))
        script_fail(w, step->line, "other bytes than were written", both);
    w->last = sent.at;
}

/* Everything sent before this moment must have been expected by now. */
static void expect_silence(struct script_world *w, int line)
{
    struct script_sent sent;
    char got[400], more[500];

    if (w->failed || !script_take_sent(w, &sent))
        return;
    script_segment_print(&sent.segment, got, sizeof got);
    snprintf(more, sizeof more, "%.6f s after the last step: %s", (double)(sent.at - w->last) / 1e9,
             got);
    script_fail(w, line, "an unexpected segment was sent", more);
}

static void run_step(struct script_world *w, const struct script_step *step)
{
    /* `back` only says how what was sent is to be read */
    const bool silent = strcmp(step->word[0], "acks") != 0 && strcmp(step->word[0], "back") != 0;

    if (step->verb == SCRIPT_WE_SEND) {
        we_send(w, step);
        return;
    }
    if (silent)
        expect_silence(w, step->line);
    script_world_advance(w, w->last + step->delay);
    if (silent)
        expect_silence(w, step->line);
    w->last = w->now > w->last + step->delay ? w->now : w->last + step->delay;
    if (step->verb == SCRIPT_PEER_SENDS)
        script_peer_sends(w, &step->segment);
    else if (step->verb == SCRIPT_PEER_ICMP)
        peer_icmp(w, step);
    else
        (void)script_command(w, step);
}

bool script_run(const struct script *s, struct script_start start, struct script_first *first)
{
    static struct script_world w;
    bool good;

    script_world_open(&w, s, start);
    for (int i = 0; i < s->step_count && !w.failed; i++)
        run_step(&w, &s->step[i]);
    expect_silence(&w, s->step[s->step_count - 1].line);
    good = !w.failed;
    *first = w.first;
    script_world_close(&w);
    return good;
}

/* Once more for each pair of starting points. first: what the stack chose at base. */
static bool run_points(const struct script *s, tern_time base, uint32_t first, bool offloads)
{
    static const uint32_t points[] = {0, 0x7ffffff0u, 0xfffffff0u};
    struct script_first got = {0, 0};

    for (size_t i = 0; i < 9; i++) {
        /* a clock of 4 us turns the first number of the first run into the wanted one */
        const uint32_t wanted = points[i / 3];
        const struct script_start start = {base + (tern_time)(uint32_t)(wanted - first) * 4000,
                                           points[i % 3], offloads};

        if (!script_run(s, start, &got))
            return false;
        if (first != 0 && got.isn != wanted) {
            fprintf(stderr, "%s: our first number is %u, not %u\n", s->path, got.isn, wanted);
            return false;
        }
    }
    return true;
}

/* Our timestamps pass a border soon after the first: a round trip is a tenth of a second as a rule,
 * so that they do while the first texts are under way. */
static bool run_stamps(const struct script *s, tern_time base, uint32_t first)
{
    static const uint32_t borders[] = {0x80000000u, 0};
    struct script_first got;

    for (size_t i = 0; i < 2 && first != 0; i++) {
        const uint32_t wanted = borders[i] - BORDER_MS;
        const tern_time later = (tern_time)(uint32_t)(wanted - first) * TERN_MS;

        if (!script_run(s, (struct script_start){base + later, PEER_ISN, false}, &got))
            return false;
        if (got.stamp != wanted) {
            fprintf(stderr, "%s: our first timestamp is %u, not %u\n", s->path, got.stamp, wanted);
            return false;
        }
    }
    return true;
}

static bool run_everywhere(const struct script *s)
{
    const tern_time base = 1000 * TERN_SECOND;
    struct script_first first = {0, 0};

    return script_run(s, (struct script_start){base, PEER_ISN, false}, &first) &&
           run_points(s, base, first.isn, false) && run_points(s, base, first.isn, true) &&
           run_stamps(s, base, first.stamp);
}

int main(int argc, char **argv)
{
    static struct script s;
    int failures = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s SCRIPT...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        const bool good = script_read(&s, argv[i]) && run_everywhere(&s);

        printf("%s %s\n", good ? "ok  " : "FAIL", argv[i]);
        failures += good ? 0 : 1;
    }
    printf("%d scripts, %d failed\n", argc - 1, failures);
    return failures == 0 ? 0 : 1;
}
