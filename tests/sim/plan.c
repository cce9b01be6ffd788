/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a seed decides. Most plans are small and quick: few flows, few bytes, one or two kinds of
 * trouble; a tail of them is long, crowded or starved. See plan.h.
 */
#include "plan.h"

#include <string.h>

#include "dice.h"
#include "flow.h"

#define MTU_MIN 576
#define MTU_MAX 1500

static const char *const words[] = {
#define SIM_SWITCH_WORD(name, word, what) word,
    SIM_SWITCHES(SIM_SWITCH_WORD)
#undef SIM_SWITCH_WORD
};

const char *plan_switch_word(int which)
{
    return words[which];
}

/* Dice for one switch; false: it stays off, or this seed has none of it. */
static bool draw(struct dice *d, const struct plan *p, uint64_t off, int which, uint32_t one_in)
{
    dice_init(d, p->seed, words[which], 0);
    return dice_one_in(d, one_in) && (off >> which & 1) == 0;
}

static bool is_on(uint64_t off, int which)
{
    return (off >> which & 1) == 0;
}

static tern_time us(struct dice *d, uint32_t low, uint32_t high)
{
    return (tern_time)dice_range(d, low, high) * TERN_US;
}

static void draw_losses(struct plan *p, uint64_t off)
{
    struct sim_faults *f = &p->faults;
    struct dice d;

    if (draw(&d, p, off, SIM_SWITCH_LOSS, 2))
        f->loss_ppm = dice_range(&d, 0, dice_one_in(&d, 4) ? 150000 : 40000);
    if (draw(&d, p, off, SIM_SWITCH_BURST, 5)) {
        f->burst_ppm = dice_range(&d, 0, 8000);
        f->burst_frames = dice_range(&d, 1, 12);
    }
    if (draw(&d, p, off, SIM_SWITCH_REORDER, 3))
        f->reorder_ppm = dice_range(&d, 0, 100000);
    if (draw(&d, p, off, SIM_SWITCH_DUPLICATE, 4))
        f->duplicate_ppm = dice_range(&d, 0, 50000);
    if (draw(&d, p, off, SIM_SWITCH_CORRUPT, 4))
        f->corrupt_ppm = dice_range(&d, 0, 20000);
    dice_init(&d, p->seed, "ways", 0);
    f->ways = dice_one_in(&d, 3) ? dice_range(&d, 1, 2) : 0;
}

static void draw_path(struct plan *p, uint64_t off)
{
    struct sim_faults *f = &p->faults;
    struct dice d;

    if (!draw(&d, p, off, SIM_SWITCH_DELAY, 5) && is_on(off, SIM_SWITCH_DELAY))
        f->delay = us(&d, 0, dice_one_in(&d, 5) ? 300000 : 40000);
    if (draw(&d, p, off, SIM_SWITCH_JITTER, 3))
        f->jitter = us(&d, 1, 20000);
    if (draw(&d, p, off, SIM_SWITCH_BOTTLENECK, 2)) {
        f->bytes_per_second =
            (uint64_t)dice_range(&d, 50, dice_one_in(&d, 2) ? 1000 : 20000) * 1000;
        f->queue_frames = dice_range(&d, 5, 200);
        if (draw(&d, p, off, SIM_SWITCH_SHORT, 4))
            f->queue_frames = dice_range(&d, 1, 7);
        if (draw(&d, p, off, SIM_SWITCH_MARK, 3))
            f->mark_frames = dice_range(&d, 1, f->queue_frames);
    }
    if (draw(&d, p, off, SIM_SWITCH_MTU, 6)) {
        f->mtu_bytes = dice_range(&d, 296, 1400);
        f->mtu_at = TERN_SECOND + us(&d, 0, 3000000);
        f->mtu_silent = dice_one_in(&d, 3);
    }
    if (draw(&d, p, off, SIM_SWITCH_PARTITION, 6)) {
        f->cut_from = TERN_SECOND + us(&d, 0, 4000000);
        f->cut_until = f->cut_from + us(&d, 1000, dice_one_in(&d, 4) ? 15000000 : 2000000);
        f->cut_ways = dice_range(&d, 1, 3);
    }
    p->batch = draw(&d, p, off, SIM_SWITCH_BATCH, 2) ? dice_range(&d, 2, TERN_BURST_MAX) : 1;
    p->borrows[0] = draw(&d, p, off, SIM_SWITCH_BORROW, 2);
    p->borrows[1] = dice_one_in(&d, 2) && is_on(off, SIM_SWITCH_BORROW);
}

