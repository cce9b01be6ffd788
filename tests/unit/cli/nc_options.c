/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `tern nc`: what it means, and what is refused. */
#include "cli/nc_options.h"

#include <getopt.h>

#include "test.h"

static int parse(const char *line, struct tern_nc_options *out)
{
    char *argv[TEST_WORDS_MAX + 1];
    int argc = test_words(line, argv);

    optind = 0; /* getopt(3): begin anew */
    return tern_nc_parse(argc, argv, out);
}

static void places(void **state)
{
    static const struct {
        const char *line, *host;
        uint16_t port, own_port;
    } row[] = {
        {"nc h 80", "h", 80, 0},
        {"nc -p 5000 h 80", "h", 80, 5000},
        {"nc -l 8080", NULL, 8080, 0},
        {"nc -l 10.0.0.1 8080", "10.0.0.1", 8080, 0},
        {"nc -l -p 8080", NULL, 8080, 8080},
        {"nc -l -p 8080 10.0.0.1", "10.0.0.1", 8080, 8080},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        struct tern_nc_options o;

        if (parse(row[i].line, &o) != 0)
            fail_msg("%s: refused", row[i].line);
        if ((o.host == NULL) != (row[i].host == NULL) ||
            (o.host != NULL && strcmp(o.host, row[i].host) != 0))
            fail_msg("%s: host %s", row[i].line, o.host == NULL ? "none" : o.host);
        if (o.port != row[i].port || o.own_port != row[i].own_port)
            fail_msg("%s: ports %u and %u", row[i].line, o.port, o.own_port);
    }
}

static void flags(void **state)
{
    struct tern_nc_options o;

    (void)state;
    assert_int_equal(parse("nc h 80", &o), 0);
    assert_false(o.listen || o.half_close || o.only_connect || o.verbose);
    assert_int_equal(o.wait, 0);
    assert_int_equal(parse("nc -Nnv -w 1.5 h 80 --pcap f", &o), 0);
    assert_true(o.half_close);
    assert_true(o.verbose);
    assert_string_equal(o.talk.pcap, "f");
    assert_false(o.listen || o.only_connect);
    assert_int_equal(o.wait, 1500 * TERN_MS);
    assert_int_equal(parse("nc -z h 80", &o), 0);
    assert_true(o.only_connect);
    assert_int_equal(parse("nc -l 80", &o), 0);
    assert_true(o.listen);
}

static void refused(void **state)
{
    static const char *const row[] = {
        "nc",           "nc h",        "nc h 80 81",   "nc h 0",       "nc h 65536",
        "nc h http",    "nc -l",       "nc -l a b 80", "nc -l -z 80",  "nc -l -p 80 a b",
        "nc -p 0 h 80", "nc -w h 80",  "nc -w 0 h 80", "nc -w x h 80", "nc -p",
        "nc -Q h 80",   "nc --no h 80"};
    struct tern_nc_options o;

    (void)state;
    assert_int_equal(parse("nc -h", &o), 1);
    for (size_t i = 0; i < COUNT(row); i++)
        if (parse(row[i], &o) != 1 + 2)
            fail_msg("%s: not refused", row[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(flags),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
