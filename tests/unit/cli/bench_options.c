/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `tern bench`: what it means, and what is refused. */
#include "cli/bench_options.h"

#include "test.h"

static int parse(const char *line, struct tern_bench_options *out)
{
    char *argv[TEST_WORDS_MAX + 1];
    int argc = test_words(line, argv);

    return tern_bench_parse(argc, argv, out);
}

static void defaults(void **state)
{
    struct tern_bench_options o;

    (void)state;
    assert_int_equal(parse("bench recv 10.0.0.1", &o), 0);
    assert_int_equal(o.plan.work, TERN_BENCH_RECV);
    assert_string_equal(o.host, "10.0.0.1");
    assert_int_equal(o.plan.duration, 5 * TERN_SECOND);
    assert_int_equal(o.plan.limit, 0);
    assert_int_equal(o.plan.streams, 1);
    assert_int_equal(o.plan.message_bytes, 131072);
    assert_int_equal(o.port, 5201);
    assert_int_equal(o.wire.wait, TERN_LOOP_ADAPTIVE);
    assert_null(o.wire.congestion);
    assert_false(o.kernel || o.json || o.is_peer || o.wire.copy || o.talk.no_offload);
    assert_int_equal(parse("bench rr h", &o), 0);
    assert_int_equal(o.plan.message_bytes, 1);
}

static void meanings(void **state)
{
    struct tern_bench_options o;

    (void)state;
    assert_int_equal(parse("bench send --bytes 3G --streams 64 --message 64K --spin --json h", &o),
                     0);
    assert_int_equal(o.plan.work, TERN_BENCH_SEND);
    assert_int_equal(o.plan.limit, 3ull << 30);
    assert_int_equal(o.plan.streams, 64);
    assert_int_equal(o.plan.message_bytes, 65536);
    assert_int_equal(o.wire.wait, TERN_LOOP_SPIN);
    assert_true(o.json);
    assert_int_equal(parse("bench conn --count 1000 --block --congestion reno h --no-offload", &o),
                     0);
    assert_int_equal(o.plan.work, TERN_BENCH_CONN);
    assert_int_equal(o.plan.limit, 1000);
    assert_int_equal(o.wire.wait, TERN_LOOP_BLOCK);
    assert_string_equal(o.wire.congestion, "reno");
    assert_true(o.talk.no_offload);
    assert_int_equal(parse("bench rr --spin --adaptive --message 1M --seconds 0.5 h", &o), 0);
    assert_int_equal(o.wire.wait, TERN_LOOP_ADAPTIVE);
    assert_int_equal(o.plan.message_bytes, 1048576);
    assert_int_equal(o.plan.duration, TERN_SECOND / 2);
    assert_int_equal(parse("bench peer --link kernel --port 0 --once", &o), 0);
    assert_true(o.is_peer && o.kernel && o.once);
    assert_int_equal(o.port, 0);
    assert_int_equal(parse("bench recv --link lab", &o), 0);
    assert_string_equal(o.host, TERN_BENCH_LAB_HOST);
    assert_int_equal(parse("bench recv --link tap:t0 --address 10.0.0.5/24 --copy h", &o), 0);
    assert_string_equal(o.talk.link, "tap:t0");
    assert_true(o.wire.copy);
}

static void refusals(void **state)
{
    static const char *const lines[] = {
        "bench",
        "bench recv",
        "bench recv a b",
        "bench receive h",
        "bench peer h",
        "bench recv --wrong h",
        "bench recv h --seconds",
        "bench recv --seconds 0 h",
        "bench recv --seconds x h",
        "bench recv --bytes 0 h",
        "bench recv --bytes 1T h",
        "bench recv --bytes G h",
        "bench recv --bytes 99999999999G h",
        "bench recv --count 5 h",
        "bench rr --bytes 5 h",
        "bench rr --count 0 h",
        "bench rr --count 5 --seconds 1 h",
        "bench recv --bytes 5 --seconds 1 h",
        "bench recv --streams 0 h",
        "bench recv --streams 513 h",
        "bench recv --message 0 h",
        "bench recv --message 1025K h",
        "bench recv --port 0 h",
        "bench recv --port 65536 h",
        "bench recv --congestion vegas h",
        "bench recv --once h",
        "bench peer --seconds 1",
        "bench peer --link lab",
        "bench recv --link lab h",
        "bench recv --link kernel --address 10.0.0.5/24 h",
        "bench recv --link kernel --pcap f h",
        "bench recv --link kernel --no-offload h",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct tern_bench_options o;

        print_message("%s\n", lines[i]);
        assert_int_equal(parse(lines[i], &o), 1 + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(meanings),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
