/* SPDX-License-Identifier: BSD-2-Clause */
/* Cookies of peers: remembered in a table of fixed size, the least lately used giving way. */
#include "bench.h"

static const uint8_t cookie[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* A SYN-ACK of 10.0.0.n with a cookie. */
static void answer(struct bench *b, uint8_t n, const struct tern_tcp_header *syn)
{
    struct tern_tcp_header h = {.src_port = syn->dst_port,
                                .dst_port = syn->src_port,
                                .seq = tern_seq_of(1000),
                                .ack = tern_seq_add(syn->seq, 1),
                                .flags = TERN_TCP_SYN | TERN_TCP_ACK,
                                .window = 60000,
                                .has_fastopen = true,
                                .cookie_bytes = sizeof cookie};
    const struct tern_eth eth = {bench_mac(1), bench_mac(n), TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {
        .ttl = 64, .protocol = TERN_IP_TCP, .src = bench_addr(n), .dst = bench_addr(1)};
    struct tern_frame in = {.piece_count = 1, .csum = TERN_CSUM_VALID};
    uint8_t bytes[128];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    memcpy(h.cookie, cookie, sizeof cookie);
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)tern_tcp_header_bytes(&h), &w);
    tern_tcp_emit(&h, &w);
    in.piece[0] = tern_span_of(bytes, w.bytes);
    in.bytes = (uint32_t)w.bytes;
    bench_frame(b, &in);
}

/* Does connecting to 10.0.0.n find a cookie? If not it is asked for, and given. */
static bool knows(struct bench *b, uint8_t n)
{
    struct tern_tcp_settings set;
    struct tern_tcp_options o = {.remote = {bench_addr(n), 80}, .settings = &set};
    struct tern_conn *conn;
    struct tern_tcp_info info;
    struct tern_tcp_header syn;
    tern_span text;

    tern_tcp_settings_defaults(&set);
    set.fastopen = true;
    bench_forget(b);
    assert_int_equal(tern_tcp_connect(b->stack, &o, &conn), TERN_ERR_OK);
    bench_drain(b);
    tern_tcp_info(conn, &info);
    if (!info.syn_waits) {
        assert_true(bench_sent_tcp(b, 0, &syn, &text));
        assert_true(syn.has_fastopen);
        assert_int_equal(syn.cookie_bytes, 0);
        answer(b, n, &syn);
        assert_int_equal(tern_tcp_state(conn), TERN_TCP_ESTABLISHED);
    }
    tern_tcp_abort(conn);
    bench_drain(b);
    return info.syn_waits;
}

static void the_least_used_goes(void **state)
{
    struct bench b;
    struct tern_config c;

    (void)state;
    bench_config(&c, 1);
    c.fastopen_peers_max = 2;
    bench_open_at(&b, &c, 1);
    bench_know(&b, 3);
    bench_know(&b, 4);
    assert_false(knows(&b, 2));
    assert_false(knows(&b, 3));
    assert_true(knows(&b, 2)); /* so 3 is the one that goes */
    assert_false(knows(&b, 4));
    assert_true(knows(&b, 2));
    assert_true(knows(&b, 4));
    assert_false(knows(&b, 3));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_least_used_goes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
