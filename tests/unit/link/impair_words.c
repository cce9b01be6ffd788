/* SPDX-License-Identifier: BSD-2-Clause */
/* The language of impairments: every word, its units, its directions, and what is wrong with what.
 */
#include "link/impair_words.h"

#include "frames.h"

static struct tern_impair_way way[2];
static char text[TERN_LINK_ERROR_MAX];

static void parse(const char *words)
{
    if (tern_impair_parse(words, way, text) != TERN_ERR_OK)
        fail_msg("'%s' was refused: %s", words, text);
}

static void every_word(void **state)
{
    const struct tern_impair_way *in = &way[TERN_IMPAIR_IN], *out = &way[TERN_IMPAIR_OUT];

    (void)state;
    parse("loss 2% burst 0.1% 5 delay 20ms jitter 1.5ms reorder 25% duplicate 100% corrupt 0.0001% "
          "rate 1.5mbit limit 7 mtu 1280 drop 3 drop 9");
    assert_int_equal(in->loss_ppm, 20000);
    assert_int_equal(in->burst_ppm, 1000);
    assert_int_equal(in->burst_count, 5);
    assert_true(in->delay == 20 * TERN_MS);
    assert_true(in->jitter == 1500 * TERN_US);
    assert_int_equal(in->reorder_ppm, 250000);
    assert_int_equal(in->duplicate_ppm, 1000000);
    assert_int_equal(in->corrupt_ppm, 1);
    assert_true(in->rate_bits == 1500000);
    assert_int_equal(in->limit, 7);
    assert_int_equal(in->mtu_bytes, 1280);
    assert_int_equal(in->drop_count, 2);
    assert_int_equal(in->drop[0], 3);
    assert_int_equal(in->drop[1], 9);
    assert_true(in->active);
    assert_memory_equal(in, out, sizeof *in);
}

static void directions(void **state)
{
    (void)state;
    parse("in loss 1% drop 2 | out delay 5ms, both mtu 600");
    assert_int_equal(way[TERN_IMPAIR_IN].loss_ppm, 10000);
    assert_int_equal(way[TERN_IMPAIR_IN].drop_count, 1);
    assert_true(way[TERN_IMPAIR_IN].delay == 0);
    assert_int_equal(way[TERN_IMPAIR_OUT].loss_ppm, 0);
    assert_int_equal(way[TERN_IMPAIR_OUT].drop_count, 0);
    assert_true(way[TERN_IMPAIR_OUT].delay == 5 * TERN_MS);
    assert_int_equal(way[TERN_IMPAIR_IN].mtu_bytes, 600);
    assert_int_equal(way[TERN_IMPAIR_OUT].mtu_bytes, 600);
    parse("out drop 1");
    assert_false(way[TERN_IMPAIR_IN].active);
    assert_true(way[TERN_IMPAIR_OUT].active);
}

static void units(void **state)
{
    static const struct {
        const char *words;
        tern_time delay;
        uint64_t rate;
    } row[] = {
        {"delay 5ns rate 3bit", 5, 3},
        {"delay 100us rate 2kbit", 100 * TERN_US, 2000},
        {"delay 0.25s rate 10gbit", 250 * TERN_MS, UINT64_C(10000000000)},
        {"delay 3600s rate 0.5kbit", 3600 * TERN_SECOND, 500},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        parse(row[i].words);
        assert_true(way[0].delay == row[i].delay);
        assert_true(way[0].rate_bits == row[i].rate);
    }
}

/* Each of these is refused, and the words name what is wrong. */
static void refusals(void **state)
{
    static const struct {
        const char *words, *named;
    } row[] = {
        {"", "nothing"},
        {"  , |", "nothing"},
        {"in", "nothing"},
        {"los 2%", "'los'"},
        {"loss", "'loss' wants a percentage"},
        {"loss 2", "not '2'"},
        {"loss 101%", "not '101%'"},
        {"loss -1%", "not '-1%'"},
        {"loss x%", "not 'x%'"},
        {"loss 2%%", "not '2%%'"},
        {"delay 20", "not '20'"},
        {"delay 20msec", "not '20msec'"},
        {"delay 3601s", "not '3601s'"},
        {"delay 99999999999999999999s", "not '9999"},
        {"rate 5", "not '5'"},
        {"burst 1%", "'burst P%' wants a number"},
        {"burst 1% 0", "not '0'"},
        {"drop 0", "not '0'"},
        {"drop 1.5", "not '1.5'"},
        {"limit many", "not 'many'"},
        {"jitter 1ms", "'jitter' means nothing"},
        {"reorder 5%", "'reorder' means nothing"},
        {"in delay 1ms out jitter 1ms", "'jitter' means nothing"},
        {"loss 2% supercalifragilisticexpialidocious-and-more", "'supercali"},
    };
    char many[1024] = "";

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        text[0] = '\0';
        if (tern_impair_parse(row[i].words, way, text) != TERN_ERR_INVAL)
            fail_msg("'%s' was accepted", row[i].words);
        if (strstr(text, row[i].named) == NULL)
            fail_msg("'%s' says: %s", row[i].words, text);
        assert_int_equal(tern_impair_parse(row[i].words, way, NULL), TERN_ERR_INVAL);
    }
    for (size_t i = 0; i < TERN_IMPAIR_DROPS_MAX + 1; i++)
        memcpy(many + 7 * i, "drop 5 ", 8);
    assert_int_equal(tern_impair_parse(many, way, text), TERN_ERR_INVAL);
    assert_non_null(strstr(text, "more than"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word),
        cmocka_unit_test(directions),
        cmocka_unit_test(units),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
