/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two connections with the same numbers hear the same segments, one by the short way (fast.c) and
 * one by every step: after each, all of their state must be the same, and all that they say. Most
 * segments are as expected, and any of them may be odd in one way or two. Of those that are as
 * expected many have to go the short way, which the linker shows us.
 */
#include "engine.h"

#define SEEDS  60
#define ROUNDS 700

struct twin {
    struct engine e;
    struct tern_tcb c;
};

struct twins {
    struct twin short_way, long_way;
    struct tern_random r;
    uint32_t ts; /* of the peer */
};

static uint64_t tried, taken; /* by the short way */

bool __real_tern_tcb_input_fast(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);
bool __wrap_tern_tcb_input_fast(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);
bool __wrap_tern_tcb_input_fast(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const bool short_way = __real_tern_tcb_input_fast(c, seg, now);

    tried++;
    taken += short_way;
    return short_way;
}

static uint32_t below(struct twins *t, uint32_t n)
{
    return (uint32_t)tern_random_below(&t->r, n);
}

static bool one_in(struct twins *t, uint32_t n)
{
    return below(t, n) == 0;
}

/* ---- comparing ---- */

/* Without what lies where it lies by chance. */
static void normalise(struct tern_tcb *to, const struct tern_tcb *c)
{
    memcpy(to, c, sizeof *to);
    to->env = NULL;
    to->log = NULL;
    to->rcv.ooo = to->loss.sacked = to->loss.relost = NULL;
    to->sendq.map = to->recvq.map = NULL;
}

static void same_ranges(const struct tern_ranges *a, const struct tern_ranges *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a == NULL)
        return;
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->item, b->item, a->count * sizeof a->item[0]);
}

static void same_log(struct tern_sentlog *a, struct tern_sentlog *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a == NULL)
        return;
    assert_int_equal(a->fresh_count, b->fresh_count);
    assert_int_equal(a->again_count, b->again_count);
    for (uint32_t i = 0; i < a->fresh_count; i++)
        assert_memory_equal(tern_sentlog_fresh_at(a, i), tern_sentlog_fresh_at(b, i),
                            sizeof(struct tern_sent));
    for (uint32_t i = 0; i < a->again_count; i++)
        assert_memory_equal(tern_sentlog_again_at(a, i), tern_sentlog_again_at(b, i),
                            sizeof(struct tern_sent));
}

static void same(struct twins *t)
{
    const struct twin *a = &t->short_way, *b = &t->long_way;
    static struct tern_tcb one, two;

    normalise(&one, &a->c);
    normalise(&two, &b->c);
    for (size_t i = 0; i < sizeof one; i++)
        if (((uint8_t *)&one)[i] != ((uint8_t *)&two)[i])
            fail_msg("byte %zu of the control block differs", i);
    same_ranges(a->c.rcv.ooo, b->c.rcv.ooo);
    same_ranges(a->c.loss.sacked, b->c.loss.sacked);
    same_ranges(a->c.loss.relost, b->c.loss.relost);
    same_log(a->c.log, b->c.log);
    assert_memory_equal(a->e.drops, b->e.drops, sizeof a->e.drops);
    assert_int_equal(a->e.env.chunks.chunks.used, b->e.env.chunks.chunks.used);
    assert_int_equal(a->e.env.logs.used, b->e.env.logs.used);
    assert_int_equal(a->e.env.ranges.used, b->e.env.ranges.used);
    assert_int_equal(a->e.env.promised, b->e.env.promised);
    assert_int_equal(a->e.env.segments_in, b->e.env.segments_in);
    assert_int_equal(a->e.env.segments_out, b->e.env.segments_out);
}