/* Memory and tables: enough for the plan's flows, or on purpose hardly any. */
static void draw_pools(struct plan *p, uint64_t off, uint32_t side)
{
    static const uint32_t chunk_sizes[] = {1024, 1024, 2048, 4096};
    struct tern_config *c = &p->stack[side];
    struct dice d;
    const bool starved = draw(&d, p, off, SIM_SWITCH_POOLS, 6) &&
                         (dice_range(&d, 0, 2) == side || dice_one_in(&d, 3));

    dice_init(&d, p->seed, "pools", side + 1);
    c->connections_max = p->flows_count + 8;
    c->time_waits_max = 64;
    c->fastopen_peers_max = 2;
    c->listeners_max = 2;
    c->udp_sockets_max = 1;
    c->ping_sockets_max = 1;
    c->reassembly_max = 2;
    c->neighbours_max = 4;
    c->addresses_max = 1;
    c->chunk_bytes = chunk_sizes[dice_range(&d, 0, 3)];
    c->chunks_max = dice_range(&d, 128, 512) + 32 * p->flows_count;
    c->send_buffer_bytes = dice_range(&d, 2048, 1u << 18);
    c->receive_buffer_bytes = dice_range(&d, 2048, 1u << 18);
    c->loans_max = 64;
    if (!starved)
        return;
    c->chunks_max = dice_range(&d, 24, 96);
    if (dice_one_in(&d, 2))
        c->connections_max = dice_range(&d, 1, 4);
    c->time_waits_max = dice_range(&d, 1, 4);
    c->neighbours_max = dice_range(&d, 1, 2);
    c->loans_max = 2;
}

/* After all else of the pools: it depends on how many connections there may be. */
static void draw_rest(struct plan *p, uint64_t off, uint32_t side)
{
    struct tern_config *c = &p->stack[side];
    struct dice d;

    dice_init(&d, p->seed, "rest", side);
    c->rest_at_once = is_on(off, SIM_SWITCH_REST) && dice_one_in(&d, 2);
    dice_init(&d, p->seed, "awake", side);
    if (is_on(off, SIM_SWITCH_AWAKE) && dice_one_in(&d, 8))
        /* with hardly any, applications that wait for each other may wait for ever */
        c->awake_max = dice_range(&d, (c->connections_max + 1) / 2, c->connections_max);
}

static void draw_link(struct plan *p, uint64_t off, uint32_t side)
{
    static const uint32_t mtus[] = {MTU_MIN, 1280, MTU_MAX, MTU_MAX, MTU_MAX, MTU_MAX};
    struct tern_config *c = &p->stack[side];
    struct dice d;

    dice_init(&d, p->seed, "link", side);
    for (uint32_t i = 0; i < sizeof(c->seed); i++)
        c->seed[i] = (uint8_t)dice_u64(&d);
    c->link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + side)}};
    c->link.mtu_bytes = mtus[dice_range(&d, 0, 5)];
    c->traces_count = dice_one_in(&d, 4) ? 16 : 0;
    dice_init(&d, p->seed, "offloads", side);
    if (is_on(off, SIM_SWITCH_OFFLOADS) && dice_one_in(&d, 2))
        c->link.offloads =
            dice_one_in(&d, 3) ? TERN_OFFLOAD_CSUM_TX : TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_CSUM_TX;
    dice_init(&d, p->seed, "hold", side);
    if (is_on(off, SIM_SWITCH_HOLD) && dice_one_in(&d, 3)) {
        c->link.hold_frames = dice_range(&d, 8, 512);
        c->link.hold_bytes = c->link.hold_frames * UINT64_C(65536);
    }
}

/* Left to chance, one stream in twenty thousand would come so far. */
static void draw_wrap(struct plan *p, uint64_t off)
{
    struct dice d;

    if (!draw(&d, p, off, SIM_SWITCH_WRAP, 5))
        return;
    for (int i = 0; i < 2; i++) {
        struct wrap_plan *w = &p->wrap[i];

        w->what = (enum sim_wrap)dice_range(&d, 0, 2);
        w->border = dice_one_in(&d, 3) ? UINT32_C(1) << 31 : 0;
        w->before = dice_range(&d, 0, w->what == SIM_WRAPS_NUMBERS ? 20000 : 4000);
    }
}

static void draw_stacks(struct plan *p, uint64_t off)
{
    static const char *const controllers[] = {"cubic", "cubic", "reno", "bbr"};
    struct dice d;

    for (uint32_t i = 0; i < 2; i++) {
        tern_config_defaults(&p->stack[i]);
        draw_pools(p, off, i);
        draw_rest(p, off, i);
        draw_link(p, off, i);
        dice_init(&d, p->seed, "congestion", i);
        p->stack[i].congestion = controllers[dice_range(&d, 0, 3)];
        dice_init(&d, p->seed, "backlog", i);
        p->backlog[i] = is_on(off, SIM_SWITCH_BACKLOG) && dice_one_in(&d, 5) ? dice_range(&d, 1, 3)
                                                                             : SIM_FLOWS_MAX;
    }
}

