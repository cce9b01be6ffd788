/* SPDX-License-Identifier: BSD-2-Clause */
/* One seed's run. See world.h. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "deaths.h"
#include "judge.h"
#include "loans.h"

#define STEPS_MAX             300000
#define PATIENCE              (400 * TERN_SECOND) /* after the faults, and what the bytes need */
#define GIVEN_UP              (128 * TERN_SECOND) /* a SYN without room: others wait */
#define QUIET                 (130 * TERN_SECOND) /* after the last: TIME-WAIT ends, no more */
#define CHECK_EVERY           16                  /* steps, once a run is long */
#define LOOK_STEPS            1000                /* for the first numbers of a connection */
#define PROCESSOR_SECONDS_MAX 30                  /* thousands of times what a seed takes */

static const uint64_t hash_factor = UINT64_C(0x9fb21c651e98df25);

void world_fail(struct world *w, const char *format, ...)
{
    va_list arguments;

    if (w->failed)
        return;
    w->failed = true;
    va_start(arguments, format);
    vsnprintf(w->why, sizeof(w->why), format, arguments);
    va_end(arguments);
}

struct world *world_create(void)
{
    static const struct sim_faults none;
    struct world *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->network = sim_network_create(&none, 0);
    w->observer = w->judge = observer_create();
    w->scout = observer_create();
    return w;
}

void world_destroy(struct world *w)
{
    sim_network_destroy(w->network);
    observer_destroy(w->judge);
    observer_destroy(w->scout);
    free(w->side[0].memory);
    free(w->side[1].memory);
    free(w);
}

/* The time as a stack has it. */
static tern_time clock_of(const struct world *w, int i)
{
    return w->now + w->side[i].ahead;
}

