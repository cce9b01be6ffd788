/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pictures of tern's own runs: what happened beside TCP stands where it belongs, DNS is told in
 * words, whatever it says, records of heads are not cut captures, and connections are bounded.
 */
#include "report/telling.h"

#include "base/random.h"
#include "conversation.h"
#include "report/dns_words.h"
#include "report/html.h"
#include "report/overview.h"
#include "report/svg.h"
#include "report/text.h"
#include "test.h"

#define HEAD(flags) "\x12\x34" flags "\x00\x01\x00\x00\x00\x00\x00\x00"
#define FOUND(n)    "\x12\x34\x81\x80\x00\x01\x00" n "\x00\x00\x00\x00"
#define NAME        "\x03www\x04tern\x04test\x00"
#define A           "\x00\x01\x00\x01"
#define AT          "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"

static const struct {
    const char *message;
    size_t bytes;
    const char *words; /* NULL: it cannot be told */
} rows[] = {
#define ROW(message, words)                                                                        \
    {                                                                                              \
        message, sizeof(message) - 1, words                                                        \
    }
    ROW(HEAD("\x01\x00") NAME A, "DNS: where is www.tern.test?"),
    ROW(HEAD("\x01\x00") NAME "\x00\x1c\x00\x01", "DNS: where is www.tern.test in IPv6?"),
    ROW(HEAD("\x01\x00") NAME "\x00\x0f\x00\x01", "DNS: where is www.tern.test (another record)?"),
    ROW(FOUND("\x01") NAME A AT "\x0a\x09\x00\x01", "DNS: www.tern.test is at 10.9.0.1"),
    ROW(FOUND("\x02") NAME A AT "\x0a\x09\x00\x01" AT "\x0a\x09\x00\x02",
        "DNS: www.tern.test is at 10.9.0.1 and 1 more"),
    ROW(FOUND("\x01") NAME A AT "\x0a\x09", "DNS: about www.tern.test"), /* its end was not kept */
    ROW(FOUND("\x00") NAME A, "DNS: about www.tern.test"),
    ROW(HEAD("\x81\x83") NAME A, "DNS: there is no www.tern.test"),
    ROW(HEAD("\x81\x82") NAME A, "DNS: no answer for www.tern.test (error 2)"),
    ROW(HEAD("\x01\x00"), NULL),
    ROW(HEAD("\x01\x00") "\x3fwww", NULL),
    ROW(HEAD("\x01\x00") NAME, NULL),
    ROW(HEAD("\x01\x00") "\xc0\x0c" A, NULL), /* a name that points to itself */
    ROW("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" NAME A, NULL),
    ROW("short", NULL),
};

static void test_dns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char words[TERN_DNS_WORDS_BYTES] = "";
        bool told = tern_dns_words(tern_span_of(rows[i].message, rows[i].bytes), words);

        if (told != (rows[i].words != NULL) || (told && strcmp(words, rows[i].words) != 0))
            fail_msg("row %zu: '%s', not '%s'", i, words, rows[i].words);
    }
}

/* Each message cut at each length, and random bytes: words that end, or none. */
static void test_dns_of_any_bytes(void **state)
{
    struct tern_random random;
    uint8_t message[200];

    (void)state;
    tern_random_init(&random, "telling", 7, "dns");
    for (uint32_t n = 0; n < 50000; n++) {
        char words[TERN_DNS_WORDS_BYTES];
        size_t row = (size_t)tern_random_below(&random, ROWS(rows));
        size_t bytes = (size_t)tern_random_below(&random, rows[row].bytes + 1);

        memcpy(message, rows[row].message, bytes);
        if (n % 2 == 0 && bytes > 0)
            message[tern_random_below(&random, bytes)] = (uint8_t)tern_random_below(&random, 256);
        if (tern_dns_words(tern_span_of(message, bytes), words))
            assert_true(strlen(words) < sizeof words);
    }
}

