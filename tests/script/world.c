/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world of a script: a stack, a peer that answers ARP and nothing else by itself, and a clock
 * that moves only when the script says so, from one of the stack's deadlines to the next.
 */
#include "script.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STILL_MAX 1000 /* turns of the clock without progress: a stack that spins */

uint8_t script_byte(uint32_t offset)
{
    return (uint8_t)(offset * 167u + (offset >> 8) * 13u);
}

void script_fail(struct script_world *w, int line, const char *words, const char *more)
{
    if (w->failed)
        return;
    w->failed = true;
    fprintf(stderr, "%s:%d: %s%s%s\n   (%.6f s; our first number %u, the peer's %u)\n",
            w->script->path, line, words, more[0] != '\0' ? ": " : "", more,
            (double)(w->now - w->start.base) / 1e9, w->flow->n.our_isn, w->start.peer_isn);
}

static void note_isn(struct script_world *w, const struct script_sent *sent)
{
    const uint32_t n = (uint32_t)sent->dst_port - SCRIPT_PEER_PORT;
    struct script_flow *flow = &w->flows[n < SCRIPT_FLOWS_MAX ? n : 0];

    if (sent->segment.has_cookie && sent->segment.cookie_bytes > 0) {
        w->cookie_bytes = sent->segment.cookie_bytes;
        memcpy(w->cookie, sent->segment.cookie, sizeof w->cookie);
    }
    if ((sent->segment.flags & 2) == 0 || flow->n.know_isn)
        return;
    flow->n.know_isn = true;
    flow->n.our_isn = sent->segment.seq;
    flow->ports.ours = sent->src_port;
    if (!w->know_first)
        w->first = (struct script_first){flow->n.our_isn, sent->segment.ts_value};
    w->know_first = true;
    if (sent->segment.has_timestamps && !flow->n.know_ts) {
        flow->n.know_ts = true;
        flow->n.our_ts = sent->segment.ts_value;
    }
}

/* A frame as it would be on the wire. */
static void take_wire_frame(struct script_world *w, const uint8_t *bytes, uint32_t n,
                            enum tern_cause cause, uint8_t *arp_replies)
{
    struct script_sent *sent = &w->sent[(w->sent_first + w->sent_count) % SCRIPT_SENT_MAX];

    if (w->sent_count == SCRIPT_SENT_MAX || n > SCRIPT_BYTES_MAX) {
        script_fail(w, 0, "the stack sent more than a script can hold", "");
        return;
    }
    switch (script_frame_parse(bytes, n, sent)) {
    case SCRIPT_FRAME_TCP:
        sent->at = w->now;
        sent->ends_super = false;
        sent->segment.has_cause = true;
        sent->segment.cause = cause;
        memcpy(w->last_packet, bytes + 14, sizeof w->last_packet);
        w->sent_count++;
        note_isn(w, sent);
        break;
    case SCRIPT_FRAME_ARP_REQUEST:
        ++*arp_replies;
        break;
    case SCRIPT_FRAME_OTHER:
        break;
    case SCRIPT_FRAME_BAD:
        script_fail(w, 0, "the stack sent a malformed frame", tern_cause_name(cause));
    }
}

static struct script_sent *newest_sent(struct script_world *w)
{
    return &w->sent[(w->sent_first + w->sent_count - 1) % SCRIPT_SENT_MAX];
}

static void take_frame(struct script_world *w, const struct tern_frame *frame, uint8_t *arp_replies)
{
    static uint8_t super[SCRIPT_SUPER_MAX], wire[SCRIPT_SUPER_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < frame->piece_count; i++) {
        if (n + frame->piece[i].bytes > sizeof super) {
            script_fail(w, 0, "the stack sent too long a frame", "");
            return;
        }
        memcpy(super + n, frame->piece[i].data, frame->piece[i].bytes);
        n += (uint32_t)frame->piece[i].bytes;
    }
    if (n != frame->bytes ||
        (!w->start.offloads && (frame->gso != TERN_GSO_NONE || frame->csum == TERN_CSUM_NEEDS))) {
        script_fail(w, 0, "a frame that says wrong things of itself", "");
        return;
    }
    for (uint32_t i = 0; i < SCRIPT_SENT_MAX; i++) {
        n = script_frame_cut(frame, super, i, wire);
        if (n == 0) {
            if (i > 1)
                newest_sent(w)->ends_super = true;
            return;
        }
        take_wire_frame(w, wire, n, frame->cause, arp_replies);
    }
}

