/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of one flow: whatever is said to match must be what the parsers of the layers would have
 * made of it, byte by byte of the headers changed in every way.
 */
#include "test.h"

#include "wire/eth.h"
#include "wire/flow.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define FRAME_BYTES (TERN_ETH_BYTES + TERN_IPV4_BYTES + 20 + 40)
#define HEADS_BYTES (TERN_ETH_BYTES + TERN_IPV4_BYTES + 4) /* up to the ports */

static size_t build(uint8_t *out, const struct tern_ipv4 *ip)
{
    const struct tern_eth eth = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, TERN_ETHERTYPE_IPV4};
    struct tern_tcp_header tcp = {.src_port = 5000, .dst_port = 80, .flags = TERN_TCP_ACK};
    struct tern_writer w = tern_writer_of(out, FRAME_BYTES);

    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(ip, 20 + 30, &w);
    tern_tcp_emit(&tcp, &w);
    memset(out + w.bytes, 0x5a, FRAME_BYTES - w.bytes);
    return FRAME_BYTES; /* with padding */
}

static struct tern_ipv4 plain(void)
{
    return (struct tern_ipv4){.dont_fragment = true,
                              .ttl = 64,
                              .protocol = TERN_IP_TCP,
                              .src = tern_addr_v4(10, 0, 0, 2),
                              .dst = tern_addr_v4(10, 0, 0, 1)};
}

/* The frame as the layers' parsers have it; false: they refuse it. */
static bool parse(tern_span frame, struct tern_eth *eth, struct tern_ipv4 *ip, tern_span *body)
{
    tern_span packet;

    return tern_eth_parse(frame, eth, &packet) && tern_ipv4_parse(packet, ip, body) == TERN_IPV4_OK;
}

static void same_as_the_parsers(void **state)
{
    uint8_t first[FRAME_BYTES], bytes[FRAME_BYTES];
    const struct tern_ipv4 ip = plain();
    struct tern_eth eth, other_eth;
    struct tern_ipv4 one, other;
    struct tern_flow flow;
    tern_span body, tcp;
    uint32_t matched = 0;
    uint8_t tos;

    (void)state;
    build(first, &ip);
    assert_true(tern_flow_of(tern_span_of(first, sizeof first), &flow));
    assert_true(parse(tern_span_of(first, sizeof first), &eth, &one, &body));
    for (uint32_t i = 0; i < HEADS_BYTES * 256u; i++) {
        const uint32_t at = i / 256;

        memcpy(bytes, first, sizeof bytes);
        bytes[at] = (uint8_t)i;
        if (!tern_flow_matches(&flow, tern_span_of(bytes, sizeof bytes), &tos, &tcp))
            continue;
        matched++;
        assert_true(parse(tern_span_of(bytes, sizeof bytes), &other_eth, &other, &body));
        assert_memory_equal(&eth, &other_eth, sizeof eth);
        assert_int_equal(tos, other.tos);
        assert_ptr_equal(tcp.data, body.data);
        assert_int_equal(tcp.bytes, body.bytes);
        assert_true(tern_addr_equal(one.src, other.src) && tern_addr_equal(one.dst, other.dst));
        assert_int_equal(other.ttl, one.ttl);
        assert_memory_equal(tcp.data, first + HEADS_BYTES - 4, 4);
    }
    assert_int_equal(matched,
                     HEADS_BYTES); /* a change of one byte shows in the sum, if not before */
}

/* What may differ within a flow, the sum being right: TOS, length, ID. */
static void may_differ(void **state)
{
    uint8_t bytes[FRAME_BYTES];
    struct tern_ipv4 ip = plain();
    struct tern_flow flow;
    tern_span tcp;
    uint8_t tos;

    (void)state;
    build(bytes, &ip);
    assert_true(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
    ip.tos = 3;
    ip.id = 77;
    build(bytes, &ip);
    assert_true(tern_flow_matches(&flow, tern_span_of(bytes, sizeof bytes), &tos, &tcp));
    assert_int_equal(tos, 3);
    assert_int_equal(tcp.bytes, 50);
    for (size_t n = 0; n < TERN_ETH_BYTES + TERN_IPV4_BYTES + 50; n++) /* cut off */
        assert_false(tern_flow_matches(&flow, tern_span_of(bytes, n), &tos, &tcp));
    ip.ttl = 63;
    build(bytes, &ip);
    assert_false(tern_flow_matches(&flow, tern_span_of(bytes, sizeof bytes), &tos, &tcp));
}

static void no_flow(void **state)
{
    uint8_t bytes[FRAME_BYTES];
    struct tern_flow flow;
    struct tern_ipv4 ip = plain();

    (void)state;
    ip.protocol = TERN_IP_UDP;
    build(bytes, &ip);
    assert_false(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
    ip = plain();
    ip.more_fragments = true;
    build(bytes, &ip);
    assert_false(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
    ip = plain();
    ip.fragment_offset_bytes = 8;
    build(bytes, &ip);
    assert_false(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
    ip = plain();
    build(bytes, &ip);
    assert_false(tern_flow_of(tern_span_of(bytes, 53), &flow));
    bytes[14] = 0x46;
    assert_false(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
    bytes[14] = 0x45;
    bytes[12] = 0x86;
    assert_false(tern_flow_of(tern_span_of(bytes, sizeof bytes), &flow));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_parsers),
        cmocka_unit_test(may_differ),
        cmocka_unit_test(no_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
