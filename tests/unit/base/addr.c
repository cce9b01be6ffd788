/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: text to value and back (RFC 4291 §2.2, RFC 5952 §4), prefixes, kinds. */
#include <tern/addr.h>

#include <arpa/inet.h>

#include "base/random.h"
#include "test.h"

/* text parses, and comes back as `canonical`; NULL: refused. */
static const struct {
    const char *text, *canonical;
} addr_rows[] = {
    {"0.0.0.0", "0.0.0.0"},
    {"10.77.0.5", "10.77.0.5"},
    {"255.255.255.255", "255.255.255.255"},
    {"::ffff:1.2.3.4", "1.2.3.4"},
    {"::ffff:0102:0304", "1.2.3.4"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"::1.2.3.4", "::102:304"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"}, /* RFC 5952 §4.2.3 */
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},                 /* §4.2.2 */
    {"2001:0:0:1::1", "2001:0:0:1::1"},
    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
    {"0:0:1:2:3:4:0:0", "::1:2:3:4:0:0"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"ff02::1:ff00:0", "ff02::1:ff00:0"},
    {"", NULL},
    {"1", NULL},
    {"1.2.3", NULL},
    {"1.2.3.", NULL},
    {"1.2.3.4.", NULL},
    {"1.2.3.4.5", NULL},
    {".1.2.3", NULL},
    {"1..2.3", NULL},
    {"256.1.1.1", NULL},
    {"1.1.1.1000", NULL},
    {"01.1.1.1", NULL},
    {"1.1.1.00", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"1.2.3.-4", NULL},
    {"1.2.3.a", NULL},
    {"0x1.2.3.4", NULL},
    {":", NULL},
    {":::", NULL},
    {"1:", NULL},
    {":1", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"1::2::3", NULL},
    {"1:::2", NULL},
    {"12345::", NULL},
    {"g::", NULL},
    {"::1%eth0", NULL},
    {"[::1]", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"1.2.3.4::", NULL},
    {"::1.2.3.4:5", NULL},
    {"::1.2.3", NULL},
    {"::01.2.3.4", NULL},
    {"1:2:3:4:5:1.2.3.4", NULL},
    {"::1:2:", NULL},
};

static void addresses_in_and_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(addr_rows); i++) {
        const char *text = addr_rows[i].text, *canonical = addr_rows[i].canonical;
        struct tern_addr a, again, untouched = {{0xee}};
        char out[TERN_ADDR_TEXT_MAX];

        a = untouched;
        if (canonical == NULL) {
            if (tern_addr_parse(text, &a) != TERN_ERR_INVAL)
                fail_msg("'%s' was let through", text);
            assert_memory_equal(&a, &untouched, sizeof a);
            continue;
        }
        if (tern_addr_parse(text, &a) != TERN_ERR_OK)
            fail_msg("'%s' was refused", text);
        assert_string_equal(tern_addr_text(a, out), canonical);
        assert_int_equal(tern_addr_parse(out, &again), TERN_ERR_OK);
        assert_true(tern_addr_equal(a, again));
    }
}

/* libc as a second opinion, on any value with many zero groups. */
static void agrees_with_libc(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "addr", 4, "libc");
    for (unsigned round = 0; round < 20000; round++) {
        char ours[TERN_ADDR_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
        struct tern_addr a, back;

        tern_random_bytes(&r, a.b, sizeof a.b);
        for (unsigned g = 0; g < 8; g++)
            if (tern_random_below(&r, 2) == 0)
                a.b[2 * g] = a.b[2 * g + 1] = 0;
        a.b[0] |= 0x20; /* libc writes ::1.2.3.4 for what is neither mapped nor embedded for us */
        assert_non_null(inet_ntop(AF_INET6, a.b, theirs, sizeof theirs));
        assert_string_equal(tern_addr_text(a, ours), theirs);
        assert_int_equal(tern_addr_parse(theirs, &back), TERN_ERR_OK);
        assert_true(tern_addr_equal(a, back));
    }
}

/* Short texts of the letters that addresses are made of: libc and we let through the same ones. */
static void refuses_what_libc_refuses(void **state)
{
    static const char letters[] = "::::....0123f";
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "addr", 4, "letters");
    for (unsigned round = 0; round < 200000; round++) {
        char text[24] = "";
        size_t bytes = 1 + tern_random_below(&r, sizeof text - 1);
        uint8_t theirs[16];
        struct tern_addr a;
        bool ok;

        for (size_t i = 0; i + 1 < bytes; i++)
            text[i] = letters[tern_random_below(&r, sizeof letters - 1)];
        ok = inet_pton(AF_INET, text, theirs) == 1 || inet_pton(AF_INET6, text, theirs) == 1;
        if ((tern_addr_parse(text, &a) == TERN_ERR_OK) != ok)
            fail_msg("'%s': libc says %s", text, ok ? "yes" : "no");
    }
}

