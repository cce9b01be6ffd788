/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter program, run here by a small interpreter of the instructions that it may use. */
#include "link/packet_filter.h"

#include "base/steer.h"
#include "frames.h"
#include "link/packet_ring.h"
#include "link/queue_steer.h"

static uint8_t frame[10000];

struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
};

/* The loads from the packet. False: beyond its end. */
static bool fetch(struct machine *m, const struct sock_filter *i, uint32_t bytes)
{
    const uint32_t at = BPF_MODE(i->code) == BPF_IND ? m->x + i->k : i->k;
    const uint32_t width = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
    uint32_t value = 0;

    if (at + width > bytes)
        return false;
    for (uint32_t n = 0; n < width; n++)
        value = value << 8 | frame[at + n];
    if (BPF_CLASS(i->code) == BPF_LDX)
        m->x = 4 * (value & 0xf);
    else
        m->a = value;
    return true;
}

/* What neither jumps nor looks at the packet. */
static void compute(struct machine *m, const struct sock_filter *i)
{
    switch (i->code) {
    case BPF_LD | BPF_IMM:
        m->a = i->k;
        break;
    case BPF_LDX | BPF_MEM:
        m->x = m->memory[i->k];
        break;
    case BPF_ST:
        m->memory[i->k] = m->a;
        break;
    case BPF_ALU | BPF_ADD | BPF_X:
        m->a += m->x;
        break;
    case BPF_ALU | BPF_MUL | BPF_K:
        m->a *= i->k;
        break;
    case BPF_ALU | BPF_RSH | BPF_K:
        m->a >>= i->k;
        break;
    case BPF_ALU | BPF_MOD | BPF_K:
        m->a %= i->k;
        break;
    default:
        fail_msg("an unexpected code %#x", i->code);
    }
}

/* The bytes that the program lets through. Each jump goes forward, so it ends. */
static uint32_t run(const struct sock_filter *code, unsigned count, uint32_t bytes)
{
    struct machine m = {0};

    for (unsigned pc = 0; pc < count; pc++) {
        const struct sock_filter *i = &code[pc];

        switch (i->code) {
        case BPF_LD | BPF_ABS | BPF_W:
        case BPF_LD | BPF_ABS | BPF_H:
        case BPF_LD | BPF_ABS | BPF_B:
        case BPF_LD | BPF_IND | BPF_W:
        case BPF_LD | BPF_IND | BPF_H:
        case BPF_LD | BPF_IND | BPF_B:
        case BPF_LDX | BPF_MSH | BPF_B:
            if (!fetch(&m, i, bytes))
                return 0;
            break;
        case BPF_LD | BPF_W | BPF_LEN:
            m.a = bytes;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += m.a == i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += m.a > i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            pc += (m.a & i->k) != 0 ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            compute(&m, i);
        }
    }
    fail_msg("the program runs off its end");
    return 0;
}

