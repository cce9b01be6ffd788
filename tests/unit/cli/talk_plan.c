/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared flags: what they mean, what is refused, with which exit code and words. */
#include "test.h"

#include "cli/talk_plan.h"

struct row {
    struct tern_talk_options options;
    int code;
    const char *words; /* that the error must contain */
};

#define LAN .interface = "eth0"

static const struct row wrong[] = {
    {{.link = "slirp", LAN}, 2, "give one"},
    {{.link = "lan:"}, 2, "lan:eth0"},
    {{.link = "tap:"}, 2, "tap:tap0"},
    {{.link = "tap:t0"}, 2, "tap:t0 needs an address"},
    {{.link = "tap:t0", .address = "10.0.0.5/24", .mac = "host"}, 2, "needs an interface"},
    {{.link = "tun:t0"}, 2, "this version has lan:IF, tap:NAME, slirp and lab"},
    {{.link = "xdp:eth0"}, 2, "this version has"},
    {{.link = "unix:/x"}, 2, "this version has"},
    {{.interface = "a-name-much-too-long-for-one"}, 45, "a-name-much-too-long-for-one (a name"},
    {{LAN}, 2, "add --address A/LEN"},
    {{LAN, .address = "dhcp"}, 2, "--address A/LEN"},
    {{LAN, .address = "auto"}, 2, "--address A/LEN"},
    {{LAN, .address = "10.0.0.5"}, 2, "prefix length is missing"},
    {{LAN, .address = "10.0.0.5/33"}, 2, "not an address"},
    {{LAN, .address = "10.0.0.5/0"}, 2, "no network"},
    {{LAN, .address = "ten/24"}, 2, "not an address"},
    {{LAN, .address = "2001:db8::5/64"}, 2, "IPv4 only"},
    {{LAN, .address = "10.0.0.0/24"}, 45, "network's own name"},
    {{LAN, .address = "10.0.0.255/24"}, 45, "broadcast"},
    {{LAN, .address = "224.0.0.5/24"}, 45, "not an address that a host may have"},
    {{LAN, .address = "127.0.0.5/8"}, 45, "not an address that a host may have"},
    {{LAN, .address = "0.0.0.5/8"}, 45, "not an address that a host may have"},
    {{LAN, .address = "255.255.255.255/24"}, 45, "not an address that a host may have"},
    {{LAN, .address = "10.0.0.1/24", .gateway = "10.0.0.1"}, 45, "gateway's own"},
    {{LAN, .address = "10.0.0.5/24", .gateway = "10.0.1.1"}, 2, "not on the network"},
    {{LAN, .address = "10.0.0.5/24", .gateway = "router"}, 2, "--gateway router"},
    {{LAN, .address = "10.0.0.5/24", .dns = "10.0.0.1:0"}, 2, "--dns"},
    {{LAN, .address = "10.0.0.5/24", .dns = "10.0.0.1:65536"}, 2, "--dns"},
    {{LAN, .address = "10.0.0.5/24", .dns = "10.0.0.1:5x"}, 2, "--dns"},
    {{LAN, .address = "10.0.0.5/24", .mac = "random"}, 2, "--mac random"},
    {{LAN, .address = "10.0.0.5/24", .mac = "ff:ff:ff:ff:ff:ff"}, 2, "group"},
    {{LAN, .address = "10.0.0.5/24", .mac = "01:00:5e:00:00:01"}, 2, "group"},
    {{LAN, .address = "10.0.0.5/24", .mac = "00:00:00:00:00:00"}, 2, "zeros"},
    {{.address = "192.168.1.77/24"}, 2, "--interface IF"},
    {{LAN, .address = "10.0.0.5/24", .address_again = true}, 2, "given twice"},
    {{.mac = "host"}, 2, "needs an interface"},
    {{.seed = "x"}, 2, "--seed"},
    {{.seed = "-1"}, 2, "--seed"},
    {{.claim = "slow"}, 2, "--claim"},
    {{.secrets = true}, 2, "add --pcap FILE"},
    {{.draw = {"x.png"}, .draw_count = 1}, 2, ".svg, .html or .json"},
    {{.draw = {"svg"}, .draw_count = 1}, 2, "--draw svg: the name's end"},
    {{.draw = {".svg"}, .draw_count = 1}, 2, "--draw .svg: the name's end"},
    {{.draw = {"-"}, .draw_count = 1}, 2, "--draw -: the name's end"},
    {{.draw = {"a.svg", "b.htm"}, .draw_count = 2}, 2, "--draw b.htm"},
    {{.draw = {"a.svg"}, .draw_count = TERN_TALK_DRAW_MAX + 1}, 2, "given 5 times"},
    {{.pcap = "no/x", .sqlog = "no/x"}, 2, "--pcap and --sqlog would both write no/x"},
    {{.pcap = "none", .sqlog = "./none"}, 2, "--pcap and --sqlog would both write ./none"},
    {{.pcap = "/etc/passwd", .stats = "/etc/../etc/passwd"}, 2, "--pcap and --stats"},
    {{.sqlog = "-", .stats = "-"}, 2, "--sqlog and --stats would both write -"},
    {{.sqlog = "a.svg", .draw = {"b.svg", "a.svg"}, .draw_count = 2}, 2, "--sqlog and --draw"},
    {{.draw = {"a.svg", "a.svg"}, .draw_count = 2}, 2, "--draw and --draw"},
    {{.width = "80"}, 2, "--width is the ladder's"},
    {{.ascii = true}, 2, "--ascii is the ladder's"},
    {{.ladder = true, .width = "59"}, 2, "from 60 to 200"},
    {{.ladder = true, .width = "201"}, 2, "from 60 to 200"},
    {{.ladder = true, .width = "wide"}, 2, "--width wide"},
};