static void same_header(const struct tern_segment_out *a, const struct tern_segment_out *b)
{
    assert_int_equal(a->h.seq.value, b->h.seq.value);
    assert_int_equal(a->h.ack.value, b->h.ack.value);
    assert_int_equal(a->h.flags, b->h.flags);
    assert_int_equal(a->h.window, b->h.window);
    assert_int_equal(a->h.ts_echo, b->h.ts_echo);
    assert_int_equal(a->h.sack_count, b->h.sack_count);
    assert_int_equal(a->text_at, b->text_at);
    assert_int_equal(a->text_bytes, b->text_bytes);
    assert_int_equal(a->cause, b->cause);
}

/* ---- what happens ---- */

static void hear(struct twins *t, const struct tern_segment *seg)
{
    tern_tcb_input(&t->short_way.c, seg, t->short_way.e.now);
    tern_tcb_input_long(&t->long_way.c, seg, t->long_way.e.now);
    same(t);
}

static void say(struct twins *t, uint32_t most)
{
    struct tern_segment_out a, b;
    bool more = true;

    for (uint32_t i = 0; i < most && more; i++) {
        more = tern_tcb_output(&t->short_way.c, t->short_way.e.now, &a);
        assert_int_equal(tern_tcb_output(&t->long_way.c, t->long_way.e.now, &b), more);
        if (more)
            same_header(&a, &b);
    }
    same(t);
}

/* One way in which it is not as expected. */
static void make_odd(struct twins *t, struct tern_segment *seg)
{
    const struct tern_tcb *c = &t->short_way.c;

    switch (below(t, 14)) {
    case 0:
        seg->h.seq.value += below(t, 5000);
        break;
    case 1:
        seg->h.seq.value -= below(t, 5000);
        break;
    case 2:
        seg->h.ack.value += below(t, 3000);
        break;
    case 3:
        seg->h.ack.value -= below(t, one_in(t, 3) ? 3000 : 1u << 20);
        break;
    case 4:
        seg->h.window = (uint16_t)below(t, 65536);
        break;
    case 5:
        seg->h.window = 0;
        break;
    case 6:
        seg->h.flags |= (uint8_t)(1u << below(t, 8));
        seg->h.urgent = (uint16_t)below(t, 100);
        break;
    case 7:
        seg->h.flags ^= TERN_TCP_ACK;
        break;
    case 8:
        seg->h.has_timestamps = !seg->h.has_timestamps;
        break;
    case 9:
        seg->h.ts_value -= below(t, 3) * 100;
        break;
    case 10:
        seg->h.sack_count = 1;
        seg->h.sack[0].start = tern_tcb_wrap(c->snd.una + below(t, 1000) - 500);
        seg->h.sack[0].end = tern_seq_of(seg->h.sack[0].start.value + below(t, 1500));
        break;
    case 11:
        seg->ecn = TERN_ECN_CE;
        break;
    case 12:
        seg->h.flags |= one_in(t, 2) ? TERN_TCP_ECE : TERN_TCP_CWR;
        break;
    default:
        seg->piece_bytes = 1 + below(t, 500);
        break;
    }
}

static void peer_says(struct twins *t)
{
    static const uint8_t text[4000];
    const struct tern_tcb *c = &t->short_way.c;
    struct tern_segment seg = {.h = {.flags = TERN_TCP_ACK}};
    const uint64_t flight = c->snd.nxt - c->snd.una;

    seg.h.seq = tern_tcb_wrap(c->rcv.nxt);
    seg.h.ack =
        tern_tcb_wrap(one_in(t, 4) ? c->snd.una + below(t, (uint32_t)flight + 1) : c->snd.nxt);
    seg.h.window = (uint16_t)(c->snd.wnd >> c->snd.wscale);
    seg.h.has_timestamps = c->opt.timestamps;
    seg.h.ts_value = t->ts;
    seg.h.ts_echo = tern_tcb_ts_now(c, t->short_way.e.now);
    seg.text = tern_span_of(text, one_in(t, 3) ? 0 : one_in(t, 3) ? below(t, 3000) : 1000);
    if (seg.text.bytes > 0 && one_in(t, 3))
        seg.h.flags |= TERN_TCP_PSH;
    while (one_in(t, 6))
        make_odd(t, &seg);
    hear(t, &seg);
}

