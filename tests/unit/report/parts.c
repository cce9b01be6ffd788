/* SPDX-License-Identifier: BSD-2-Clause */
/* The small parts of the model: medians in little memory, segments under way, text for markup,
 * comments of a pcapng file in pieces of any size. */
#include <stdlib.h>

#include "base/random.h"
#include "report/comments.h"
#include "report/quantile.h"
#include "report/sent.h"
#include "report/text.h"
#include "test.h"

static int by_value(const void *a, const void *b)
{
    tern_time x = *(const tern_time *)a, y = *(const tern_time *)b;

    return x < y ? -1 : x > y;
}

/* Against sorting all of them. */
static void test_medians(void **state)
{
    static tern_time values[5001];
    struct tern_random random;

    (void)state;
    tern_random_init(&random, "parts", 5, "medians");
    for (size_t n = 1; n <= ROWS(values); n += n < 20 ? 1 : 997) {
        struct model_quantile q = {.count = 0};

        for (size_t i = 0; i < n; i++) {
            uint64_t octave = tern_random_below(&random, 20);

            values[i] = (tern_time)(300 + tern_random_below(&random, UINT64_C(1000) << octave));
            model_quantile_add(&q, values[i]);
        }
        qsort(values, n, sizeof values[0], by_value);
        tern_time exact = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
        tern_time low = n < 20 ? exact : values[n / 2] - values[n / 2] / 16;
        tern_time high = n < 20 ? exact : values[n / 2] + values[n / 2] / 16;
        tern_time median = model_quantile_median(&q);

        assert_int_equal(q.min, values[0]);
        if (n <= MODEL_QUANTILE_FEW)
            assert_int_equal(median, exact);
        else if (n >= 500 && (median < low || median > high))
            fail_msg("of %zu: %lld, not %lld", n, (long long)median, (long long)exact);
        model_quantile_fini(&q);
    }
}

static void add(struct model_sent *s, uint64_t start, tern_time at, uint32_t max)
{
    struct model_sent_segment one = {.start = start, .end = start + 100, .at = at, .pieces = 1};

    model_sent_add(s, &one, max);
}

static void test_under_way(void **state)
{
    struct model_sent s = {.count = 0};
    struct model_sent_segment newest;
    bool clean;

    (void)state;
    assert_null(model_sent_find(&s, 0));
    assert_false(model_sent_acked(&s, 1000, &newest, &clean));
    for (uint64_t i = 0; i < 100; i++)
        add(&s, i * 100, (tern_time)i, 64);
    assert_int_equal(s.count, 64);
    assert_null(model_sent_find(&s, 0)); /* the oldest gave way */
    assert_int_equal(model_sent_find(&s, 5050)->at, 50);
    model_sent_find(&s, 5050)->again = true;
    assert_true(model_sent_acked(&s, 5000, &newest, &clean));
    assert_true(clean);
    assert_int_equal(newest.at, 49);
    assert_int_equal(newest.pieces, 14);
    assert_true(model_sent_acked(&s, 5250, &newest, &clean));
    assert_false(clean); /* Karn */
    assert_int_equal(newest.at, 51);
    assert_int_equal(model_sent_find(&s, 5250)->at, 52);
    model_sent_fini(&s);
}

static char *made(void (*write)(FILE *out, const char *text), const char *text)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&out, &bytes);

    assert_non_null(file);
    write(file, text);
    assert_int_equal(fclose(file), 0);
    return out;
}