static bool mostly(struct dice *d)
{
    return !dice_one_in(d, 5);
}

static void draw_buffers(struct dice *d, struct tern_tcp_settings *s)
{
    static const uint32_t sizes[] = {0, 0, 1024, 4096, 20000, 65536};

    s->send_buffer_bytes = sizes[dice_range(d, 0, 5)];
    s->receive_buffer_bytes = sizes[dice_range(d, 0, 5)];
    s->mss_bytes = dice_one_in(d, 6) ? dice_range(d, 64, 1460) : 0;
    s->window_clamp_bytes = dice_one_in(d, 8) ? dice_range(d, 2000, 100000) : 0;
    s->notsent_lowat_bytes = dice_one_in(d, 6) ? dice_range(d, 1000, 50000) : 0;
}

static void draw_settings(struct tern_tcp_settings *s, uint64_t seed, uint32_t number)
{
    struct dice d;

    dice_init(&d, seed, "settings", number);
    s->nodelay = dice_one_in(&d, 2);
    s->cork = dice_one_in(&d, 8);
    s->quickack = dice_one_in(&d, 6);
    s->keepalive = dice_one_in(&d, 5);
    s->keep_idle = us(&d, 200000, 3000000);
    s->keep_interval = us(&d, 500000, 3000000);
    s->keep_count = 32; /* longer than any partition */
    s->fastopen = dice_one_in(&d, 5);
    s->pacing = mostly(&d);
    s->restart_after_idle = mostly(&d);
    s->ecn = mostly(&d);
    s->timestamps = mostly(&d);
    s->sack = mostly(&d);
    s->window_scale = mostly(&d);
    s->mtu_probe = dice_one_in(&d, 5) ? TERN_MTU_PROBE_ALWAYS : TERN_MTU_PROBE_BLACK_HOLE;
    draw_buffers(&d, s);
}

/* What an application may wish anew at any time. Whoever waits for many bytes may wait for one who
 * waits as well: so one side only does. */
static void draw_change(struct end_plan *e, uint64_t seed, uint32_t number)
{
    static const char *const controllers[] = {"cubic", "reno", "bbr"};
    struct tern_tcp_settings *s = &e->later;
    struct dice d;

    dice_init(&d, seed, "change", number);
    e->changes = dice_one_in(&d, 6);
    e->changes_after = us(&d, 0, dice_one_in(&d, 2) ? 200000 : 5000000);
    *s = e->settings;
    s->congestion = controllers[dice_range(&d, 0, 2)];
    s->nodelay = dice_one_in(&d, 2);
    s->cork = dice_one_in(&d, 4);
    s->quickack = dice_one_in(&d, 2);
    s->pacing = dice_one_in(&d, 2);
    s->mtu_probe = (uint8_t)dice_range(&d, 0, TERN_MTU_PROBE_ALWAYS);
    s->pacing_rate_max = dice_one_in(&d, 3) ? dice_range(&d, 20000, 1000000) : 0;
    s->readable_bytes = number % 2 == 0 && dice_one_in(&d, 2) ? dice_range(&d, 1, 4000) : 0;
    draw_buffers(&d, s);
}

static uint32_t draw_bytes(struct dice *d, bool bulk)
{
    switch (dice_range(d, 0, 7)) {
    case 0:
        return 0;
    case 1:
        return dice_range(d, SIM_NAME_BYTES, 10);
    case 2:
        return bulk ? dice_range(d, 40000, 200000) : 3000;
    default:
        return dice_range(d, SIM_NAME_BYTES, 30000);
    }
}

static void draw_pieces(struct end_plan *e, struct dice *d)
{
    e->write_max = dice_one_in(d, 4) ? dice_range(d, 1, 1000) : dice_range(d, 1000, 60000);
    e->read_max = dice_one_in(d, 4) ? dice_range(d, 100, 2000) : 1u << 20;
    if (e->bytes / e->write_max > 400)
        e->write_max = e->bytes / 400;
}

