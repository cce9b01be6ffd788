/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/steer.h as classic BPF. Of an ICMP error it is the quoted packet that tells whose it is; its
 * header is one of ours, and so without options. X holds the length of the IPv4 header from
 * AT_PROTOCOL on; the four numbers go to memory first, since adding takes X.
 */
#include "link/packet_steer.h"

#include "base/assert.h"
#include "base/steer.h"

enum {
    IP_FRAGMENT = 6,
    IP_PROTOCOL = 9,
    IP_SRC = 12,
    IP_DST = 16,
    PORT_SRC = 0, /* behind the header, of which X is the length */
    PORT_DST = 2,
    ICMP_QUOTE = 8, /* behind it as well */
    QUOTE_PORTS = ICMP_QUOTE + 20,
    FRAGMENT_BITS = 0x3fff,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    UNREACHABLE = 3,
    TIME_EXCEEDED = 11,
    PARAMETER_PROBLEM = 12,
    PLAIN_HEADER = 0x45,
};

/* Where the jumps lead. */
enum {
    AT_PROTOCOL = 2,
    AT_ICMP = 7,
    AT_QUOTE = 11,
    AT_QUOTE_NUMBERS = 16,
    AT_NUMBERS = 24,
    AT_SUM = 31,
    AT_ZERO = 41,
    AT_END = TERN_PACKET_STEER_COUNT,
};

static struct sock_filter op(uint16_t code, uint32_t k)
{
    return (struct sock_filter){.code = code, .k = k};
}

static struct sock_filter jump(uint16_t test, unsigned at, uint32_t value, unsigned yes,
                               unsigned no)
{
    TERN_ASSERT(yes > at);
    TERN_ASSERT(no > at);
    return (struct sock_filter){.code = (uint16_t)(BPF_JMP | BPF_K | test),
                                .k = value,
                                .jt = (uint8_t)(yes - at - 1),
                                .jf = (uint8_t)(no - at - 1)};
}

static void find_numbers(struct sock_filter *out, uint32_t base)
{
    out[0] = op(BPF_LD | BPF_ABS | BPF_H, base + IP_FRAGMENT);
    out[1] = jump(BPF_JSET, 1, FRAGMENT_BITS, AT_ZERO, AT_PROTOCOL);
    out[AT_PROTOCOL] = op(BPF_LDX | BPF_MSH | BPF_B, base);
    out[3] = op(BPF_LD | BPF_ABS | BPF_B, base + IP_PROTOCOL);
    out[4] = jump(BPF_JEQ, 4, PROTOCOL_TCP, AT_NUMBERS, 5);
    out[5] = jump(BPF_JEQ, 5, PROTOCOL_UDP, AT_NUMBERS, 6);
    out[6] = jump(BPF_JEQ, 6, PROTOCOL_ICMP, AT_ICMP, AT_ZERO);
    out[AT_ICMP] = op(BPF_LD | BPF_IND | BPF_B, base);
    out[8] = jump(BPF_JEQ, 8, UNREACHABLE, AT_QUOTE, 9);
    out[9] = jump(BPF_JEQ, 9, TIME_EXCEEDED, AT_QUOTE, 10);
    out[10] = jump(BPF_JEQ, 10, PARAMETER_PROBLEM, AT_QUOTE, AT_ZERO);
    out[AT_QUOTE] = op(BPF_LD | BPF_IND | BPF_B, base + ICMP_QUOTE);
    out[12] = jump(BPF_JEQ, 12, PLAIN_HEADER, 13, AT_ZERO);
    out[13] = op(BPF_LD | BPF_IND | BPF_B, base + ICMP_QUOTE + IP_PROTOCOL);
    out[14] = jump(BPF_JEQ, 14, PROTOCOL_TCP, AT_QUOTE_NUMBERS, 15);
    out[15] = jump(BPF_JEQ, 15, PROTOCOL_UDP, AT_QUOTE_NUMBERS, AT_ZERO);
}

/* Both leave three numbers in memory and the fourth at hand. */
static void load_numbers(struct sock_filter *out, uint32_t base)
{
    struct sock_filter *quote = out + AT_QUOTE_NUMBERS, *own = out + AT_NUMBERS;

    quote[0] = op(BPF_LD | BPF_IND | BPF_H, base + QUOTE_PORTS + PORT_SRC);
    quote[1] = op(BPF_ST, 0);
    quote[2] = op(BPF_LD | BPF_IND | BPF_H, base + QUOTE_PORTS + PORT_DST);
    quote[3] = op(BPF_ST, 1);
    quote[4] = op(BPF_LD | BPF_IND | BPF_W, base + ICMP_QUOTE + IP_SRC);
    quote[5] = op(BPF_ST, 2);
    quote[6] = op(BPF_LD | BPF_IND | BPF_W, base + ICMP_QUOTE + IP_DST);
    quote[7] = op(BPF_JMP | BPF_JA, AT_SUM - AT_NUMBERS);
    own[0] = op(BPF_LD | BPF_IND | BPF_H, base + PORT_SRC);
    own[1] = op(BPF_ST, 0);
    own[2] = op(BPF_LD | BPF_IND | BPF_H, base + PORT_DST);
    own[3] = op(BPF_ST, 1);
    own[4] = op(BPF_LD | BPF_ABS | BPF_W, base + IP_SRC);
    own[5] = op(BPF_ST, 2);
    own[6] = op(BPF_LD | BPF_ABS | BPF_W, base + IP_DST);
}

void tern_packet_steer(struct sock_filter out[TERN_PACKET_STEER_COUNT], uint32_t base,
                       uint32_t queues)
{
    struct sock_filter *sum = out + AT_SUM;

    find_numbers(out, base);
    load_numbers(out, base);
    for (uint32_t i = 0; i < 3; i++) {
        sum[2 * i] = op(BPF_LDX | BPF_MEM, i);
        sum[2 * i + 1] = op(BPF_ALU | BPF_ADD | BPF_X, 0);
    }
    sum[6] = op(BPF_ALU | BPF_MUL | BPF_K, TERN_STEER_FACTOR);
    sum[7] = op(BPF_ALU | BPF_RSH | BPF_K, TERN_STEER_SHIFT);
    sum[8] = op(BPF_ALU | BPF_MOD | BPF_K, queues);
    sum[9] = op(BPF_JMP | BPF_JA, AT_END - AT_ZERO);
    out[AT_ZERO] = op(BPF_LD | BPF_IMM, 0);
}
