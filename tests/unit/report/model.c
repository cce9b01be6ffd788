/* SPDX-License-Identifier: BSD-2-Clause */
/* The conversation model: what is folded, what is counted, where states go, and that it is bounded.
 */
#include "report/model.h"

#include "base/random.h"
#include "stories.h"
#include "test.h"

#define MSS 1448

static const struct tern_step *step(const struct talk *t, size_t index)
{
    return tern_model_step(t->model, index);
}

static void test_tour_is_folded(void **state)
{
    static const enum tern_step_kind kinds[] = {
        TERN_STEP_ARP_CLAIM, TERN_STEP_ARP_ASK, TERN_STEP_ARP_ANSWER, TERN_STEP_SYN,
        TERN_STEP_SYN_ACK,   TERN_STEP_ACK,     TERN_STEP_DATA,       TERN_STEP_DATA,
        TERN_STEP_FIN,       TERN_STEP_FIN,     TERN_STEP_ACK};
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_tour(&t);
    assert_int_equal(tern_model_step_count(t.model), ROWS(kinds));
    for (size_t i = 0; i < ROWS(kinds); i++)
        assert_int_equal(step(&t, i)->kind, kinds[i]);
    assert_int_equal(step(&t, 0)->count, 3);
    assert_int_equal(step(&t, 0)->announces, 1);
    assert_int_equal(step(&t, 7)->data.segments, 100);
    assert_int_equal(step(&t, 7)->data.end, 144800);
    assert_int_equal(step(&t, 7)->acks.count, 50);
    assert_int_equal(step(&t, 7)->acks.upto, 144800);
    talk_close(&t);
}

static void test_tour_is_counted(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_tour(&t);
    assert_int_equal(tern_model_conn_count(t.model), 1);
    const struct tern_model_conn *c = tern_model_conn(t.model, 0);

    assert_int_equal(c->id, 7);
    assert_int_equal(c->end[TERN_SIDE_LEFT].port, 50000);
    assert_int_equal(c->end[TERN_SIDE_RIGHT].port, 80);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].segments, 100);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].stream_bytes, 144800);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].again_segments, 0);
    assert_int_equal(c->side[TERN_SIDE_LEFT].segments, 1);
    assert_int_equal(c->side[TERN_SIDE_LEFT].acks, 51);
    assert_int_equal(c->side[TERN_SIDE_LEFT].duplicate_acks, 0);
    assert_true(c->closed_by_fin);
    assert_false(c->closed_by_reset);
    talk_close(&t);
}

static void test_loss_is_counted(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    story_tell(&t, "loss");
    const struct tern_model_conn *c = tern_model_conn(t.model, 0);

    assert_int_equal(c->side[TERN_SIDE_RIGHT].segments, 10);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].missing_segments, 1);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].again_segments, 1);
    assert_int_equal(c->side[TERN_SIDE_RIGHT].stream_bytes, 10 * MSS);
    assert_int_equal(c->side[TERN_SIDE_LEFT].duplicate_acks, 7);
    talk_close(&t);
}

static void test_super_segment(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_handshake(&t);
    talk_from(&t, TERN_LANE_RIGHT, 2000);
    t.gso_bytes = MSS;
    talk_tcp(&t, TERN_TCP_ACK, 0, 0, NULL, 44 * MSS + 1);
    assert_int_equal(tern_model_conn(t.model, 0)->side[TERN_SIDE_RIGHT].segments, 45);
    assert_int_equal(step(&t, 3)->data.segments, 45);
    assert_int_equal(step(&t, 3)->data.end, 44 * MSS + 1);
    talk_close(&t);
}

/* The same story, whichever way round the loop hands over frames and traces. */
static void test_states_find_their_frame(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct talk t;

        talk_open(&t, 0);
        if (!late)
            talk_state(&t, TERN_TCP_SYN_SENT);
        talk_from(&t, TERN_LANE_LEFT, 1);
        talk_tcp(&t, TERN_TCP_SYN, -1, 0, NULL, 0);
        if (late)
            talk_state(&t, TERN_TCP_SYN_SENT);
        talk_from(&t, TERN_LANE_RIGHT, 2);
        talk_tcp(&t, TERN_TCP_SYN | TERN_TCP_ACK, -1, 0, NULL, 0);
        if (!late)
            talk_state(&t, TERN_TCP_ESTABLISHED);
        talk_from(&t, TERN_LANE_LEFT, 3);
        talk_tcp(&t, TERN_TCP_ACK, 0, 0, NULL, 0);
        if (late)
            talk_state(&t, TERN_TCP_ESTABLISHED);
        assert_true(step(&t, 0)->has_state);
        assert_int_equal(step(&t, 0)->state, TERN_TCP_SYN_SENT);
        assert_false(step(&t, 1)->has_state);
        assert_true(step(&t, 2)->has_state);
        assert_int_equal(step(&t, 2)->state, TERN_TCP_ESTABLISHED);
        talk_close(&t);
    }
}