static void application(struct twins *t)
{
    static const uint8_t bytes[5000];
    const uint32_t n = below(t, 5000);
    uint64_t from;
    uint64_t unread = tern_tcb_readable(&t->short_way.c, &from);

    if (one_in(t, 2))
        assert_int_equal(tern_tcb_write(&t->short_way.c, bytes, n),
                         tern_tcb_write(&t->long_way.c, bytes, n));
    if (one_in(t, 2)) {
        unread = unread > 0 ? below(t, (uint32_t)unread + 1) : 0;
        tern_tcb_skip(&t->short_way.c, (size_t)unread, t->short_way.e.now);
        tern_tcb_skip(&t->long_way.c, (size_t)unread, t->long_way.e.now);
    }
    same(t);
}

static void time_passes(struct twins *t)
{
    const tern_time step = one_in(t, 50) ? TERN_SECOND : (tern_time)below(t, 3) * TERN_MS;

    t->short_way.e.now += step;
    t->long_way.e.now += step;
    t->ts += (uint32_t)(step / TERN_MS);
    tern_tcb_expire(&t->short_way.c, t->short_way.e.now);
    tern_tcb_expire(&t->long_way.c, t->long_way.e.now);
    same(t);
}

static void open_twin(struct twin *w, const struct tern_tcb_options *o)
{
    engine_open(&w->e, 200);
    tern_tcb_open_active(&w->c, &w->e.env, o, w->e.now);
}

static void twins_open(struct twins *t, uint32_t seed)
{
    static const char *const controllers[] = {"reno", "cubic", "bbr"};
    struct tern_tcb_options o = {.id = 1, .iss = tern_seq_of(seed % 3 == 0 ? 0xfffffe00u : 77)};
    struct tern_segment seg = {.h = {.flags = TERN_TCP_SYN | TERN_TCP_ACK, .window = 60000}};

    tern_random_init(&t->r, &seed, sizeof seed, "fast");
    o.cc = tern_cc_find(controllers[seed % 3]);
    o.local = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 1), 1};
    o.remote = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), 80};
    tern_tcp_settings_defaults(&o.set);
    o.set.timestamps = !one_in(t, 3);
    o.set.sack = !one_in(t, 4);
    o.set.nodelay = one_in(t, 2);
    open_twin(&t->short_way, &o);
    open_twin(&t->long_way, &o);
    say(t, 1);
    seg.h.seq = tern_seq_of(seed % 2 == 0 ? 0xfffff000u : 5000);
    seg.h.ack = tern_tcb_wrap(t->short_way.c.snd.nxt);
    seg.h.has_mss = seg.h.sack_permitted = seg.h.has_timestamps = true;
    seg.h.mss = ENGINE_MSS;
    seg.h.has_wscale = one_in(t, 2);
    seg.h.wscale = 3;
    seg.h.flags |= one_in(t, 2) ? TERN_TCP_ECE : 0;
    seg.h.ts_value = t->ts = below(t, 1000);
    hear(t, &seg);
    say(t, 10);
}

static void both_ways_are_one(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct twins *t = calloc(1, sizeof *t);

        assert_non_null(t);
        twins_open(t, seed);
        for (int i = 0; i < ROUNDS && t->short_way.c.state != TERN_TCP_CLOSED; i++) {
            for (uint32_t n = below(t, 5); n > 0; n--)
                peer_says(t);
            if (one_in(t, 2))
                application(t);
            if (!one_in(t, 8))
                say(t, 1 + below(t, 20));
            time_passes(t);
        }
        tern_tcb_fini(&t->short_way.c);
        tern_tcb_fini(&t->long_way.c);
        engine_close(&t->short_way.e);
        engine_close(&t->long_way.e);
        free(t);
    }
    print_message("%llu of %llu segments by the short way\n", (unsigned long long)taken,
                  (unsigned long long)tried);
    assert_true(tried > 10000);
    assert_true(taken > tried / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways_are_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