static void draw_manner(struct end_plan *e, uint64_t seed, uint64_t off, uint32_t number)
{
    struct dice d;

    dice_init(&d, seed, "manner", number);
    e->manner = dice_one_in(&d, 2) ? SIM_ANSWERS : SIM_SHUTS;
    dice_init(&d, seed, "abort", number);
    e->stop_at = dice_range(&d, 0, 20000);
    if (dice_one_in(&d, 14) && is_on(off, SIM_SWITCH_ABORT))
        e->manner = SIM_ABORTS;
    dice_init(&d, seed, "unread", number);
    if (dice_one_in(&d, 18) && is_on(off, SIM_SWITCH_UNREAD))
        e->manner = SIM_LEAVES;
    dice_init(&d, seed, "urgent", number);
    if (e->bytes > 10 && dice_one_in(&d, 12) && is_on(off, SIM_SWITCH_URGENT))
        e->urgent_at = dice_range(&d, SIM_NAME_BYTES + 1, e->bytes - 1);
    dice_init(&d, seed, "lend", number);
    e->lends = dice_one_in(&d, 5) && is_on(off, SIM_SWITCH_LEND);
    dice_init(&d, seed, "marks", number);
    e->marks = dice_one_in(&d, 5) && is_on(off, SIM_SWITCH_MARKS);
}

static void draw_end(struct end_plan *e, uint64_t seed, uint64_t off, uint32_t number)
{
    struct dice d;

    dice_init(&d, seed, "end", number);
    e->bytes = draw_bytes(&d, is_on(off, SIM_SWITCH_BULK));
    draw_pieces(e, &d);
    dice_init(&d, seed, "slow", number);
    if (is_on(off, SIM_SWITCH_SLOW) && dice_one_in(&d, 4))
        e->read_pause = us(&d, 1, 20000);
    if (is_on(off, SIM_SWITCH_SLOW) && dice_one_in(&d, 5))
        e->write_pause = us(&d, 1, 20000);
    draw_manner(e, seed, off, number);
    tern_tcp_settings_defaults(&e->settings);
    if (is_on(off, SIM_SWITCH_SETTINGS))
        draw_settings(&e->settings, seed, number);
    if (is_on(off, SIM_SWITCH_CHANGE))
        draw_change(e, seed, number);
}

/* The clock of first sequence numbers ticks every 4 us (RFC 9293 §3.4.1). A port that is used again
 * after a reset must wait until it is beyond the old numbers, as old segments may be about. */
static void draw_flow(struct plan *p, uint64_t off, uint32_t i)
{
    struct flow_plan *f = &p->flow[i];
    tern_time least;
    struct dice d;

    dice_init(&d, p->seed, "flow", i);
    f->opener = dice_one_in(&d, 4);
    f->starts = TERN_SECOND + (dice_one_in(&d, 2) ? us(&d, 0, 2000000) : 0);
    draw_end(&f->end[0], p->seed, off, 2 * i);
    draw_end(&f->end[1], p->seed, off, 2 * i + 1);
    f->rounds = 1;
    dice_init(&d, p->seed, "again", i);
    if (dice_one_in(&d, 6) && is_on(off, SIM_SWITCH_AGAIN)) {
        f->rounds = dice_range(&d, 2, 5);
        f->same_port = dice_one_in(&d, 2);
        f->gap = dice_one_in(&d, 2) ? us(&d, 0, 3000000) : 0;
        least = TERN_MS + 4 * TERN_US * (tern_time)(f->end[0].bytes + f->end[1].bytes);
        if (f->same_port && f->gap < least)
            f->gap = least;
    }
    dice_init(&d, p->seed, "cross", i);
    f->cross = dice_one_in(&d, 20) && is_on(off, SIM_SWITCH_CROSS) && f->rounds == 1;
}

void plan_draw(struct plan *p, uint64_t seed, uint64_t off, uint64_t flows)
{
    struct dice d;

    memset(p, 0, sizeof(*p));
    p->seed = seed;
    draw_losses(p, off);
    draw_path(p, off);
    dice_init(&d, seed, "flows", 0);
    p->flows_count = dice_range(&d, 1, dice_one_in(&d, 3) ? 4 : 2);
    if (draw(&d, p, off, SIM_SWITCH_CROWD, 40))
        p->flows_count = dice_range(&d, 10, SIM_FLOWS_MAX);
    p->flows = flows;
    draw_stacks(p, off);
    for (uint32_t i = 0; i < p->flows_count; i++)
        draw_flow(p, off, i);
    if (draw(&d, p, off, SIM_SWITCH_BESIDE, 8)) {
        p->datagrams = dice_range(&d, 0, 10);
        p->pings = dice_range(&d, 0, 5);
    }
    draw_wrap(p, off);
    dice_init(&d, seed, "heal", 0);
    p->heal_at = TERN_SECOND + us(&d, 5000000, 30000000);
}
