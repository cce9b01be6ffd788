/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of steps made by hand: those that no story tells. */
#include "report/words.h"
#include "test.h"

static const struct row {
    struct tern_step step;
    const char *text;
} rows[] = {
    {{.kind = TERN_STEP_RST, .from = TERN_LANE_LEFT, .count = 1, .why = TERN_CAUSE_RST_UNREAD},
     "RST · I left bytes unread"},
    {{.kind = TERN_STEP_RST, .from = TERN_LANE_RIGHT, .count = 3},
     "RST, 3 times · this connection is no more"},
    {{.kind = TERN_STEP_ICMP, .icmp_type = 3, .icmp_code = 3}, "ICMP: port unreachable"},
    {{.kind = TERN_STEP_ICMP, .icmp_type = 11}, "ICMP: it lived too long"},
    {{.kind = TERN_STEP_ICMP, .icmp_type = 3, .icmp_code = 200}, "ICMP: type 3, code 200"},
    {{.kind = TERN_STEP_PING, .icmp_type = 8, .bytes = 56, .count = 1}, "ping · 56 bytes"},
    {{.kind = TERN_STEP_PING, .bytes = 1, .count = 2}, "ping: yes · 1 byte · 2 times"},
    {{.kind = TERN_STEP_UDP, .bytes = 2, .count = 1}, "UDP · 2 bytes"},
    {{.kind = TERN_STEP_FRAME, .count = 1}, "a frame of another kind"},
    {{.kind = TERN_STEP_DATA,
      .data = {.class = TERN_DATA_AGAIN, .cause = TERN_CAUSE_RTO, .segments = 1, .end = 1}},
     "again: byte 0 · no ACK in time"},
    {{.kind = TERN_STEP_DATA,
      .from = TERN_LANE_RIGHT,
      .data = {.class = TERN_DATA_FILL, .segments = 2, .start = 10, .end = 20}},
     "2 missing segments · bytes 10-19"},
    {{.kind = TERN_STEP_DATA, .until = 3170 * TERN_MS, .data = {.segments = 2, .end = 20}},
     "2 segments · bytes 0-19 · 3.2 s"},
    {{.kind = TERN_STEP_ACK, .acks = {.class = TERN_ACK_PLAIN, .count = 1, .upto = 1}},
     "ACK · have byte 0"},
    {{.kind = TERN_STEP_ACK,
      .acks = {.class = TERN_ACK_DUPLICATE, .count = 1, .upto = 9, .dsack = true}},
     "duplicate ACK · had those already"},
    {{.kind = TERN_STEP_ACK,
      .acks = {.class = TERN_ACK_DUPLICATE,
               .count = 2,
               .upto = 9,
               .sack = true,
               .sack_lo = 20,
               .sack_hi = 30}},
     "2 duplicate ACKs · where is byte 9? · have bytes 20-29"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_words words;
        char text[256];

        tern_words_step(&rows[i].step, &words);
        tern_words_join(&words, 200, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

/* Every kind of step has words, and joining never takes more columns than it was given. */
static void test_all_kinds(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < TERN_STEP_KIND_COUNT; kind++) {
        struct tern_step step = {.kind = (enum tern_step_kind)kind, .acks = {.count = 1}};
        struct tern_words words;
        char text[256];

        tern_words_step(&step, &words);
        assert_true(words.count >= 1);
        for (size_t columns = 1; columns < 60; columns++) {
            tern_words_join(&words, columns, text, sizeof text);
            size_t used = 0;

            for (const char *c = text; *c != '\0'; c++)
                used += ((unsigned char)*c & 0xc0) != 0x80;
            assert_true(used <= columns);
        }
    }
}

/* In a ladder of 80 columns (50 for the words of an arrow, 47 for a burst's) the reason for sending
 * again always stands, whole. */
static void test_reasons_stand(void **state)
{
    static const struct {
        enum tern_cause cause;
        enum tern_spurious spurious;
        bool near;
        const char *why;
    } reasons[] = {
        {TERN_CAUSE_RTO, TERN_SPURIOUS_NOT, true, " · no ACK in time"},
        {TERN_CAUSE_FAST_RETRANSMIT, TERN_SPURIOUS_NOT, true, " · duplicate ACKs: lost"},
        {TERN_CAUSE_RACK_RETRANSMIT, TERN_SPURIOUS_NOT, true, " · later ones arrived"},
        {TERN_CAUSE_TAIL_PROBE, TERN_SPURIOUS_NOT, true, " · was the last one lost?"},
        {TERN_CAUSE_NONE, TERN_SPURIOUS_NOT, false, " · ACKs told of the loss"},
        {TERN_CAUSE_NONE, TERN_SPURIOUS_ACKED, false, " · needless: already ACKed"},
        {TERN_CAUSE_NONE, TERN_SPURIOUS_DSACK, false, " · needless: it came twice"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(reasons) * 4; i++) {
        bool is_burst = i / ROWS(reasons) % 2 == 1, is_fill = i / ROWS(reasons) / 2 == 1;
        size_t row = i % ROWS(reasons);
        struct tern_step step = {.kind = TERN_STEP_DATA,
                                 .near = reasons[row].near,
                                 .data = {.class = is_fill ? TERN_DATA_FILL : TERN_DATA_AGAIN,
                                          .cause = reasons[row].cause,
                                          .spurious = reasons[row].spurious,
                                          .again = TERN_AGAIN_FAST,
                                          .segments = is_burst ? 9 : 1,
                                          .start = 999900000,
                                          .end = 999901448}};
        struct tern_words words;
        char text[256];

        tern_words_step(&step, &words);
        tern_words_join(&words, is_burst ? 47 : 50, text, sizeof text);
        assert_non_null(strstr(text, reasons[row].why));
        assert_true(is_burst || strstr(text, "999,900,000") != NULL);
        tern_words_join(&words, 200, text, sizeof text);
        assert_non_null(strstr(text, "bytes 999,900,000-999,901,447"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_reasons_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
