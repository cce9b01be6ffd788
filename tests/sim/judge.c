/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the applications may see. A byte is right where it stands or nowhere. A connection may fail
 * only where somebody was rude, or the other side had no room for it, or nobody is left
 * there: the faults end early enough for every retransmission to have its chance. See judge.h.
 */
#include "judge.h"

#include "stream.h"
#include "world.h"

static const struct end_plan *other_plan(const struct world *w, const struct end *e)
{
    return &w->plan.flow[e->flow].end[1 - e->side];
}

bool judge_read_all(const struct world *w, const struct end *e)
{
    return e->read >= other_plan(w, e)->bytes;
}

/* Whose stream it is stands in its first bytes; two ends that read each other belong together. */
static void learn_peer(struct world *w, struct end *e, const uint8_t *data)
{
    const uint32_t name = (uint32_t)data[0] << 8 | data[1];
    struct end *peer = name > 0 && name <= w->ends_count ? &w->end[name - 1] : NULL;

    if (peer == NULL || peer->flow != e->flow || peer->side == e->side)
        world_fail(w, "end %u reads a stream that begins with %u, which is not of its flow",
                   (unsigned)e->name, name);
    else if (peer->peer != NULL && peer->peer != e)
        world_fail(w, "end %u reads the stream of end %u, which reads another's", (unsigned)e->name,
                   name);
    else
        e->peer = peer;
}

void judge_bytes(struct world *w, struct end *e, const uint8_t *data, size_t bytes)
{
    const uint64_t all = e->read + bytes;
    size_t good;

    for (uint64_t i = e->read; i < SIM_NAME_BYTES && i < all; i++)
        e->begun[i] = data[i - e->read];
    if (e->peer == NULL && all < SIM_NAME_BYTES)
        return;
    if (e->peer == NULL)
        learn_peer(w, e, e->begun);
    if (w->failed)
        return;
    good = stream_compare((uint32_t)e->peer->name, e->read, data, bytes);
    if (good < bytes)
        world_fail(w, "end %u reads a byte at %llu that is not the one written there",
                   (unsigned)e->name, (unsigned long long)(e->read + good));
    if (all > e->peer->written)
        world_fail(w, "end %u reads more bytes than were written", (unsigned)e->name);
}

void judge_finish(struct world *w, const struct end *e)
{
    if (e->peer == NULL && (e->read > 0 || other_plan(w, e)->bytes > 0) &&
        other_plan(w, e)->manner != SIM_LEAVES)
        world_fail(w, "end %u: the stream ended early, at %llu", (unsigned)e->name,
                   (unsigned long long)e->read);
    if (e->peer != NULL && (!e->peer->shut || e->peer->written != e->read))
        world_fail(w, "end %u: the stream ended early, at %llu of %llu", (unsigned)e->name,
                   (unsigned long long)e->read, (unsigned long long)e->peer->written);
}

/* Is there an end on the other side that still counts on this one? */
static bool has_partner(const struct world *w, const struct end *e)
{
    for (uint32_t i = 0; i < w->ends_count; i++) {
        const struct end *o = &w->end[i];

        if (o->flow == e->flow && o->side != e->side && !o->over &&
            (o->peer == e || (o->peer == NULL && (e->peer == NULL || e->peer == o))))
            return true;
    }
    return false;
}

/* Did somebody on the other side of the flow leave without hearing this one out? */
static bool met_rudeness(const struct world *w, const struct end *e)
{
    if (e->peer != NULL)
        return e->peer->rude;
    for (uint32_t i = 0; i < w->ends_count; i++) {
        const struct end *o = &w->end[i];

        if (o->flow == e->flow && o->side != e->side && o->rude &&
            (o->peer == NULL || o->peer == e))
            return true;
    }
    return false;
}

/* The other side heard this one out and left in order, and its record of TIME-WAIT gave way to a
 * newer one (stack.h): when the ACK of the FIN was lost, the FIN that comes again meets nobody. */
static bool met_oblivion(const struct world *w, const struct end *e)
{
    const struct end *o = e->peer;
    struct tern_stack_counters c;

    for (uint32_t i = 0; o == NULL && i < w->ends_count; i++)
        if (w->end[i].peer == e)
            o = &w->end[i];
    if (o == NULL || !e->shut || !o->over || o->rude || o->reason != TERN_ERR_OK || !o->finished ||
        o->read != e->written)
        return false;
    tern_stack_counters(w->side[o->side].stack, &c);
    return c.time_waits_used == w->plan.stack[o->side].time_waits_max;
}

/* The other side may have had no room for the connection, and so never known it. */
static bool met_no_room(const struct world *w, const struct end *e)
{
    const struct tern_config *other = &w->plan.stack[1 - e->side];
    struct tern_stack_counters c;

    tern_stack_counters(w->side[1 - e->side].stack, &c);
    return e->peer == NULL &&
           (other->connections_max < w->plan.flows_count || c.drops[TERN_DROP_TCP_LIMIT] > 0 ||
            c.syn_cookies_sent > 0 || c.drops[TERN_DROP_TCP_ACCEPT_FULL] > 0);
}

/* This side had too few control blocks, and dropped what came for its resting connections: what
 * the other sent, and its answers to keep-alives. */
static bool slept(const struct world *w, int side)
{
    struct tern_stack_counters c;

    tern_stack_counters(w->side[side].stack, &c);
    return w->plan.stack[side].awake_max > 0 && c.drops[TERN_DROP_TCP_ASLEEP] > 0;
}

/* This side slept while the other, all of it written and closed, sent its last text or FIN; which
 * after many attempts gave up, with nobody to tell (RFC 9293 §3.8.3), and then knows of no
 * connection. */
static bool slept_too_long(const struct world *w, const struct end *e)
{
    return slept(w, e->side) && e->peer != NULL && e->peer->finished;
}

/* This side asked by keep-alives, and slept when the answers came. */
static bool slept_over_answers(const struct world *w, const struct end *e)
{
    return slept(w, e->side) && (e->asked || e->plan->settings.keepalive);
}

static bool is_excused(const struct world *w, const struct end *e)
{
    const struct sim_toll *toll = sim_network_toll(w->network);

    switch (e->reason) {
    case TERN_ERR_RESET:
        return met_rudeness(w, e) || met_no_room(w, e) || met_oblivion(w, e) ||
               slept_too_long(w, e);
    case TERN_ERR_TIMEOUT:
        return !has_partner(w, e) || met_no_room(w, e) || slept(w, 1 - e->side) ||
               slept_over_answers(w, e);
    case TERN_ERR_REFUSED:
        return (w->plan.flow[e->flow].cross && !has_partner(w, e)) ||
               (e->plan->settings.fastopen &&
                met_rudeness(w, e)); /* answered before the handshake */
    case TERN_ERR_UNREACHABLE:
        return !e->established && toll->arp_lost > 0;
    default:
        return false;
    }
}

void judge_reason(struct world *w, const struct end *e)
{
    if (!is_excused(w, e))
        world_fail(w, "end %u: %s", (unsigned)e->name, tern_err_text(e->reason));
}

void judge_memory(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct tern_stack_counters c;

        tern_stack_counters(w->side[i].stack, &c);
        if (c.chunks_used != 0)
            world_fail(w, "stack %d keeps %llu chunks", i, (unsigned long long)c.chunks_used);
        if (c.connections_used != 0)
            world_fail(w, "stack %d keeps %llu connections", i,
                       (unsigned long long)c.connections_used);
        if (c.time_waits_used != 0)
            world_fail(w, "stack %d keeps %llu records of TIME-WAIT", i,
                       (unsigned long long)c.time_waits_used);
    }
}
