/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose a frame is, where that cannot be told, and frames that end too early. That it agrees with
 * the kernel's filter, packet_filter.c looks at. */
#include "link/queue_steer.h"

#include "base/steer.h"
#include "frames.h"

#define QUEUES 7

static const struct tern_mac mine = {{2, 0x54, 0x45, 1, 2, 3}};
static uint8_t frame[200];

/* In memory of its very size, to see a byte too far. */
static uint32_t of(size_t bytes)
{
    uint8_t *copy = malloc(bytes > 0 ? bytes : 1);
    uint32_t queue;

    assert_non_null(copy);
    memcpy(copy, frame, bytes);
    queue = tern_queue_of(copy, bytes, QUEUES);
    free(copy);
    return queue;
}

static void put_ip(uint8_t *at, uint8_t protocol, const struct tern_endpoint *src,
                   const struct tern_endpoint *dst)
{
    memset(at, 0, 28);
    at[0] = 0x45;
    at[9] = protocol;
    tern_put_be32(at + 12, tern_addr_to_be32(src->addr));
    tern_put_be32(at + 16, tern_addr_to_be32(dst->addr));
    tern_put_be16(at + 20, src->port);
    tern_put_be16(at + 22, dst->port);
}

static void too_short(void **state)
{
    const struct tern_endpoint a = {tern_addr_v4(10, 0, 0, 5), 80};
    struct tern_endpoint b = {tern_addr_v4(10, 0, 0, 9), 40000};
    uint32_t wanted;

    (void)state;
    while ((wanted = tern_steer(&a, &b, QUEUES)) == 0)
        b.port++;
    put_eth(frame, mine, everybody, 0x800);
    put_ip(frame + ETH, 6, &b, &a);
    for (size_t bytes = 0; bytes < 60; bytes++)
        assert_int_equal(of(bytes), bytes < ETH ? TERN_QUEUE_ANY : bytes < ETH + 24 ? 0 : wanted);
    frame[ETH] = 0x4f; /* options up to beyond the end */
    for (size_t bytes = ETH; bytes < ETH + 64; bytes++)
        assert_int_equal(of(bytes), 0);
    put_ip(frame + ETH, 1, &b, &a);
    frame[ETH + 20] = 3;
    put_ip(frame + ETH + 28, 17, &a, &b);
    for (size_t bytes = ETH; bytes < ETH + 60; bytes++)
        assert_int_equal(of(bytes), bytes < ETH + 28 + 24 ? 0 : wanted);
}

static void without_ports(void **state)
{
    (void)state;
    memset(frame, 0xff, sizeof frame);
    put_eth(frame, everybody, mine, 0x806);
    assert_int_equal(of(ARP_BYTES), TERN_QUEUE_ALL);
    assert_int_equal(of(ETH), TERN_QUEUE_ALL);
    put_eth(frame, mine, everybody, 0x86dd);
    assert_int_equal(of(sizeof frame), TERN_QUEUE_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(too_short),
                                       cmocka_unit_test(without_ports)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
