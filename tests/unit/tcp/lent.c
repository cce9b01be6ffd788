/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that are lent, against a model that keeps the stream in an array: written and lent pieces
 * of any length follow one another, segments leave and are acknowledged, some are lost and go
 * again; each segment fits the pieces of a frame and holds the stream's bytes, and loans come back
 * in order, each once all of it is acknowledged and no sooner, or when the connection ends.
 */
#include "engine.h"

#define STREAM_BYTES (1u << 21)
#define ROUNDS       4000
#define LOANS        100

struct lender {
    struct engine e;
    void *loans;
    struct tern_tcb c;
    uint8_t stream[STREAM_BYTES];
    uint64_t end[STREAM_BYTES / 64]; /* of each loan, in order */
    uint32_t lent, back;
    uint32_t written;
};

static uint64_t base_of(const struct lender *l)
{
    return l->c.snd.iss + 1;
}

static struct lender *lender_open(uint32_t loans)
{
    struct lender *l = calloc(1, sizeof *l);

    assert_non_null(l);
    engine_open(&l->e, 200);
    engine_pool(&l->e.env.loans, &l->loans, sizeof(struct tern_loan), loans);
    engine_connect(&l->e, &l->c, 1);
    for (uint32_t i = 0; i < STREAM_BYTES; i++)
        l->stream[i] = (uint8_t)(i * 2654435761u >> 13);
    return l;
}

/* All that came back so far; acked: as it must have been. */
static void hear(struct lender *l, bool acked)
{
    void *user;
    bool was;

    while (tern_tcp_loan_returned(&l->e.env, &user, &was)) {
        assert_int_equal((uintptr_t)user, l->back);
        assert_int_equal(was, acked);
        assert_true(!acked || l->end[l->back] <= l->c.snd.una);
        l->back++;
    }
    assert_true(!acked || l->back == l->lent || l->end[l->back] > l->c.snd.una);
}

static void lender_close(struct lender *l)
{
    tern_tcb_fini(&l->c);
    hear(l, false);
    assert_int_equal(l->back, l->lent);
    assert_int_equal(l->e.env.loans.used, 0);
    engine_close(&l->e);
    free(l->loans);
    free(l);
}

static enum tern_err lend(struct lender *l, uint32_t bytes)
{
    const enum tern_err err =
        tern_tcb_lend(&l->c, l->stream + l->written, bytes, (void *)(uintptr_t)l->lent);

    if (err != TERN_ERR_OK)
        return err;
    l->written += bytes;
    l->end[l->lent++] = base_of(l) + l->written;
    return TERN_ERR_OK;
}

static void put_some(struct lender *l, struct tern_random *r)
{
    static const uint32_t most[] = {3, 40, 700, 3000, 20000};
    const uint32_t bytes = 1 + (uint32_t)tern_random_below(r, most[tern_random_below(r, 5)]);

    if (l->written + bytes > STREAM_BYTES)
        return;
    if (tern_random_below(r, 3) == 0) {
        l->written += (uint32_t)tern_tcb_write(&l->c, l->stream + l->written, bytes);
    } else {
        const bool free_here = l->c.lent.count < TERN_TCP_LOANS_MAX;
        const bool free_there = l->e.env.loans.used < l->e.env.loans.count;

        assert_int_equal(lend(l, bytes), free_here && free_there ? TERN_ERR_OK : TERN_ERR_AGAIN);
    }
}

/* What a frame would hold: as many pieces as there is room for at most, and the right bytes. */
static void judge_text(struct lender *l, const struct tern_segment_out *out)
{
    uint64_t at = out->text_at;
    uint32_t left = out->text_bytes;
    uint32_t pieces = 1;

    for (; left > 0; pieces++) {
        const struct tern_slice s = tern_tcb_text(&l->c, at, left);

        assert_true(s.bytes > 0 && s.bytes <= left);
        assert_memory_equal(s.data, l->stream + (at - base_of(l)), s.bytes);
        at += s.bytes;
        left -= (uint32_t)s.bytes;
    }
    assert_true(pieces <= TERN_FRAME_PIECES_MAX);
}

static uint32_t send_some(struct lender *l)
{
    struct tern_segment_out out;
    uint32_t count = 0;

    while (tern_tcb_output(&l->c, l->e.now, &out)) {
        judge_text(l, &out);
        count++;
    }
    return count;
}

/* The peer has all below. */
static void ack(struct lender *l, uint64_t below)
{
    struct tern_segment seg = {.h = {.flags = TERN_TCP_ACK, .window = 60000}};

    seg.h.seq = tern_seq_of(ENGINE_PEER_SEQ + 1);
    seg.h.ack = tern_tcb_wrap(below);
    l->e.now += TERN_MS;
    tern_tcb_input(&l->c, &seg, l->e.now);
}

static void against_model(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 4; seed++) {
        struct lender *l = lender_open(seed % 2 == 0 ? LOANS : 5);
        struct tern_random r;

        l->e.env.tso = seed >= 2;
        tern_random_init(&r, &seed, sizeof seed, "lent");
        for (int round = 0; round < ROUNDS && l->written < STREAM_BYTES - 20000; round++) {
            for (uint32_t i = (uint32_t)tern_random_below(&r, 6); i > 0; i--)
                put_some(l, &r);
            (void)send_some(l);
            if (tern_random_below(&r, 40) == 0) /* a timeout: from the front again */
                tern_tcb_expire(&l->c, l->e.now += 3 * TERN_SECOND);
            else if (l->c.snd.nxt > l->c.snd.una)
                ack(l, l->c.snd.una + 1 +
                           tern_random_below(&r, (uint32_t)(l->c.snd.nxt - l->c.snd.una)));
            tern_tcb_check(&l->c);
            hear(l, true);
            tern_pool_check(&l->e.env.loans);
        }
        assert_true(l->back > 300);
        lender_close(l);
    }
}

/* One loan longer than any buffer is taken whole, and copies wait until it has nearly gone. */
static void longer_than_the_buffer(void **state)
{
    struct lender *l = lender_open(LOANS);
    uint32_t rounds = 0;

    (void)state;
    assert_int_equal(lend(l, STREAM_BYTES - 100), TERN_ERR_OK);
    assert_int_equal(tern_tcb_write_space(&l->c), 0);
    assert_int_equal(tern_tcb_write(&l->c, l->stream, 10), 0);
    for (; l->back == 0 && rounds < 2 * STREAM_BYTES / ENGINE_MSS; rounds++) {
        (void)send_some(l);
        ack(l, l->c.snd.nxt);
        hear(l, true);
    }
    assert_int_equal(l->back, 1);
    assert_int_equal(tern_tcb_write(&l->c, l->stream + l->written, 100), 100);
    l->written += 100;
    assert_int_equal(send_some(l), 1);
    lender_close(l);
}

/* Very short loans: a segment ends where its frame has no piece left. */
static void many_short(void **state)
{
    struct lender *l = lender_open(LOANS);

    (void)state;
    for (int i = 0; i < 21; i++)
        assert_int_equal(lend(l, 10), TERN_ERR_OK);
    l->c.set.nodelay = true;
    assert_int_equal(send_some(l), 3);
    assert_int_equal(l->c.snd.nxt, base_of(l) + 210);
    ack(l, base_of(l) + 15);
    hear(l, true);
    assert_int_equal(l->back, 1); /* half of one is not yet all of it */
    lender_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_model),
        cmocka_unit_test(longer_than_the_buffer),
        cmocka_unit_test(many_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