static void open_stack(struct world *w, int i)
{
    const struct tern_cidr cidr = {tern_addr_v4(10, 0, 0, (uint8_t)(1 + i)), 24};
    const struct tern_config *c = &w->plan.stack[i];
    struct side *side = &w->side[i];
    const size_t bytes = tern_stack_bytes(c);

    if (bytes == 0)
        abort();
    if (bytes > side->memory_bytes) {
        free(side->memory);
        side->memory_bytes = (bytes + 4095) & ~(size_t)4095;
        side->memory = aligned_alloc(4096, side->memory_bytes);
        if (side->memory == NULL)
            abort();
    }
    memset(side->memory, 0, bytes);
    side->listener = NULL;
    if (tern_stack_init(side->memory, bytes, c, clock_of(w, i), &side->stack) != TERN_ERR_OK ||
        tern_stack_address_add(side->stack, &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        abort();
}

/* A hash that any change of any byte, length or time changes. */
static void note_frame(struct world *w, const uint8_t *data, uint32_t bytes, int from)
{
    uint64_t h = w->hash ^ (uint64_t)w->now ^ (uint64_t)from << 62 ^ (uint64_t)bytes << 40;
    uint32_t i = 0;
    uint64_t word = 0;

    for (; i + 8 <= bytes; i += 8) {
        memcpy(&word, data + i, 8);
        h = (h ^ word) * hash_factor;
        h ^= h >> 31;
    }
    word = 0;
    memcpy(&word, data + i, bytes - i);
    h = (h ^ word) * hash_factor;
    w->hash = h ^ h >> 29;
    w->frames++;
}

static void send_frame(struct world *w, int from, const struct tern_frame *f)
{
    static uint8_t whole[TERN_FRAME_BYTES_MAX];
    struct tern_frame one = *f;
    struct observed seen = {.data = whole};
    struct tern_stack_counters c;

    for (uint32_t i = 0; i < f->piece_count; i++) {
        if (seen.bytes + f->piece[i].bytes > sizeof(whole))
            abort();
        memcpy(whole + seen.bytes, f->piece[i].data, f->piece[i].bytes);
        seen.bytes += (uint32_t)f->piece[i].bytes;
    }
    if (seen.bytes != f->bytes)
        world_fail(w, "a frame of %u bytes has pieces of %u", f->bytes, seen.bytes);
    seen.sum_open = f->csum == TERN_CSUM_NEEDS;
    seen.sum_start = f->csum_start;
    seen.sum_offset = f->csum_offset;
    seen.cut_bytes = f->gso != TERN_GSO_NONE ? f->gso_bytes : 0;
    seen.header_bytes = f->header_bytes;
    tern_stack_counters(w->side[from].stack, &c);
    seen.unsent = c.drops[TERN_DROP_NO_NEIGHBOUR];
    seen.why = tern_cause_name(f->cause);
    one.piece[0] = (struct tern_slice){whole, seen.bytes};
    one.piece_count = 1;
    note_frame(w, whole, seen.bytes, from);
    sim_network_send(w->network, from, &one, observer_sent(w->observer, from, &seen, w->now),
                     w->now);
}

/* Where the frames of a burst stand until they go. */
static struct {
    uint8_t bytes[TERN_BURST_MAX * TERN_FRAME_BYTES_MAX];
    size_t used;
} lent;

/* The frames go, and something else stands in their place. */
static void settle(struct world *w, int i)
{
    if (lent.used == 0)
        return;
    tern_stack_settle(w->side[i].stack);
    memset(lent.bytes, 0xdb, lent.used);
    lent.used = 0;
}

static void tell_observer(struct world *w, int i, const struct sim_arrival *a)
{
    if (!a->corrupted)
        observer_delivered(w->observer, i, a->tag, a->frame.piece[0].data, a->frame.bytes, w->now);
}

static uint64_t asleep(const struct world *w, int i)
{
    struct tern_stack_counters c;

    tern_stack_counters(w->side[i].stack, &c);
    return c.drops[TERN_DROP_TCP_ASLEEP];
}

/* One by one: what a stack without a free control block drops is lost, as on the wire. */
static void hand_over_singly(struct world *w, int i, const struct sim_arrival *arrived, int n)
{
    for (int k = 0; k < n; k++) {
        const uint64_t before = asleep(w, i);

        tern_stack_input(w->side[i].stack, &arrived[k].frame, 1, clock_of(w, i));
        if (asleep(w, i) == before)
            tell_observer(w, i, &arrived[k]);
    }
}

/* Where a stack borrows, its frames are the world's own copies. */
static void lend_frames(struct world *w, int i, struct tern_frame *frames, int n)
{
    settle(w, i);
    for (int k = 0; k < n; k++) {
        memcpy(lent.bytes + lent.used, frames[k].piece[0].data, frames[k].bytes);
        frames[k].piece[0].data = lent.bytes + lent.used;
        lent.used += frames[k].bytes;
    }
    tern_stack_input_borrowed(w->side[i].stack, frames, n, clock_of(w, i));
}

static void hand_over(struct world *w, int i, const struct sim_arrival *arrived, int n)
{
    struct tern_frame frames[TERN_BURST_MAX];

    for (int k = 0; k < n; k++) {
        frames[k] = arrived[k].frame;
        tell_observer(w, i, &arrived[k]);
    }
    if (w->plan.borrows[i])
        lend_frames(w, i, frames, n);
    else
        tern_stack_input(w->side[i].stack, frames, n, clock_of(w, i));
}

static void receive(struct world *w, int i)
{
    struct sim_arrival arrived[TERN_BURST_MAX];
    int n;

    while ((n = sim_network_receive(w->network, i, w->now, arrived, (int)w->plan.batch)) > 0)
        if (w->plan.stack[i].awake_max > 0)
            hand_over_singly(w, i, arrived, n);
        else
            hand_over(w, i, arrived, n);
}

static void transmit(struct world *w, int i)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n;

    while ((n = tern_stack_output(w->side[i].stack, frames, TERN_BURST_MAX, clock_of(w, i))) > 0 &&
           !w->failed)
        for (int k = 0; k < n; k++)
            send_frame(w, i, &frames[k]);
    if (observer_complaint(w->observer) != NULL)
        world_fail(w, "%s", observer_complaint(w->observer));
}

static tern_time turn(struct world *w, int i)
{
    struct tern_stack *stack = w->side[i].stack;
    tern_time next, at;

    receive(w, i);
    tern_stack_expire(stack, clock_of(w, i)); /* nothing due: still the time of the calls to come */
    next = flows_run(w, i);
    at = beside_run(w, i);
    next = at < next ? at : next;
    if (w->steps % 2 == 0) /* before the stack sends, or after */
        settle(w, i);
    transmit(w, i);
    settle(w, i);
    if (w->steps < 1000 || w->steps % CHECK_EVERY == 0)
        tern_stack_check(stack);
    at = tern_stack_deadline(stack);
    at = at < TERN_TIME_NEVER ? at - w->side[i].ahead : at;
    return at < next ? at : next;
}

static void step(struct world *w)
{
    const tern_time first = turn(w, 0), second = turn(w, 1);
    const tern_time network = sim_network_deadline(w->network);
    tern_time next = first < second ? first : second;

    next = network < next ? network : next;
    if (!w->healed && w->now >= w->plan.heal_at) {
        sim_network_heal(w->network);
        w->healed = true;
    }
    w->steps++;
    /* An end that came first in this step may have more to do. */
    w->now = next > w->now ? next : w->now + TERN_US;
}

/* What one stream can do at least: the smallest window of 1024 bytes, one a round trip. */
static uint64_t slowest_rate(const struct sim_faults *f)
{
    const tern_time round_trip = 2 * (f->delay + f->jitter) + 50 * TERN_MS;
    const uint64_t rate = (uint64_t)(1000 * TERN_SECOND / round_trip);

    return f->bytes_per_second > 0 && f->bytes_per_second < rate ? f->bytes_per_second : rate;
}

static tern_time latest_end(const struct world *w)
{
    const struct plan *p = &w->plan;
    uint64_t bytes = 0, rounds = 0;

    for (uint32_t i = 0; i < p->flows_count; i++) {
        rounds += p->flow[i].rounds;
        bytes += (uint64_t)p->flow[i].rounds * (p->flow[i].end[0].bytes + p->flow[i].end[1].bytes);
    }
    if (p->stack[0].connections_max >= p->flows_count &&
        p->stack[1].connections_max >= p->flows_count)
        rounds = 0;
    return p->heal_at + PATIENCE + (tern_time)rounds * GIVEN_UP +
           (tern_time)(2 * bytes * 1000000 / slowest_rate(&p->faults)) * 1000;
}

static bool is_over(const struct world *w)
{
    struct tern_stack_counters a, b;

    if (!flows_over(w))
        return false;
    tern_stack_counters(w->side[0].stack, &a);
    tern_stack_counters(w->side[1].stack, &b);
    return a.connections_used == 0 && b.connections_used == 0;
}

/* All connections are over: what is left must go away by itself, and nothing must be said. */
static void run_quiet(struct world *w)
{
    const tern_time until = w->now + QUIET;

    while (!w->failed && w->now < until) {
        step(w);
        if (w->steps > STEPS_MAX)
            world_fail(w, "it is never quiet");
    }
}

static void begin(struct world *w)
{
    uint32_t mtus[2];

    w->now = TERN_SECOND;
    w->ends_count = w->ends_live = 0;
    w->steps = w->frames = w->hash = 0;
    w->healed = w->failed = false;
    w->why[0] = '\0';
    lent.used = 0;
    for (int i = 0; i < 2; i++)
        mtus[i] = w->plan.stack[i].link.mtu_bytes;
    sim_network_reset(w->network, &w->plan.faults, w->plan.seed);
    observer_reset(w->observer, mtus);
    open_stack(w, 0);
    open_stack(w, 1);
    flows_open(w);
    beside_open(w);
}

/* How far a clock must be ahead for a number to begin where the plan has it. Sequence numbers grow
 * by one each 4 us (RFC 9293 §3.4.1), timestamps each millisecond (RFC 7323 §5.4). */
static tern_time ahead_for(const struct wrap_plan *p, uint32_t isn, uint32_t stamp)
{
    const uint32_t wanted = p->border - p->before;

    if (p->what == SIM_WRAPS_NUMBERS)
        return (tern_time)(uint32_t)(wanted - isn) * 4 * TERN_US;
    return (tern_time)(uint32_t)(wanted - stamp) * TERN_MS;
}

/* Run until both SYNs of the first connection were seen, or for a while, to learn by which numbers
 * it begins; then set the clocks so that they are those of the plan. */
static void set_clocks(struct world *w)
{
    uint32_t isn, stamp;

    w->observer = w->scout;
    begin(w);
    while (!w->failed && w->steps < LOOK_STEPS && w->now < TERN_TIME_NEVER &&
           !(observer_first(w->observer, 0, &isn, &stamp) &&
             observer_first(w->observer, 1, &isn, &stamp)))
        step(w);
    for (int i = 0; i < 2; i++)
        if (w->plan.wrap[i].what != SIM_WRAPS_NOTHING &&
            observer_first(w->observer, i, &isn, &stamp))
            w->side[i].ahead = ahead_for(&w->plan.wrap[i], isn, stamp);
    loans_drop(w);
    w->observer = w->judge;
}

static void live(void *about)
{
    struct world *w = about;
    tern_time latest;

    w->side[0].ahead = w->side[1].ahead = 0;
    if (w->plan.wrap[0].what != SIM_WRAPS_NOTHING || w->plan.wrap[1].what != SIM_WRAPS_NOTHING)
        set_clocks(w);
    begin(w);
    latest = latest_end(w);
    while (!w->failed) {
        step(w);
        if (is_over(w))
            break;
        if (w->now == TERN_TIME_NEVER)
            world_fail(w, "nothing will ever happen again");
        else if (w->now > latest || w->steps > STEPS_MAX)
            world_fail(w, "it does not end");
    }
    w->ended_at = w->now;
    if (!w->failed && w->now < TERN_TIME_NEVER)
        run_quiet(w);
    if (!w->failed)
        judge_memory(w);
    if (!w->failed)
        loans_judge(w);
}

bool world_run(struct world *w, uint64_t seed, uint64_t off, uint64_t flows)
{
    const char *death;

    plan_draw(&w->plan, seed, off, flows);
    death = deaths_of(live, w, PROCESSOR_SECONDS_MAX);
    if (death != NULL)
        world_fail(w, "%s", death);
    loans_drop(w);
    w->observer = w->judge;
    return !w->failed;
}