static void rows(void **state)
{
    const struct tern_mac ours = {{2, 0x54, 0x45, 1, 2, 3}}, like_ours = {{2, 0x54, 0x45, 1, 2, 4}},
                          half = {{0xff, 0xff, 0xff, 0xff, 2, 3}};
    const struct tern_addr address = tern_addr_v4(10, 0, 0, 5), other = tern_addr_v4(10, 0, 0, 6);
    const struct tern_addr any = tern_addr_v4(0, 0, 0, 0), zero = {{0}};
    const struct {
        const char *what;
        struct tern_mac dst;
        uint16_t type;
        struct tern_addr ip_dst, filter_for;
        uint32_t bytes;
        bool any_length, is_short, is_long;
    } row[] = {
        {"ours", ours, 0x800, address, address, 60, true, true, false},
        {"ours, at the edge", ours, 0x800, address, address, TERN_PACKET_SHORT_MAX, true, true,
         false},
        {"ours, long", ours, 0x800, address, address, TERN_PACKET_SHORT_MAX + 1, true, false, true},
        {"another address", ours, 0x800, other, address, 60, false, false, false},
        {"another MAC", like_ours, 0x800, address, address, 60, false, false, false},
        {"half broadcast", half, 0x800, address, address, 60, false, false, false},
        {"broadcast", everybody, 0x800, address, address, 60, true, true, false},
        {"broadcast ARP", everybody, 0x806, other, address, 42, true, true, false},
        {"ARP to us", ours, 0x806, other, address, 42, true, true, false},
        {"ARP to another", like_ours, 0x806, other, address, 42, false, false, false},
        {"IPv6 to us", ours, 0x86dd, other, address, 60, false, false, false},
        {"too short to tell", ours, 0x800, address, address, 33, false, false, false},
        {"no address: all", ours, 0x86dd, other, any, 60, true, true, false},
        {"no address either", ours, 0x800, other, zero, 9000, true, false, true},
        {"no address, another MAC", like_ours, 0x800, other, any, 60, false, false, false},
    };
    struct sock_filter code[TERN_PACKET_FILTER_MAX];

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        const bool expected[] = {[TERN_PACKET_ANY_LENGTH] = row[i].any_length,
                                 [TERN_PACKET_SHORT] = row[i].is_short,
                                 [TERN_PACKET_LONG] = row[i].is_long};

        put_eth(frame, row[i].dst, like_ours, row[i].type);
        tern_put_be32(frame + ETH + 16, tern_addr_to_be32(row[i].ip_dst));
        for (int l = 0; l < 3; l++) {
            unsigned count = tern_packet_filter(code, ours, row[i].filter_for,
                                                (enum tern_packet_lengths)l, NULL);
            uint32_t taken = run(code, count, row[i].bytes);

            if ((taken >= row[i].bytes) != expected[l])
                fail_msg("%s, lengths %d: took %u of %u", row[i].what, l, taken, row[i].bytes);
        }
    }
}

static const struct tern_mac mine = {{2, 0x54, 0x45, 1, 2, 3}};
static const struct tern_endpoint here = {
    .addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 5}}, .port = 80};

#define QUEUES 3

/* Which queue's filter takes the frame; QUEUES: none. It must not be several, and the one that
 * queue_steer.c names. */
static uint32_t taken_by(uint32_t bytes)
{
    struct sock_filter code[TERN_PACKET_FILTER_MAX];
    uint32_t by = QUEUES;

    for (uint32_t q = 0; q < QUEUES; q++) {
        const struct tern_packet_queue queue = {q, QUEUES};
        const unsigned count = tern_packet_filter(code, mine, here.addr, TERN_PACKET_SHORT, &queue);

        if (run(code, count, bytes) < bytes)
            continue;
        assert_int_equal(by, QUEUES);
        by = q;
    }
    if (by < QUEUES)
        assert_int_equal(tern_queue_of(frame, bytes, QUEUES), by);
    return by;
}

/* An IPv4 header with so many words of options, at `at`; where what it carries begins. */
static uint8_t *put_head(uint8_t *at, unsigned options, uint8_t protocol, struct tern_addr src,
                         struct tern_addr dst)
{
    memset(at, 0, 60);
    at[0] = (uint8_t)(0x45 + options);
    at[9] = protocol;
    tern_put_be32(at + 12, tern_addr_to_be32(src));
    tern_put_be32(at + 16, tern_addr_to_be32(dst));
    return at + 20 + 4 * (size_t)options;
}

static uint32_t end_of_ports(uint8_t *at, uint16_t src, uint16_t dst)
{
    tern_put_be16(at, src);
    tern_put_be16(at + 2, dst);
    return (uint32_t)(at + 8 - frame);
}