static void take_events(struct script_world *w)
{
    struct tern_event event;
    struct tern_trace trace;

    while (tern_stack_event(w->stack, &event)) {
        if (event.kind == TERN_EVENT_CONN || event.kind == TERN_EVENT_LISTENER)
            w->events |= event.bits;
        if (event.kind == TERN_EVENT_LOAN) {
            w->loans_acked += (event.bits & TERN_LOAN_ACKED) != 0;
            w->loans_back++;
            free(event.user);
        }
    }
    while (tern_stack_trace(w->stack, &trace)) {
        if (trace.kind == TERN_TRACE_STATE)
            w->state = trace.state.to;
        if (trace.kind == TERN_TRACE_CLOSED)
            w->reason = trace.closed.reason;
    }
}

void script_world_drain(struct script_world *w)
{
    struct tern_frame frames[8];
    uint8_t arp_replies;

    do {
        int n;

        arp_replies = 0;
        while ((n = tern_stack_output(w->stack, frames, 8, w->now)) > 0) {
            for (int i = 0; i < n; i++)
                take_frame(w, &frames[i], &arp_replies);
        }
        if (arp_replies > 0) {
            uint8_t arp[64];
            const uint32_t bytes = script_frame_arp(true, arp);
            const struct tern_frame in = {
                .piece = {{arp, bytes}}, .piece_count = 1, .bytes = bytes};

            tern_stack_input(w->stack, &in, 1, w->now);
        }
    } while (arp_replies > 0 && !w->failed);
    take_events(w);
    tern_stack_check(w->stack);
}

void script_world_input(struct script_world *w, const uint8_t *frame, uint32_t bytes,
                        uint16_t piece_bytes)
{
    /* exactly as long as it is, so that a byte too far is seen */
    uint8_t *copy = malloc(bytes);
    struct tern_frame in = {.piece_count = 1, .bytes = bytes};

    if (copy == NULL)
        abort();
    memcpy(copy, frame, bytes);
    in.piece[0] = (struct tern_slice){copy, bytes};
    if (piece_bytes > 0) {
        in.gso = TERN_GSO_TCP4;
        in.gso_bytes = piece_bytes;
        in.csum = TERN_CSUM_VALID;
    }
    tern_stack_input(w->stack, &in, 1, w->now);
    free(copy);
    script_world_drain(w);
}

/* To the stack's next deadline, but not beyond a time. False: it has none before. */
static bool tick(struct script_world *w, tern_time to)
{
    const tern_time at = tern_stack_deadline(w->stack);

    if (at > to)
        return false;
    if (at > w->now)
        w->now = at;
    tern_stack_expire(w->stack, w->now);
    script_world_drain(w);
    return true;
}

static void run_clock(struct script_world *w, tern_time to, bool stop_when_sent)
{
    tern_time last = w->now;
    int still = 0;

    while (!w->failed && !(stop_when_sent && w->sent_count > 0)) {
        if (!tick(w, to)) {
            if (to > w->now)
                w->now = to;
            tern_stack_expire(w->stack, w->now);
            script_world_drain(w);
            return;
        }
        still = w->now > last ? 0 : still + 1;
        last = w->now;
        if (still > STILL_MAX)
            script_fail(w, 0, "the stack's deadline stands still", "");
    }
}

void script_world_advance(struct script_world *w, tern_time to)
{
    run_clock(w, to, false);
}

void script_world_await(struct script_world *w, tern_time to)
{
    run_clock(w, to, true);
}

void script_world_open(struct script_world *w, const struct script *s, struct script_start start)
{
    struct tern_config config = s->config;
    const struct tern_cidr own = {script_our_addr(), 24};
    uint8_t arp[64];
    uint32_t arp_bytes = script_frame_arp(false, arp);
    size_t bytes;

    if (start.offloads)
        config.link.offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4;
    config.rest_at_once = start.offloads; /* nor must the wire show that connections fold */
    bytes = tern_stack_bytes(&config);
    memset(w, 0, offsetof(struct script_world, sent));
    w->script = s;
    w->settings = s->settings;
    w->start = start;
    w->now = w->last = start.base;
    w->flow = &w->flows[0];
    for (uint32_t i = 0; i < SCRIPT_FLOWS_MAX; i++)
        w->flows[i].ports =
            (struct script_ports){SCRIPT_LISTEN_PORT, (uint16_t)(SCRIPT_PEER_PORT + i)};
    w->memory = bytes > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    if (w->memory == NULL)
        abort();
    memset(w->memory, 0, bytes);
    if (tern_stack_init(w->memory, bytes, &config, w->now, &w->stack) != TERN_ERR_OK ||
        tern_stack_address_add(w->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK) {
        script_fail(w, 0, "the stack refused its configuration", "");
        return;
    }
    script_world_drain(w);
    script_world_advance(w, w->now + 5 * TERN_SECOND); /* the announcements */
    script_world_input(w, arp, arp_bytes, 0); /* the peer is known: no script waits for ARP */
    w->last = w->now;
    w->start.base = w->now;
    w->sent_count = 0;
}

void script_world_close(struct script_world *w)
{
    free(w->memory);
}
