/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP Fast Open (RFC 7413): text in the SYN, for peers that were here before.
 *
 * Active: with a cookie from an earlier connection the SYN waits for the first bytes, and carries
 * them, no more than fit beside the options of a segment of the MSS that the peer had then. Without
 * one it asks for a cookie and carries none. Once only: a SYN that goes again has neither text nor
 * option, since a path may swallow both (RFC 7413 §4.1.3.1); text that the SYN-ACK does not cover
 * goes again behind the handshake (RFC 7413 §4.2.2).
 *
 * Passive: the stack has judged the cookie. With a good one the text is delivered at once, and the
 * application may answer before the handshake ends.
 *
 * What was learned of the peer (a cookie, or that it is better not to try) is told to the stack in
 * c->fastopen; nothing calls upward.
 */
#include "proto/tcp/internal.h"

#define OPTIONS_BYTES_MAX 40

void tern_tcb_fastopen_open(struct tern_tcb *c, const struct tern_tcb_options *o)
{
    c->fastopen.cookie = o->fastopen.cookie;
    c->fastopen.mss = o->fastopen.mss;
    c->fastopen.option = o->fastopen.option;
    c->fastopen.timeout = o->connect_timeout;
    if (!c->fastopen.option || c->fastopen.cookie.bytes == 0)
        return;
    c->fastopen.waits = true;
    c->syn_due = false;
    c->timer.give_up = TERN_TIME_NEVER; /* runs from the SYN */
    c->events |= TERN_CONN_WRITABLE;
}

void tern_tcb_fastopen_go(struct tern_tcb *c)
{
    if (!c->fastopen.waits)
        return;
    c->fastopen.waits = false;
    c->syn_due = true;
}

uint32_t tern_tcb_fastopen_room(const struct tern_tcb *c)
{
    /* What passed before may no longer: the link's MTU can change while the SYN waits. */
    const uint32_t mss =
        (uint32_t)tern_min_u64(tern_min_u64(c->fastopen.mss, c->rcv.mss), tern_tcb_mtu_path_mss(c));

    if (c->state != TERN_TCP_SYN_SENT || c->fastopen.cookie.bytes == 0 || mss <= OPTIONS_BYTES_MAX)
        return 0;
    return mss - OPTIONS_BYTES_MAX;
}

/* How much of what was written the SYN may carry. */
static uint32_t syn_text_bytes(const struct tern_tcb *c)
{
    const uint64_t written = c->snd.end - (c->snd.iss + 1);

    return (uint32_t)tern_tcb_fit_pieces(c, c->snd.iss + 1,
                                         tern_min_u64(written, tern_tcb_fastopen_room(c)));
}

uint32_t tern_tcb_fastopen_emit(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    uint32_t bytes;

    if (!c->fastopen.option)
        return 0;
    c->fastopen.option = false;
    c->fastopen.asked = c->state == TERN_TCP_SYN_SENT;
    out->h.has_fastopen = true;
    out->h.fastopen_experimental = c->fastopen.cookie.experimental;
    out->h.cookie_bytes = c->fastopen.cookie.bytes;
    memcpy(out->h.cookie, c->fastopen.cookie.b, c->fastopen.cookie.bytes);
    if (c->fastopen.timeout > 0 && c->timer.give_up == TERN_TIME_NEVER)
        c->timer.give_up = now + c->fastopen.timeout;
    bytes = syn_text_bytes(c);
    if (bytes == 0)
        return 0;
    out->text_at = c->snd.iss + 1;
    out->text_bytes = bytes;
    c->fastopen.text_end = c->snd.iss + 1 + bytes;
    c->count.bytes_sent += bytes;
    c->count.data_segs_out++;
    c->last.data_sent_at = now;
    return bytes;
}

void tern_tcb_fastopen_unanswered(struct tern_tcb *c)
{
    c->fastopen.failed = c->fastopen.asked;
}

void tern_tcb_fastopen_answer(struct tern_tcb *c, const struct tern_segment *seg)
{
    const bool sent = c->fastopen.text_end > 0;

    if (!c->fastopen.asked)
        return;
    c->fastopen.taken = sent && c->snd.una > c->snd.iss + 1;
    c->fastopen.learned = seg->h.has_fastopen && seg->h.cookie_bytes > 0;
    c->fastopen.failed =
        !c->fastopen.learned && (c->fastopen.failed || (sent && !c->fastopen.taken));
    if (c->snd.nxt > c->snd.una)
        c->snd.nxt = c->snd.una; /* the rest goes again, as text of the connection */
    if (!c->fastopen.learned)
        return;
    c->fastopen.cookie.experimental = seg->h.fastopen_experimental;
    c->fastopen.cookie.bytes = seg->h.cookie_bytes;
    memcpy(c->fastopen.cookie.b, seg->h.cookie, seg->h.cookie_bytes);
    c->fastopen.mss = seg->h.has_mss ? seg->h.mss : TERN_TCP_MSS_DEFAULT;
}

void tern_tcb_fastopen_accept(struct tern_tcb *c, const struct tern_segment *syn, tern_time now)
{
    const uint64_t room = tern_min_u64(tern_tcb_window(c), syn->text.bytes);
    const size_t kept =
        tern_bytequeue_write(&c->recvq, &c->env->chunks, c->rcv.nxt, syn->text.data, (size_t)room);

    c->fastopen.accepted = true;
    c->fastopen.taken = kept > 0;
    c->rcv.nxt += kept;
    c->rcv.adv = tern_max_u64(c->rcv.adv, c->rcv.nxt);
    c->ack.slow_nxt = c->rcv.nxt;
    c->events |= TERN_CONN_WRITABLE;
    if (kept == 0)
        return;
    c->events |= TERN_CONN_READABLE;
    c->count.bytes_received += kept;
    c->count.data_segs_in++;
    c->last.data_received_at = now;
}

bool tern_tcb_fastopen_may_send(const struct tern_tcb *c)
{
    return c->state == TERN_TCP_SYN_RECEIVED && c->fastopen.accepted && c->snd.nxt > c->snd.iss;
}