static void refusals(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        char why[TERN_LINK_ERROR_MAX];
        struct tern_talk_plan plan;
        int code = tern_talk_plan(&wrong[i].options, &plan, why);

        if (code != wrong[i].code || strstr(why, wrong[i].words) == NULL)
            fail_msg("row %zu: code %d, words '%s'; expected %d with '%s'", i, code, why,
                     wrong[i].code, wrong[i].words);
    }
}

static struct tern_talk_plan plan_of(struct tern_talk_options options)
{
    char why[TERN_LINK_ERROR_MAX];
    struct tern_talk_plan plan;
    int code = tern_talk_plan(&options, &plan, why);

    if (code != 0)
        fail_msg("refused: %s", why);
    return plan;
}

static void assert_addr(struct tern_addr addr, const char *expected)
{
    char text[TERN_ADDR_TEXT_MAX];

    assert_string_equal(tern_addr_text(addr, text), expected);
}

static void slirp_is_the_default(void **state)
{
    struct tern_talk_plan plan = plan_of((struct tern_talk_options){0});

    (void)state;
    assert_int_equal(plan.kind, TERN_TALK_SLIRP);
    assert_addr(plan.address.addr, "10.0.2.15");
    assert_int_equal(plan.address.prefix_bits, 24);
    assert_addr(plan.gateway, "10.0.2.2");
    assert_addr(plan.dns, "10.0.2.3");
    assert_int_equal(plan.dns_port, 53);
    assert_int_equal(plan.claim, TERN_CLAIM_NONE);
    assert_false(plan.seeded);
}

static void lab_has_an_address(void **state)
{
    struct tern_talk_plan plan = plan_of((struct tern_talk_options){.link = "lab"});

    (void)state;
    assert_int_equal(plan.kind, TERN_TALK_LAB);
    assert_addr(plan.address.addr, "10.9.0.77");
    assert_true(tern_addr_is_any(plan.gateway));
    assert_true(tern_addr_is_any(plan.dns));
    assert_int_equal(plan.claim, TERN_CLAIM_FAST);
}

static void lan_with_everything(void **state)
{
    struct tern_talk_plan plan = plan_of((struct tern_talk_options){
        .link = "lan:eth7",
        .address = "192.168.1.77/24",
        .gateway = "192.168.1.1",
        .dns = "9.9.9.9:5353",
        .mac = "02:00:00:00:00:09",
        .seed = "0x10",
        .claim = "rfc",
    });

    (void)state;
    assert_int_equal(plan.kind, TERN_TALK_LAN);
    assert_string_equal(plan.interface, "eth7");
    assert_addr(plan.gateway, "192.168.1.1");
    assert_addr(plan.dns, "9.9.9.9");
    assert_int_equal(plan.dns_port, 5353);
    assert_int_equal(plan.mac_choice, TERN_MAC_GIVEN);
    assert_int_equal(plan.mac.b[5], 9);
    assert_true(plan.seeded);
    assert_int_equal(plan.seed, 16);
    assert_int_equal(plan.claim, TERN_CLAIM_RFC);
}

