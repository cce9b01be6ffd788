/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes to words, one function for a kind of note; parts are joined by semicolons. */
#include "link/capture_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define U(x) ((unsigned long long)(x))

void tern_capture_words_begin(struct tern_capture_words *w)
{
    w->frames = 0;
    w->open = false;
}

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *format, ...)
{
    const size_t max = TERN_CAPTURE_WORDS_MAX / 2;
    size_t at = strlen(text);
    va_list arguments;

    if (at > 0 && at + 3 < max) {
        memcpy(text + at, "; ", 3);
        at += 2;
    }
    va_start(arguments, format);
    (void)vsnprintf(text + at, max - at, format, arguments);
    va_end(arguments);
}

static void say_acked(char *to, const struct tern_note_effect *e)
{
    if (e->acked_bytes > 0 && e->cwnd != e->cwnd_before)
        add(to, "acknowledges %llu bytes: cwnd %llu -> %llu", U(e->acked_bytes), U(e->cwnd_before),
            U(e->cwnd));
    else if (e->acked_bytes > 0)
        add(to, "acknowledges %llu bytes", U(e->acked_bytes));
    else if (e->cwnd != e->cwnd_before)
        add(to, "cwnd %llu -> %llu", U(e->cwnd_before), U(e->cwnd));
    if (e->delivered_more > 0)
        add(to, "SACK: %llu bytes more have arrived (RFC 2018 §3)", U(e->delivered_more));
    if (e->dsack_in)
        add(to, "D-SACK: bytes came there twice (RFC 2883 §4)");
    if (e->duplicate_ack)
        add(to, "duplicate ACK (RFC 5681 §2)");
}

static void say_text(char *to, const struct tern_note_segment *s)
{
    const struct tern_note_effect *e = &s->effect;
    const unsigned long long from = s->offset_bytes, end = s->offset_bytes + s->text_bytes;

    if (s->text_bytes == 0)
        return;
    if (e->joined_bytes > 0)
        add(to, "fills the hole %llu-%llu: %llu bytes that waited beyond it follow", from, end - 1,
            U(e->joined_bytes));
    else if (e->in_order_bytes > 0)
        add(to, "brings bytes %llu-%llu, in order", from, end - 1);
    else if (e->beyond_bytes > 0)
        add(to, "bytes %llu-%llu lie beyond a hole: kept (RFC 9293 §3.10.7.4)", from, end - 1);
    if (e->dsack_next)
        add(to, "duplicate: D-SACK follows (RFC 2883 §4)");
}

static void say_window(char *to, const struct tern_note_effect *e)
{
    if (e->peer_window_before == 0 && e->peer_window > 0 && e->state_before > TERN_TCP_SYN_SENT &&
        e->state_before != TERN_TCP_SYN_RECEIVED)
        add(to, "opens the window: %llu bytes (RFC 9293 §3.8.6)", U(e->peer_window));
    else if (e->peer_window_before > 0 && e->peer_window == 0)
        add(to, "closes the window (RFC 9293 §3.8.6.1)");
}

static void say_segment(char *to, const struct tern_note *n)
{
    const struct tern_note_segment *s = &n->segment;

    if (n->conn_id == 0)
        return; /* other notes tell */
    say_acked(to, &s->effect);
    say_text(to, s);
    say_window(to, &s->effect);
    if (s->effect.fin)
        add(to, "FIN: the peer is done sending (RFC 9293 §3.6)");
    if (s->effect.drop < TERN_DROP_COUNT)
        add(to, "dropped: %s", tern_drop_text(s->effect.drop));
}

static void say_recovery(char *to, const struct tern_note *n)
{
    static const char *const begins[] = {
        [TERN_SENDER_OPEN] = "recovery is over",
        [TERN_SENDER_CWR] = "the network marked: cwnd comes down (RFC 3168 §6.1.2)",
        [TERN_SENDER_FAST_RECOVERY] = "fast recovery begins (RFC 6675 §5)",
        [TERN_SENDER_LOSS] = "recovery from a timeout begins (RFC 5681 §3.1)",
    };

    add(to, "%s", begins[n->recovery.to]);
}