static void test_markup(void **state)
{
    static const struct {
        const char *in, *xml, *json;
    } rows[] = {
        {"a <b> & \"c\"", "a &lt;b&gt; &amp; &quot;c&quot;",
         "a \\u003cb\\u003e \\u0026 \\u0022c\\u0022"},
        {"</script>", "&lt;/script&gt;", "\\u003c/script\\u003e"},
        {"back\\slash", "back\\slash", "back\\u005cslash"},
        {"1 → 2 · …", "1 → 2 · …", "1 → 2 · …"},
        {"\033[2J\n\x7f", "?[2J??", "?[2J??"},
        {"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff", "?? ??? ???? ?", "?? ??? ???? ?"},
        {"cut \xe2\x80", "cut ??", "cut ??"},
        {"\xe2\x80\xae", "???", "???"},                   /* right-to-left override */
        {"\xe2\x81\xa6\xe2\x81\xa9", "??????", "??????"}, /* isolates, and their end */
        {"\xd8\x9c\xe2\x80\x8f\xe2\x81\xaa", "?????\xe2\x81\xaa", "?????\xe2\x81\xaa"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *xml = made(tern_text_xml, rows[i].in), *json = made(tern_text_json, rows[i].in);

        assert_string_equal(xml, rows[i].xml);
        assert_string_equal(json, rows[i].json);
        free(xml);
        free(json);
    }
}

/* A section by tern and a packet with a comment and its direction, little-endian. */
static const uint8_t capture[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1,   0,   0, 0, 255, 255, 255, 255,
    255,  255,  255,  255,  4,  0, 6, 0, 't',  'e',  'r',  'n',  ' ', '1', 0, 0, 0,   0,   0,   0,
    44,   0,    0,    0,    6,  0, 0, 0, 56,   0,    0,    0,    0,   0,   0, 0, 0,   0,   0,   0,
    0,    0,    0,    0,    2,  0, 0, 0, 2,    0,    0,    0,    'x', 'y', 0, 0, 1,   0,   3,   0,
    'w',  'h',  'y',  0,    2,  0, 4, 0, 2,    0,    0,    0,    0,   0,   0, 0, 56,  0,   0,   0,
};

static void test_comments(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof capture; piece++) {
        struct tern_comments *c = tern_comments_create();
        struct tern_comment one;

        assert_non_null(c);
        for (size_t at = 0; at < sizeof capture; at += piece)
            tern_comments_feed(c, capture + at,
                               sizeof capture - at < piece ? sizeof capture - at : piece);
        assert_true(tern_comments_by_tern(c));
        assert_true(tern_comments_next(c, &one));
        assert_string_equal(one.text, "why");
        assert_true(one.outbound);
        assert_false(one.inbound);
        free(one.text);
        assert_false(tern_comments_next(c, &one));
        tern_comments_destroy(c);
    }
}

/* A file as it is written: its byte order, and how far it is. */
struct file {
    uint8_t bytes[512];
    size_t at;
    bool big;
};

static void put(struct file *f, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        f->bytes[f->at++] = (uint8_t)(value >> 8 * (f->big ? bytes - 1 - i : i));
}

static void put_section(struct file *f)
{
    put(f, 0x0a0d0d0a, 4);
    put(f, 28, 4);
    put(f, 0x1a2b3c4d, 4);
    for (int i = 0; i < 3; i++)
        put(f, 1, 4);
    put(f, 28, 4);
}

/* A packet of no bytes whose comment, "why!", is said to be so long; inbound. */
static void put_packet(struct file *f, uint32_t said)
{
    put(f, 6, 4);
    put(f, 48, 4);
    for (int i = 0; i < 5; i++)
        put(f, 0, 4);
    put(f, 2, 2);
    put(f, 4, 2);
    put(f, 1, 4);
    put(f, 1, 2);
    put(f, said, 2);
    memcpy(f->bytes + f->at, "why!", 4);
    f->at += 4;
    put(f, 48, 4);
}

/* The next packet's: "why!", or NULL: none. */
static void next_is(struct tern_comments *c, const char *text)
{
    struct tern_comment one;

    assert_true(tern_comments_next(c, &one));
    if (text == NULL)
        assert_null(one.text);
    else
        assert_string_equal(one.text, text);
    assert_true(one.inbound);
    assert_false(one.outbound);
    free(one.text);
}

/* Either byte order, a comment longer than its block, and a block too long to be kept. */
static void test_odd_comments(void **state)
{
    static const uint8_t zeros[500000];

    (void)state;
    for (int big = 0; big < 2; big++) {
        struct tern_comments *c = tern_comments_create();
        struct file f = {.big = big == 1};

        assert_non_null(c);
        put_section(&f);
        put_packet(&f, 4);
        put_packet(&f, 5);
        put(&f, 0x12345678, 4);
        put(&f, 500000, 4);
        tern_comments_feed(c, f.bytes, f.at);
        tern_comments_feed(c, zeros, sizeof zeros - 8);
        f.at = 0;
        put_packet(&f, 3);
        tern_comments_feed(c, f.bytes, f.at);
        next_is(c, "why!");
        next_is(c, NULL);
        next_is(c, "why");
        assert_false(tern_comments_by_tern(c));
        tern_comments_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_medians),      cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_markup),       cmocka_unit_test(test_comments),
        cmocka_unit_test(test_odd_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