static void kinds(void **state)
{
    static const struct {
        const char *text;
        bool v4, any, multicast;
    } rows[] = {
        {"0.0.0.0", true, true, false},
        {"::", false, true, false},
        {"::1", false, false, false},
        {"223.255.255.255", true, false, false},
        {"224.0.0.1", true, false, true},
        {"239.1.2.3", true, false, true},
        {"240.0.0.1", true, false, false},
        {"ff02::1", false, false, true},
        {"fe80::1", false, false, false},
        {"::1.2.3.4", false, false, false},
        {"255.255.255.255", true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_addr a;

        assert_int_equal(tern_addr_parse(rows[i].text, &a), TERN_ERR_OK);
        assert_int_equal(tern_addr_is_v4(a), rows[i].v4);
        assert_int_equal(tern_addr_is_any(a), rows[i].any);
        assert_int_equal(tern_addr_is_multicast(a), rows[i].multicast);
    }
    assert_int_equal(tern_addr_to_be32(tern_addr_v4(1, 2, 3, 4)), 0x01020304);
    assert_true(tern_addr_equal(tern_addr_from_be32(0xfffefdfc), tern_addr_v4(255, 254, 253, 252)));
}

static void prefixes(void **state)
{
    static const struct {
        const char *net, *inside, *outside, *broadcast;
    } rows[] = {
        {"10.77.0.5/24", "10.77.0.255", "10.77.1.0", "10.77.0.255"},
        {"10.0.0.0/8", "10.255.1.2", "11.0.0.0", "10.255.255.255"},
        {"192.168.4.0/22", "192.168.7.255", "192.168.8.0", "192.168.7.255"},
        {"0.0.0.0/0", "255.1.2.3", "::1", "255.255.255.255"},
        {"1.2.3.4/31", "1.2.3.5", "1.2.3.6", "1.2.3.4"},
        {"1.2.3.4/32", "1.2.3.4", "1.2.3.5", "1.2.3.4"},
        {"1.2.3.4", "1.2.3.4", "1.2.3.5", "1.2.3.4"},
        {"1.2.3.4/1", "127.0.0.0", "128.0.0.0", "127.255.255.255"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::", "2001:db8::"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::", "2001:db8::"},
        {"::/0", "ffff::", "1.2.3.4", "::"},
        {"fe80::1/128", "fe80::1", "fe80::2", "fe80::1"},
        {"fe80::1", "fe80::1", "fe80::", "fe80::1"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_addr inside, outside;
        struct tern_cidr net;
        char out[TERN_ADDR_TEXT_MAX];

        assert_int_equal(tern_cidr_parse(rows[i].net, &net), TERN_ERR_OK);
        assert_int_equal(tern_addr_parse(rows[i].inside, &inside), TERN_ERR_OK);
        assert_int_equal(tern_addr_parse(rows[i].outside, &outside), TERN_ERR_OK);
        if (!tern_cidr_contains(&net, inside) || tern_cidr_contains(&net, outside))
            fail_msg("%s is wrong about its members", rows[i].net);
        assert_string_equal(tern_addr_text(tern_cidr_broadcast(&net), out), rows[i].broadcast);
    }
}

static void bad_prefixes(void **state)
{
    static const char *const texts[] = {
        "",
        "/24",
        "10.0.0.1/",
        "10.0.0.1/33",
        "10.0.0.1/-1",
        "10.0.0.1/024",
        "10.0.0.1/8 ",
        "10.0.0/8",
        "10.0.0.1//8",
        "::/129",
        "::/1280",
        "::ffff:1.2.3.4/120",
        "1:2:3:4:5:6:7:8:1:2:3:4:5:6:7:8:1:2:3:4:5:6:7:8/64",
    };
    struct tern_cidr net = {.prefix_bits = 77};

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++)
        if (tern_cidr_parse(texts[i], &net) != TERN_ERR_INVAL)
            fail_msg("'%s' was let through", texts[i]);
    assert_int_equal(net.prefix_bits, 77);
}

static void macs(void **state)
{
    static const char *const bad[] = {
        "",
        "02:00:00:00:00",
        "02:00:00:00:00:0",
        "02:00:00:00:00:00:",
        "02:00:00:00:00:00:00",
        "2:0:0:0:0:0",
        "02-00-00-00-00-00",
        "0g:00:00:00:00:00",
        "02:00:00:00:00:00 ",
    };
    struct tern_mac m, other;
    char out[TERN_MAC_TEXT_MAX];

    (void)state;
    assert_int_equal(tern_mac_parse("0A:bc:00:01:fe:9f", &m), TERN_ERR_OK);
    assert_memory_equal(m.b, "\x0a\xbc\x00\x01\xfe\x9f", 6);
    assert_string_equal(tern_mac_text(m, out), "0a:bc:00:01:fe:9f");
    assert_false(tern_mac_is_group(m));
    other = m;
    for (size_t i = 0; i < ROWS(bad); i++)
        if (tern_mac_parse(bad[i], &other) != TERN_ERR_INVAL)
            fail_msg("'%s' was let through", bad[i]);
    assert_true(tern_mac_equal(m, other));
    other.b[5]++;
    assert_false(tern_mac_equal(m, other));
    other.b[0] |= 1;
    assert_true(tern_mac_is_group(other));
}

static void endpoints(void **state)
{
    struct tern_endpoint e = {tern_addr_v4(1, 2, 3, 4), 65535}, f = e;
    char out[TERN_ENDPOINT_TEXT_MAX];

    (void)state;
    assert_string_equal(tern_endpoint_text(&e, out), "1.2.3.4:65535");
    assert_true(tern_endpoint_equal(&e, &f));
    f.port = 0;
    assert_false(tern_endpoint_equal(&e, &f));
    assert_int_equal(tern_addr_parse("::1", &f.addr), TERN_ERR_OK);
    assert_string_equal(tern_endpoint_text(&f, out), "[::1]:0");
    memset(f.addr.b, 0xff, sizeof f.addr.b);
    f.port = 65535;
    assert_string_equal(tern_endpoint_text(&f, out),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_in_and_out),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(refuses_what_libc_refuses),
        cmocka_unit_test(kinds),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(bad_prefixes),
        cmocka_unit_test(macs),
        cmocka_unit_test(endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