static void say_arp(char *to, const struct tern_note *n)
{
    char sender[TERN_ADDR_TEXT_MAX], target[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    (void)tern_addr_text(n->arp.sender, sender);
    (void)tern_addr_text(n->arp.target, target);
    (void)tern_mac_text(n->arp.sender_mac, mac);
    if (n->arp.reply)
        add(to, "ARP reply: %s is at %s (RFC 826)", sender, mac);
    else
        add(to, "ARP request for %s (RFC 826)", target);
}

static void say_neighbour(char *to, const struct tern_note *n)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    if (n->neighbour.state == TERN_NEIGHBOUR_KNOWN)
        add(to, "neighbour %s is known: %s", tern_addr_text(n->neighbour.address, address),
            tern_mac_text(n->neighbour.mac, mac));
}

static void say_address(char *to, const struct tern_note *n)
{
    char address[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    if (n->address.step == TERN_ADDRESS_DEFENDED || n->address.step == TERN_ADDRESS_LOST)
        add(to, "our address %s is used by %s: %s (RFC 5227 §2.4)",
            tern_addr_text(n->address.address, address), tern_mac_text(n->address.other, mac),
            tern_address_step_text(n->address.step));
}

static void say_packet(char *to, const struct tern_note *n)
{
    const char *what = n->packet.protocol == 17  ? "UDP datagram (RFC 768)"
                       : n->packet.protocol == 1 ? "ICMP message (RFC 792)"
                                                 : "packet";

    add(to, "%s of %u bytes", what, n->packet.bytes);
}

static void say_more(char *to, const struct tern_note *n)
{
    switch (n->kind) {
    case TERN_NOTE_OPENED:
        add(to, "%s", "a connection opens for a listener (RFC 9293 §3.10.7.2)");
        break;
    case TERN_NOTE_STATE:
        add(to, "state %s -> %s", tern_tcp_state_text(n->state.from),
            tern_tcp_state_text(n->state.to));
        break;
    case TERN_NOTE_CLOSED:
        add(to, "the connection is over: %s", tern_err_text(n->closed.reason));
        break;
    case TERN_NOTE_LOSS:
        add(to, "%llu bytes from %llu on are lost: %s", U(n->loss.bytes), U(n->loss.offset_bytes),
            tern_loss_words(n->loss.by));
        break;
    case TERN_NOTE_RECOVERY:
        say_recovery(to, n);
        break;
    case TERN_NOTE_UNDO:
        add(to, "the recovery was for nothing: %s: cwnd %llu -> %llu", tern_undo_words(n->undo.by),
            U(n->undo.cwnd_before), U(n->undo.cwnd));
        break;
    case TERN_NOTE_DROP:
        if (n->conn_id == 0)
            add(to, "dropped: %s", tern_drop_text(n->drop.reason));
        break;
    case TERN_NOTE_ARP_IN:
        say_arp(to, n);
        break;
    case TERN_NOTE_NEIGHBOUR:
        say_neighbour(to, n);
        break;
    case TERN_NOTE_ADDRESS:
        say_address(to, n);
        break;
    case TERN_NOTE_PACKET_IN:
        say_packet(to, n);
        break;
    default:
        break; /* what is left is of what we send, or follows from what was said */
    }
}

void tern_capture_words_note(struct tern_capture_words *w, const struct tern_note *note)
{
    if (note->kind == TERN_NOTE_FRAME_IN) {
        w->open = w->frames < TERN_BURST_MAX;
        if (w->open)
            w->frame[w->frames].first[0] = w->frame[w->frames].more[0] = '\0';
        w->frames += w->open;
        return;
    }
    if (note->kind == TERN_NOTE_INPUT_END)
        w->open = false;
    if (!w->open)
        return;
    if (note->kind == TERN_NOTE_SEGMENT_IN)
        say_segment(w->frame[w->frames - 1].first, note);
    else
        say_more(w->frame[w->frames - 1].more, note);
}

const char *tern_capture_words_of(const struct tern_capture_words *w, uint32_t n, char *out)
{
    const char *first, *more;

    if (n >= w->frames)
        return NULL;
    first = w->frame[n].first;
    more = w->frame[n].more;
    (void)snprintf(out, TERN_CAPTURE_WORDS_MAX, "%s%s%s", first,
                   first[0] != '\0' && more[0] != '\0' ? "; " : "", more);
    return out[0] != '\0' ? out : "changes nothing";
}