static void dns(struct talk *t, uint32_t at_us)
{
    talk_from(t, TERN_LANE_LEFT, at_us);
    talk_udp(t, 40000, 53, rows[0].message, rows[0].bytes);
    talk_from(t, TERN_LANE_RIGHT, at_us + 100);
    talk_udp(t, 53, 40000, rows[3].message, rows[3].bytes);
}

static void connection(struct talk *t, uint16_t port, uint32_t at_us)
{
    t->port = port;
    talk_from(t, TERN_LANE_LEFT, at_us);
    talk_tcp(t, TERN_TCP_SYN, -1, 0, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, at_us + 100);
    talk_tcp(t, TERN_TCP_SYN | TERN_TCP_ACK, -1, 0, NULL, 0);
    talk_from(t, TERN_LANE_LEFT, at_us + 200);
    talk_tcp(t, TERN_TCP_ACK, 0, 0, "GET /", 0);
    talk_from(t, TERN_LANE_RIGHT, at_us + 300);
    talk_tcp(t, TERN_TCP_ACK, 0, 5, NULL, 1000);
}

/* "U" for UDP, "A" for ARP, and a letter a TCP step. */
static void assert_told(const struct tern_model *m, uint32_t conn, bool story, const char *expected)
{
    const struct tern_step *s;
    struct tern_telling t;
    char got[64];
    size_t n = 0;

    tern_telling_begin(&t, m, conn, story);
    while ((s = tern_telling_next(&t)) != NULL && n < sizeof got - 1)
        got[n++] = s->kind == TERN_STEP_UDP       ? 'U'
                   : s->kind == TERN_STEP_ARP_ASK ? 'A'
                   : s->kind == TERN_STEP_SYN     ? 's'
                   : s->kind == TERN_STEP_SYN_ACK ? 'S'
                                                  : '.';
    got[n] = '\0';
    assert_string_equal(got, expected);
}

static void test_what_is_beside_tcp(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_from(&t, TERN_LANE_LEFT, 100);
    talk_arp(&t, TERN_ARP_REQUEST, talk_us(), talk_peer());
    assert_told(t.model, TERN_MODEL_NO_CONN, true, "A");
    dns(&t, 1000);
    connection(&t, 50000, 2000);
    dns(&t, 3000);
    connection(&t, 50001, 4000);
    connection(&t, 50002, 5000);
    dns(&t, 6000);
    assert_told(t.model, 0, true, "AUUsS..");
    assert_told(t.model, 1, true, "UUsS..");
    assert_told(t.model, 2, true, "sS..UU");
    assert_told(t.model, 0, false, "sS..");
    assert_told(t.model, TERN_MODEL_NO_CONN, true, "AUUUUUU");
    assert_int_equal(tern_telling_origin(t.model, 0, true), 100 * TERN_US);
    assert_int_equal(tern_telling_origin(t.model, 0, false), 2000 * TERN_US);
    assert_int_equal(tern_telling_origin(t.model, 1, true), 3000 * TERN_US);
    assert_int_equal(tern_telling_origin(t.model, 2, true), 5000 * TERN_US);
    talk_close(&t);
}

enum rendering { LADDER, SVG, HTML };

static char *draw(const struct tern_model *m, enum rendering how)
{
    const struct tern_ladder_options screen = {.columns = 80};
    const struct tern_overview_options overview = {
        .screen = &screen, .is_tern = true, .ladders_max = 12};
    const struct tern_svg_options svg = {.is_tern = true, .conns_max = 12};
    const struct tern_html_options html = {.is_tern = true};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (how == LADDER)
        tern_overview_print(m, &overview, out);
    else if (how == SVG)
        assert_true(tern_report_svg(m, &svg, out));
    else
        assert_true(tern_report_html(m, &html, out));
    assert_int_equal(fclose(out), 0);
    return text;
}

