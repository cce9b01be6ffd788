/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judgement in plain words. A connection's time is divided among kinds of waiting (model_waits.c);
 * the largest part gives the sentence, and a second one that took a quarter and more adds to it.
 */
#include "report/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "report/text.h"

#define TIME_TEXT 32

__attribute__((format(printf, 3, 4))) static void add(char *out, size_t out_bytes,
                                                      const char *format, ...)
{
    size_t used = strlen(out);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(out + used, out_bytes - used, format, args);
    va_end(args);
}

char *tern_verdict_time(tern_time t, char *out)
{
    double ms = (double)t / 1e6;

    if (ms < 0.1)
        (void)snprintf(out, TIME_TEXT, "%.0f µs", ms * 1e3);
    else if (ms < 10)
        (void)snprintf(out, TIME_TEXT, "%.1f ms", ms);
    else if (ms < 1000)
        (void)snprintf(out, TIME_TEXT, "%.0f ms", ms);
    else
        (void)snprintf(out, TIME_TEXT, "%.1f s", ms / 1e3);
    return out;
}

const char *tern_verdict_who(const struct tern_model_conn *c, enum tern_side side)
{
    return side == c->client ? "client" : "server";
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- connections that never opened ---- */

static bool never_opened(const struct tern_model_conn *c, char *out, size_t out_bytes)
{
    const struct tern_model_side *client = &c->side[c->client];
    const struct tern_model_side *server = &c->side[tern_side_other(c->client)];
    char t[TIME_TEXT];

    if (!client->syn_seen || server->syn_seen || server->packets > server->resets)
        return false;
    if (server->resets > 0) {
        add(out, out_bytes, "refused: the server answered the SYN with a reset");
    } else if (server->packets == 0 && client->packets > client->resets && client->segments == 0 &&
               client->acks == 0) {
        add(out, out_bytes, "nobody answered: %llu SYN%s in %s",
            (unsigned long long)client->packets, plural(client->packets),
            tern_verdict_time(c->until - c->at, t));
    } else {
        return false;
    }
    return true;
}

/* ---- where the time went ---- */

static void timeout_words(const struct tern_model_conn *c, enum tern_side side, const char *time,
                          char *out, size_t out_bytes)
{
    const struct tern_model_side *s = &c->side[side];
    uint64_t n = s->by_timeout + s->by_probe;

    add(out, out_bytes,
        "loss: %s of waiting until the %s's timer ran out (%llu segment%s sent "
        "again by it)",
        time, tern_verdict_who(c, side), (unsigned long long)n, plural(n));
}

static void window_words(const struct tern_model_conn *c, enum tern_side side, const char *time,
                         char *out, size_t out_bytes)
{
    const struct tern_model_side *receiver = &c->side[tern_side_other(side)];

    add(out, out_bytes, "the %s's receive window: the %s waited %s for room",
        tern_verdict_who(c, tern_side_other(side)), tern_verdict_who(c, side), time);
    if (receiver->zero_windows > 0)
        add(out, out_bytes, " (%llu zero window%s)", (unsigned long long)receiver->zero_windows,
            plural(receiver->zero_windows));
}

static void acks_words(const struct tern_model_conn *c, enum tern_side side, const char *time,
                       char *out, size_t out_bytes)
{
    uint64_t needless = tern_model_spurious(&c->side[side]);

    add(out, out_bytes, "the %s's slow ACKs: for %s they did not tell that the %s's data had come",
        tern_verdict_who(c, tern_side_other(side)), time, tern_verdict_who(c, side));
    if (needless > 0)
        add(out, out_bytes, " (%llu segment%s sent again needlessly)", (unsigned long long)needless,
            plural(needless));
}

static void path_words(const struct tern_model *m, const struct tern_model_conn *c,
                       enum tern_side side, const char *time, char *out, size_t out_bytes)
{
    struct tern_model_rtt rtt;
    char t[TIME_TEXT];

    add(out, out_bytes, "the path: %s with the %s's data under way", time,
        tern_verdict_who(c, side));
    if (tern_model_path_rtt(m, c->stream, &rtt))
        add(out, out_bytes, ", at a round trip of %s", tern_verdict_time(rtt.min, t));
}

/* An opening is one, whoever was waited for. */
static tern_time spent_on(const struct tern_model_conn *c, enum tern_wait kind, unsigned side)
{
    if (kind != TERN_WAIT_OPENING)
        return c->spent[kind][side];
    return side == 0 ? c->spent[kind][0] + c->spent[kind][1] : 0;
}

static void wait_words(const struct tern_model *m, const struct tern_model_conn *c,
                       enum tern_wait kind, enum tern_side side, char *out, size_t out_bytes)
{
    char time[TIME_TEXT];
    const char *who = tern_verdict_who(c, side);
    uint64_t again = c->side[side].retransmissions;

    tern_verdict_time(spent_on(c, kind, side), time);
    switch (kind) {
    case TERN_WAIT_OPENING:
        add(out, out_bytes, "opening: %s until the handshake was complete", time);
        break;
    case TERN_WAIT_IDLE:
        add(out, out_bytes, "the %s: for %s nothing was under way, and it was its turn to speak",
            who, time);
        break;
    case TERN_WAIT_WINDOW:
        window_words(c, side, time, out, out_bytes);
        break;
    case TERN_WAIT_TIMEOUT:
        timeout_words(c, side, time, out, out_bytes);
        break;
    case TERN_WAIT_RECOVERY:
        add(out, out_bytes, "loss: %s until the %s had made good %llu segment%s", time, who,
            (unsigned long long)again, plural(again));
        break;
    case TERN_WAIT_ACKS:
        acks_words(c, side, time, out, out_bytes);
        break;
    case TERN_WAIT_PATH:
        path_words(m, c, side, time, out, out_bytes);
        break;
    case TERN_WAIT_COUNT:
        break;
    }
}

struct part {
    enum tern_wait kind;
    enum tern_side side;
    tern_time spent;
};

/* The largest part but for one. */
static bool largest_but(const struct tern_model_conn *c, const struct part *but, struct part *out)
{
    bool found = false;

    for (unsigned i = 0; i < TERN_WAIT_COUNT * 2; i++) {
        struct part p = {(enum tern_wait)(i / 2), i % 2 == 0 ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT,
                         spent_on(c, (enum tern_wait)(i / 2), i % 2)};
        bool is_it = but != NULL && p.kind == but->kind && p.side == but->side;

        if (p.spent > 0 && !is_it && (!found || p.spent > out->spent)) {
            *out = p;
            found = true;
        }
    }
    return found;
}

char *tern_verdict_slow(const struct tern_model *m, size_t conn, char *out, size_t out_bytes)
{
    const struct tern_model_conn *c = tern_model_conn(m, conn);
    tern_time all = c->until - c->at;
    struct part first = {TERN_WAIT_PATH, TERN_SIDE_LEFT, 0}, second = first;

    out[0] = '\0';
    if (never_opened(c, out, out_bytes))
        return out;
    if (!largest_but(c, NULL, &first)) {
        add(out, out_bytes, "nothing to judge: one packet");
        return out;
    }
    wait_words(m, c, first.kind, first.side, out, out_bytes);
    if (largest_but(c, &first, &second) && second.spent >= all / 4) {
        add(out, out_bytes, "; then ");
        wait_words(m, c, second.kind, second.side, out, out_bytes);
    }
    return out;
}

char *tern_verdict_stall(const struct tern_model *m, size_t conn, const struct tern_stall *stall,
                         char *out, size_t out_bytes)
{
    const struct tern_model_conn *c = tern_model_conn(m, conn);
    const char *who = tern_verdict_who(c, stall->side);
    const char *other = tern_verdict_who(c, tern_side_other(stall->side));
    char time[TIME_TEXT];

    tern_verdict_time(stall->length, time);
    out[0] = '\0';
    switch (stall->kind) {
    case TERN_WAIT_OPENING:
        add(out, out_bytes, "%s of opening: the SYN was not answered sooner", time);
        break;
    case TERN_WAIT_IDLE:
        add(out, out_bytes, "%s of silence: the %s had nothing to say, all was acknowledged", time,
            who);
        break;
    case TERN_WAIT_WINDOW:
        add(out, out_bytes, "%s without room: the %s's application did not read", time, other);
        break;
    case TERN_WAIT_TIMEOUT:
        add(out, out_bytes, "%s until the %s's timer ran out: no ACK told of the loss sooner", time,
            who);
        break;
    case TERN_WAIT_RECOVERY:
        add(out, out_bytes, "%s of waiting while losses of the %s's data were made good", time,
            who);
        break;
    case TERN_WAIT_ACKS:
        add(out, out_bytes, "%s until the %s acknowledged more of what had come", time, other);
        break;
    case TERN_WAIT_PATH:
    case TERN_WAIT_COUNT:
        add(out, out_bytes,
            "%s without an answer: the %s's data was under way, or the %s slow to "
            "acknowledge",
            time, who, other);
        break;
    }
    return out;
}

/* ---- what is not there ---- */

/* And not because nobody answered: one side did speak to another, which is not here. */
static bool is_one_sided(const struct tern_model_conn *c)
{
    const struct tern_model_side *a = &c->side[0], *b = &c->side[1];

    return (a->packets == 0 || b->packets == 0) &&
           ((!a->syn_seen && !b->syn_seen) || a->segments + b->segments + a->acks + b->acks > 0);
}

static bool lacks_bytes(const struct tern_model_conn *c, enum tern_side side, char *out,
                        size_t out_bytes)
{
    char n[TERN_NUMBER_TEXT_MAX];

    if (c->side[side].lacks_bytes == 0)
        return false;
    add(out, out_bytes, "%s bytes of the %s's that were acknowledged: the capture missed them",
        tern_text_number(c->side[side].lacks_bytes, n), tern_verdict_who(c, side));
    return true;
}

bool tern_verdict_lacks(const struct tern_model *m, size_t conn, unsigned index, char *out,
                        size_t out_bytes)
{
    const struct tern_model_conn *c = tern_model_conn(m, conn);
    const struct tern_model_side *a = &c->side[0], *b = &c->side[1];
    char n[TERN_NUMBER_TEXT_MAX];

    for (unsigned i = 0; i < 7; i++) {
        out[0] = '\0';
        if (i == 0 && !a->syn_seen && !b->syn_seen)
            add(out, out_bytes,
                "the beginning: offsets, the window's scale and who is the client "
                "are taken from the first packet seen");
        else if (i == 1 && is_one_sided(c))
            add(out, out_bytes, "one direction: nothing of what the %s sent",
                tern_verdict_who(c, a->packets == 0 ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT));
        else if (i == 2)
            (void)lacks_bytes(c, TERN_SIDE_LEFT, out, out_bytes);
        else if (i == 3)
            (void)lacks_bytes(c, TERN_SIDE_RIGHT, out, out_bytes);
        else if (i == 4 && c->cut_packets > 0)
            add(out, out_bytes,
                "the ends of %s packets: they were cut when captured (lengths are "
                "those of the headers)",
                tern_text_number(c->cut_packets, n));
        else if (i == 5 && a->merged + b->merged > 0)
            add(out, out_bytes,
                "the single segments of %s packets: they were put together, or not "
                "yet cut, by the network card (GRO, TSO)",
                tern_text_number(a->merged + b->merged, n));
        else if (i == 6 && c->no_steps)
            add(out, out_bytes, "nothing, but there was no room for all its details here");
        if (out[0] != '\0' && index-- == 0)
            return true;
    }
    return false;
}

bool tern_verdict_capture(const struct tern_model *m, unsigned index, char *out, size_t out_bytes)
{
    const struct tern_model_other *o = tern_model_other(m);
    char n[TERN_NUMBER_TEXT_MAX], bytes[TERN_NUMBER_TEXT_MAX], opened[TERN_NUMBER_TEXT_MAX];
    char told[TERN_NUMBER_TEXT_MAX];

    for (unsigned i = 0; i < 5; i++) {
        out[0] = '\0';
        if (i == 0 && o->fragments > 0)
            add(out, out_bytes, "%s IP fragments: counted, and not put together",
                tern_text_number(o->fragments, n));
        else if (i == 1 && o->unreadable > 0)
            add(out, out_bytes, "%s packets whose headers were cut off, or contradict themselves",
                tern_text_number(o->unreadable, n));
        else if (i == 2 && o->backwards > 0)
            add(out, out_bytes,
                "%s packets whose time is before that of the one before them: "
                "drawn in the order of the file",
                tern_text_number(o->backwards, n));
        else if (i == 3 && o->steps_omitted > 0)
            add(out, out_bytes,
                "%s packets for whose details there was no room (try --stream, or "
                "filter words)",
                tern_text_number(o->steps_omitted, n));
        else if (i == 4 && o->beyond_packets > 0)
            add(out, out_bytes,
                "%s packets with %s bytes are of further connections (%s SYNs opened them): "
                "counted together, since %s are told apart (try filter words)",
                tern_text_number(o->beyond_packets, n), tern_text_number(o->beyond_bytes, bytes),
                tern_text_number(o->beyond_opened, opened),
                tern_text_number(tern_model_conn_count(m), told));
        if (out[0] != '\0' && index-- == 0)
            return true;
    }
    return false;
}