/* What rides on a SYN that comes again is new where the first one had none. */
static void test_text_on_the_second_syn(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_from(&t, TERN_LANE_LEFT, 1);
    talk_tcp(&t, TERN_TCP_SYN, -1, 0, NULL, 0);
    talk_from(&t, TERN_LANE_LEFT, 1000001);
    talk_tcp(&t, TERN_TCP_SYN, -1, 0, "hello", 0);
    assert_true(step(&t, 1)->again);
    assert_int_equal(step(&t, 2)->kind, TERN_STEP_DATA);
    assert_int_equal(step(&t, 2)->data.again, TERN_AGAIN_NOT);
    assert_int_equal(tern_model_conn(t.model, 0)->side[TERN_SIDE_LEFT].retransmissions, 1);
    talk_close(&t);
}

static void test_two_connections(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_handshake(&t);
    t.port = 50001;
    talk_from(&t, TERN_LANE_LEFT, 5000);
    talk_tcp(&t, TERN_TCP_SYN, -1, 0, NULL, 0);
    assert_int_equal(tern_model_conn_count(t.model), 2);
    assert_int_equal(step(&t, 3)->conn, 1);
    assert_int_equal(tern_model_conn(t.model, 1)->end[TERN_SIDE_LEFT].port, 50001);
    talk_close(&t);
}

static void test_silence_ends_a_burst(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_handshake(&t);
    for (uint32_t i = 0; i < 3; i++) {
        talk_from(&t, TERN_LANE_RIGHT, 2000 + (i == 2 ? 30000 : i));
        talk_tcp(&t, TERN_TCP_ACK, i * MSS, 0, NULL, MSS);
    }
    assert_int_equal(tern_model_step_count(t.model), 5);
    assert_int_equal(step(&t, 3)->data.segments, 2);
    assert_int_equal(step(&t, 4)->data.segments, 1);
    talk_close(&t);
}

/* A list that is full is folded: nothing of the conversation is left out. */
static void test_list_is_bounded(void **state)
{
    struct talk t;
    uint64_t segments = 0;

    (void)state;
    talk_open(&t, 40);
    story_tell(&t, "crowded");
    assert_true(tern_model_step_count(t.model) <= 40);
    for (size_t i = 0; i < tern_model_step_count(t.model); i++) {
        assert_int_not_equal(step(&t, i)->kind, TERN_STEP_OMITTED);
        if (step(&t, i)->kind == TERN_STEP_DATA)
            segments += step(&t, i)->data.segments;
    }
    assert_int_equal(segments, 267);
    assert_int_equal(tern_model_conn(t.model, 0)->side[TERN_SIDE_RIGHT].segments, 267);
    assert_int_equal(tern_model_conn(t.model, 0)->side[TERN_SIDE_RIGHT].again_segments, 67);
    talk_close(&t);
}

/* Any bytes at all: nothing breaks, nothing is read beyond the record. */
static void test_any_bytes(void **state)
{
    struct tern_random random;
    struct talk t;

    (void)state;
    tern_random_init(&random, "model", 5, "bytes");
    talk_open(&t, 64);
    for (uint32_t i = 0; i < 20000; i++) {
        struct tern_record r = {.at = i, .sent = i % 2 == 0};

        tern_random_bytes(&random, r.snap, sizeof r.snap);
        r.frame_bytes = (uint32_t)tern_random_below(&random, 70000);
        r.snap_bytes = (uint32_t)tern_random_below(&random, TERN_RECORD_SNAP_BYTES + 1);
        r.gso_bytes = (uint32_t)tern_random_below(&random, 3) * 700;
        memcpy(r.snap + 12, i % 5 == 0 ? "\x08\x06" : "\x08\x00", 2);
        tern_model_frame(t.model, &r);
    }
    tern_model_check(t.model);
    talk_close(&t);
}

/* Random segments of one connection: the model stays sound. */
static void test_any_segments(void **state)
{
    struct tern_random random;
    struct talk t;

    (void)state;
    tern_random_init(&random, "model", 5, "segments");
    talk_open(&t, 200);
    for (uint32_t i = 0; i < 20000; i++) {
        talk_from(&t, (enum tern_lane)tern_random_below(&random, TERN_LANE_COUNT), i);
        t.sack_hi = (uint32_t)tern_random_below(&random, 2) * 5000;
        t.window = (uint16_t)tern_random_below(&random, 3);
        talk_tcp(&t, (uint8_t)tern_random_below(&random, 32),
                 (int64_t)tern_random_below(&random, 200000) - 2,
                 (int64_t)tern_random_below(&random, 200000) - 2, NULL,
                 (uint32_t)tern_random_below(&random, 1461));
    }
    talk_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tour_is_folded),
        cmocka_unit_test(test_tour_is_counted),
        cmocka_unit_test(test_loss_is_counted),
        cmocka_unit_test(test_super_segment),
        cmocka_unit_test(test_states_find_their_frame),
        cmocka_unit_test(test_text_on_the_second_syn),
        cmocka_unit_test(test_two_connections),
        cmocka_unit_test(test_silence_ends_a_burst),
        cmocka_unit_test(test_list_is_bounded),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_any_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