static void lan_without_gateway_and_dns(void **state)
{
    struct tern_talk_plan plan =
        plan_of((struct tern_talk_options){LAN, .address = "10.0.0.5/31", .mac = "host"});

    (void)state;
    assert_true(tern_addr_is_any(plan.gateway));
    assert_true(tern_addr_is_any(plan.dns));
    assert_int_equal(plan.mac_choice, TERN_MAC_HOST);
}

static void pictures_by_the_ends_of_their_names(void **state)
{
    struct tern_talk_plan plan = plan_of((struct tern_talk_options){
        .draw = {"a.json", "dir.html/b.svg", "c.html"}, .draw_count = 3});

    (void)state;
    assert_int_equal(plan.drawing[0], TERN_PICTURE_JSON);
    assert_int_equal(plan.drawing[1], TERN_PICTURE_SVG);
    assert_int_equal(plan.drawing[2], TERN_PICTURE_HTML);
    assert_int_equal(plan.columns, 0);
    plan = plan_of((struct tern_talk_options){.ladder = true, .width = "132"});
    assert_int_equal(plan.columns, 132);
    plan = plan_of((struct tern_talk_options){.secrets = true, .pcap = "x"});
    plan = plan_of((struct tern_talk_options){
        .pcap = "/dev/null", .sqlog = "/dev/null", .stats = "-", .draw = {"no/-"}});
}

static bool is_switch(const char *name)
{
    return strcmp(name, "secrets") == 0 || strcmp(name, "ladder") == 0 ||
           strcmp(name, "ascii") == 0;
}

static void flags_reach_their_fields(void **state)
{
    struct tern_talk_options options = {0};
    size_t i;

    (void)state;
    for (i = 0; i < tern_talk_flags_count; i++) {
        const char *name = tern_talk_flags[i].name;
        const bool alone = is_switch(name);

        assert_int_equal(tern_talk_flags[i].has_arg, alone ? no_argument : required_argument);
        assert_true(tern_talk_flag(&options, tern_talk_flags[i].val, alone ? NULL : name));
        /* Each stands in the help as well. */
        assert_non_null(strstr(tern_talk_help, tern_talk_flags[i].name));
    }
    assert_null(tern_talk_flags[i].name);
    assert_false(tern_talk_flag(&options, 'x', "y"));
    assert_false(options.address_again);
    assert_string_equal(options.link, "link");
    assert_string_equal(options.interface, "interface");
    assert_string_equal(options.address, "address");
    assert_string_equal(options.gateway, "gateway");
    assert_string_equal(options.dns, "dns");
    assert_string_equal(options.mac, "mac");
    assert_string_equal(options.pcap, "pcap");
    assert_string_equal(options.impair, "impair");
    assert_string_equal(options.stats, "stats");
    assert_string_equal(options.seed, "seed");
    assert_string_equal(options.claim, "claim");
    assert_string_equal(options.width, "width");
    assert_string_equal(options.draw[0], "draw");
    assert_int_equal(options.draw_count, 1);
    assert_true(options.secrets);
    assert_true(options.ladder);
    assert_true(options.ascii);
}

/* More files than there is room for are counted, so that they can be refused. */
static void draw_again_and_again(void **state)
{
    struct tern_talk_options options = {0};
    size_t draw = 0;

    (void)state;
    while (strcmp(tern_talk_flags[draw].name, "draw") != 0)
        draw++;
    for (int i = 0; i < 10; i++)
        assert_true(tern_talk_flag(&options, tern_talk_flags[draw].val, i == 0 ? "a" : "b"));
    assert_int_equal(options.draw_count, 10);
    assert_string_equal(options.draw[0], "a");
    assert_string_equal(options.draw[TERN_TALK_DRAW_MAX - 1], "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(slirp_is_the_default),
        cmocka_unit_test(lab_has_an_address),
        cmocka_unit_test(lan_with_everything),
        cmocka_unit_test(lan_without_gateway_and_dns),
        cmocka_unit_test(pictures_by_the_ends_of_their_names),
        cmocka_unit_test(flags_reach_their_fields),
        cmocka_unit_test(draw_again_and_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