/* All renderings tell the names, and none of them says that anything was cut. */
static void test_renderings_agree(void **state)
{
    static const char *const words[] = {"DNS: where is www.tern.test?",
                                        "DNS: www.tern.test is at 10.9.0.1",
                                        "ARP: who has 10.9.0.1?", "SYN-SENT"};
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_from(&t, TERN_LANE_LEFT, 100);
    talk_arp(&t, TERN_ARP_REQUEST, talk_us(), talk_peer());
    dns(&t, 1000);
    connection(&t, 50000, 2000);
    talk_state(&t, TERN_TCP_SYN_SENT);
    for (int how = LADDER; how <= HTML; how++) {
        char *text = draw(t.model, (enum rendering)how);

        for (size_t i = 0; i < ROWS(words) - 1; i++)
            if (strstr(text, words[i]) == NULL)
                fail_msg("rendering %d lacks '%s'", how, words[i]);
        if (strstr(text, "cut when captured") != NULL)
            fail_msg("rendering %d says that packets were cut", how);
        free(text);
    }
    assert_int_equal(tern_model_conn(t.model, 0)->cut_packets, 0);
    talk_close(&t);
}

/* The time of a stall is told as the ladder tells times. */
static void test_stalls_at_the_ladders_time(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    dns(&t, 1000);
    connection(&t, 50000, 301000);
    talk_from(&t, TERN_LANE_LEFT, 500000);
    talk_tcp(&t, TERN_TCP_ACK, 5, 1000, NULL, 0);
    talk_from(&t, TERN_LANE_RIGHT, 1000000);
    talk_tcp(&t, TERN_TCP_ACK, 1000, 5, NULL, 1000);
    for (int how = LADDER; how <= SVG; how++) {
        char *text = draw(t.model, (enum rendering)how);

        if (strstr(text, "at 499 ms: 500 ms of silence") == NULL)
            fail_msg("rendering %d: %s", how, text);
        free(text);
    }
    talk_close(&t);
}

/* A run without TCP is drawn all the same. */
static void test_without_tcp(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    dns(&t, 1000);
    for (int how = LADDER; how <= HTML; how++) {
        char *text = draw(t.model, (enum rendering)how);

        if (strstr(text, "DNS: where is www.tern.test?") == NULL)
            fail_msg("rendering %d lacks the question", how);
        free(text);
    }
    talk_close(&t);
}

/* A name of the wire's bytes is text, never markup. */
static void test_hostile_name(void **state)
{
    static const char question[] = HEAD("\x01\x00") "\x12</script><b>\x1b[2J&\"\x00" A;
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    talk_from(&t, TERN_LANE_LEFT, 1000);
    talk_udp(&t, 40000, 53, question, sizeof question - 1);
    connection(&t, 50000, 2000);
    for (int how = LADDER; how <= HTML; how++) {
        char *text = draw(t.model, (enum rendering)how);

        if (strstr(text, "DNS: where") == NULL || strchr(text, '\x1b') != NULL)
            fail_msg("rendering %d: not told, or told raw", how);
        if (how != LADDER && strstr(text, "</script><b>") != NULL)
            fail_msg("rendering %d has the name as markup", how);
        free(text);
    }
    talk_close(&t);
}

static void test_connections_are_bounded(void **state)
{
    const struct tern_model_options options = {.conns_max = 3};
    struct talk t;

    (void)state;
    talk_open(&t, 0);
    tern_model_destroy(t.model);
    t.model = tern_model_create(&options);
    assert_non_null(t.model);
    for (uint16_t i = 0; i < 10; i++)
        connection(&t, (uint16_t)(50000 + i), 1000u * (i + 1u));
    assert_int_equal(tern_model_conn_count(t.model), 3);
    assert_int_equal(tern_model_other(t.model)->beyond_packets, 7 * 4);
    assert_int_equal(tern_model_other(t.model)->tcp, 10 * 4);
    talk_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns),
        cmocka_unit_test(test_dns_of_any_bytes),
        cmocka_unit_test(test_what_is_beside_tcp),
        cmocka_unit_test(test_renderings_agree),
        cmocka_unit_test(test_stalls_at_the_ladders_time),
        cmocka_unit_test(test_without_tcp),
        cmocka_unit_test(test_hostile_name),
        cmocka_unit_test(test_connections_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