/* Either direction's own queue, with and without options, in TCP, UDP and errors about them. */
static void one_queue_for_both_directions(void **state)
{
    uint32_t met[QUEUES] = {0};

    (void)state;
    put_eth(frame, mine, everybody, 0x800);
    for (uint16_t i = 0; i < 300; i++) {
        const struct tern_endpoint peer = {tern_addr_v4(10, 0, 7, (uint8_t)i),
                                           (uint16_t)(40000 + 2 * i)};
        const uint32_t wanted = tern_steer(&here, &peer, QUEUES);
        uint8_t *at = put_head(frame + ETH, i % 4, i % 2 == 0 ? 6 : 17, peer.addr, here.addr);
        uint32_t bytes = end_of_ports(at, peer.port, here.port);

        met[wanted]++;
        assert_int_equal(tern_steer(&peer, &here, QUEUES), wanted);
        assert_int_equal(taken_by(bytes), wanted);
        frame[ETH + 6] = 0x40; /* may not be fragmented: no fragment */
        assert_int_equal(taken_by(bytes), wanted);
        at = put_head(frame + ETH, i % 4, 1, tern_addr_v4(10, 9, 9, 9), here.addr);
        at[0] = i % 3 == 0 ? 3 : i % 3 == 1 ? 11 : 12;
        at = put_head(at + 8, 0, i % 2 == 0 ? 6 : 17, here.addr, peer.addr);
        assert_int_equal(taken_by(end_of_ports(at, here.port, peer.port)), wanted);
    }
    for (uint32_t q = 0; q < QUEUES; q++)
        assert_in_range(met[q], 50, 150);
}

/* What has no ports goes to the first. */
static void the_rest_to_the_first(void **state)
{
    const struct tern_endpoint peer = {tern_addr_v4(10, 0, 7, 1), 40002};
    uint8_t *at;
    uint32_t bytes;

    (void)state;
    assert_int_not_equal(tern_steer(&here, &peer, QUEUES), 0);
    put_eth(frame, mine, everybody, 0x800);
    bytes = end_of_ports(put_head(frame + ETH, 0, 17, peer.addr, here.addr), 40002, here.port);
    assert_int_not_equal(taken_by(bytes), 0);
    frame[ETH + 6] = 0x20; /* more follow */
    assert_int_equal(taken_by(bytes), 0);
    tern_put_be16(frame + ETH + 6, 185);
    assert_int_equal(taken_by(bytes), 0);
    at = put_head(frame + ETH, 0, 1, peer.addr, here.addr);
    at[0] = 8; /* echo */
    assert_int_equal(taken_by(end_of_ports(at + 8, 0, 0)), 0);
    at = put_head(frame + ETH, 0, 1, peer.addr, here.addr);
    at[0] = 3; /* about an echo of ours */
    at = put_head(at + 8, 0, 1, here.addr, peer.addr);
    assert_int_equal(taken_by(end_of_ports(at, 40002, 80)), 0);
    at = put_head(frame + ETH, 0, 1, peer.addr, here.addr);
    at[0] = 3; /* about what had options, which is not ours */
    (void)put_head(at + 8, 1, 17, here.addr, peer.addr);
    assert_int_equal(taken_by(end_of_ports(at + 28, here.port, 40002)), 0);
    (void)put_head(frame + ETH, 0, 89, peer.addr, here.addr);
    assert_int_equal(taken_by(60), 0);
    (void)put_head(frame + ETH, 0, 6, peer.addr, tern_addr_v4(10, 0, 0, 6));
    assert_int_equal(taken_by(60), QUEUES);
}

/* ARP comes by a socket of its own, whose filter takes nothing else. */
static void arp_by_itself(void **state)
{
    struct sock_filter code[TERN_PACKET_FILTER_MAX];
    const unsigned count = tern_packet_filter(code, mine, here.addr, TERN_PACKET_ARP_ONLY, NULL);

    (void)state;
    put_eth(frame, everybody, everybody, 0x806);
    assert_int_equal(taken_by(42), QUEUES);
    assert_true(run(code, count, 42) >= 42);
    put_eth(frame, mine, everybody, 0x806);
    assert_true(run(code, count, 9000) >= 9000);
    put_eth(frame, mine, everybody, 0x800);
    (void)put_head(frame + ETH, 0, 6, here.addr, here.addr);
    assert_int_equal(run(code, count, 60), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows), cmocka_unit_test(one_queue_for_both_directions),
        cmocka_unit_test(the_rest_to_the_first), cmocka_unit_test(arp_by_itself)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
