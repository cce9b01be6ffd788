/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter program, run here by a small interpreter of the instructions that it may use. */
#include "link/packet_filter.h"

#include "frames.h"
#include "link/packet_ring.h"

static uint8_t frame[10000];

/* The bytes that the program lets through. Each jump goes forward, so it ends. */
static uint32_t run(const struct sock_filter *code, unsigned count, uint32_t bytes)
{
    uint32_t a = 0;

    for (unsigned pc = 0; pc < count; pc++) {
        const struct sock_filter *i = &code[pc];

        switch (i->code) {
        case BPF_LD | BPF_ABS | BPF_W:
            if (i->k + 4 > bytes)
                return 0;
            a = tern_get_be32(frame + i->k);
            break;
        case BPF_LD | BPF_ABS | BPF_H:
            if (i->k + 2 > bytes)
                return 0;
            a = tern_get_be16(frame + i->k);
            break;
        case BPF_LD | BPF_W | BPF_LEN:
            a = bytes;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += a > i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            fail_msg("instruction %u has an unexpected code %#x", pc, i->code);
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
            unsigned count =
                tern_packet_filter(code, ours, row[i].filter_for, (enum tern_packet_lengths)l);
            uint32_t taken = run(code, count, row[i].bytes);

            if ((taken >= row[i].bytes) != expected[l])
                fail_msg("%s, lengths %d: took %u of %u", row[i].what, l, taken, row[i].bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
